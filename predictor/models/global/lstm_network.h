// SPDX-License-Identifier: Apache-2.0
// A recurrent network with quantile outputs, its loss and the gradient of it. Knows numbers, not series.
// Place: predictor/models/global.
// Source: Hochreiter & Schmidhuber 1997 with forget gates (Gers et al. 2000); one encoder for all leads and a decoder
// that is told the lead (Wen et al. 2017); gradient by backpropagation through time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include <Eigen/Core>

namespace foreflow::predictor {

struct LstmShape {
  std::size_t steps = 24;    // of the sequence
  std::size_t inputs = 2;    // per step
  std::size_t statics = 62;  // beside the sequence: what the decoder is told
  std::size_t cells = 16;
  std::size_t hidden = 40;  // of the decoder
  std::size_t outputs = 5;

  std::size_t features() const { return steps * inputs + statics; }
  std::size_t parameters() const {
    return 4 * cells * (inputs + cells + 1) + hidden * (cells + statics + 1) + outputs * (hidden + 1);
  }
  bool operator==(const LstmShape&) const = default;
};

// Columns are examples: first the sequence, step by step, then the statics. float in production; double lets the
// gradient be compared with finite differences.
// Thread safety: immutable but for parameters().
template <typename Scalar>
class LstmNetwork {
 public:
  using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;
  using Vector = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;

  // Small random weights; the forget gates begin open.
  LstmNetwork(const LstmShape& shape, std::uint64_t seed);

  const LstmShape& shape() const { return shape_; }
  const Vector& parameters() const { return parameters_; }
  Vector& parameters() { return parameters_; }

  // cells x examples: what the sequences come down to.
  Matrix encode(const Matrix& rows) const;
  // outputs x examples, from encode() and the statics.
  Matrix decode(const Matrix& encoded, const Matrix& statics) const;

  // Mean over examples and outputs of the pinball loss of output q at quantiles[q]. `gradient` gets its derivatives by
  // the parameters.
  Scalar loss(const Matrix& rows, const Vector& targets, std::span<const double> quantiles, Vector& gradient) const;

 private:
  LstmShape shape_;
  Vector parameters_;
};

}  // namespace foreflow::predictor
