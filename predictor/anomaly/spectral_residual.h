// SPDX-License-Identifier: Apache-2.0
// Spectral residual: what stands out of a window once its usual spectrum is taken away.
// Place: predictor/anomaly. Source: Ren et al., "Time-series anomaly detection service at Microsoft", KDD 2019 (their
// saliency map, with the window extended by an estimate so that the newest point is not at its edge).
#pragma once
#include <cstddef>
#include <span>

namespace foreflow::predictor {

inline constexpr std::size_t kSpectralWindow = 64;    // points of the transform
inline constexpr std::size_t kSpectralEstimated = 5;  // of them, estimated points after the newest
inline constexpr std::size_t kSpectralObserved = kSpectralWindow - kSpectralEstimated;

// Saliency of the newest point relative to the mean of the 21 before it: about 0 when it is like them.
// `newest`: exactly kSpectralObserved finite values, oldest first. Thread safety: any thread, any time.
double spectral_saliency(std::span<const double> newest);

}  // namespace foreflow::predictor
