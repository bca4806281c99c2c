# SPDX-License-Identifier: Apache-2.0
# Writes reference.h: figures of an independent implementation (numpy) for the predictor's tests.
# Use: python3 tests/unit/predictor/reference.py > tests/unit/predictor/reference.h   (Debian: python3-numpy)
import numpy as np

QUANTILES = [.5, .9, .95, .99, .999]


def literal(values):
    return "{" + ", ".join(repr(float(v)) for v in values) + "}"


def samples():
    rng = np.random.default_rng(20260131)
    for size in (1, 2, 10, 49, 288, 2016):
        yield np.round(rng.lognormal(10, 1.5, size), 3)
    yield np.repeat([0.0, 5.0, 5.0, 9.0], 25)


def rolling_series():
    rng = np.random.default_rng(7)
    hours = np.arange(120)
    return np.round(1000 + 400 * np.sin(hours * 2 * np.pi / 24) + rng.gamma(2, 50, 120), 3)


# Last window of 24 points, horizon 6, 8 origins 6 apart, as rolling_origin() does.
def rolling_losses(series):
    errors = {q: [] for q in QUANTILES}
    hits = {q: [] for q in QUANTILES}
    for k in range(8):
        origin = len(series) - 6 - 6 * k
        past, future = series[:origin], series[origin:origin + 6]
        for q in QUANTILES:
            forecast = np.quantile(past[-24:], q, method="inverted_cdf")
            if q == .999:
                forecast = max(forecast, past[-7 * 24:].max())
            miss = future - forecast
            errors[q] += list(np.where(miss > 0, q * miss, (q - 1) * miss))
            hits[q] += list(future <= forecast)
    return [np.mean(errors[q]) for q in QUANTILES], [np.mean(hits[q]) for q in QUANTILES]


print("// SPDX-License-Identifier: Apache-2.0")
print("// Written by reference.py (numpy %s); not edited by hand." % np.__version__)
print("// clang-format off")
print("#pragma once\n#include <array>\n#include <vector>\n")
print("namespace foreflow::predictor::reference {\n")
print("struct QuantileCase {\n  std::vector<double> sample;\n  std::array<double, 5> quantiles;\n};")
print("inline const std::vector<QuantileCase> kQuantileCases{")
for sample in samples():
    print("    {%s,\n     {%s}}," % (literal(sample), literal(np.quantile(sample, QUANTILES, method="inverted_cdf"))))
print("};\n")
series = rolling_series()
losses, coverage = rolling_losses(series)
print("inline const std::vector<double> kRollingSeries%s;" % literal(series))
print("inline constexpr std::array<double, 5> kRollingLosses{%s};" % literal(losses))
print("inline constexpr std::array<double, 5> kRollingCoverage{%s};" % literal(coverage))
print("\n}  // namespace foreflow::predictor::reference")
