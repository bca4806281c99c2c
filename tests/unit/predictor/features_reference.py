# SPDX-License-Identifier: Apache-2.0
# Writes features_reference.h: figures of independent implementations (numpy, scipy) for the predictor's features.
# Use: python3 tests/unit/predictor/features_reference.py > tests/unit/predictor/features_reference.h
# (Debian: python3-numpy, python3-scipy). Each is computed the slow, direct way.
import numpy as np
from scipy import signal, stats

D8 = [.2303778133088964, .7148465705529155, .6308807679298587, -.0279837694168599,
      -.1870348117190931, .0308413818355607, .0328830116668852, -.0105974017850690]


def literal(values):
    return "{" + ", ".join(repr(float(v)) for v in np.atleast_1d(values)) + "}"


def emit(name, values):
    print("inline const std::vector<double> %s%s;" % (name, literal(values)))


def demand():
    rng = np.random.default_rng(20260214)
    t = np.arange(200)
    x = 50 + 20 * np.sin(2 * np.pi * t / 25) + rng.gamma(1.5, 8, 200)
    x[120:] += 40
    x[::40] *= 3
    return np.round(x, 3)


def fisher(power, k):
    left = np.sort(power)[::-1][k:]
    g = left[0] / left.sum()
    m = len(left)
    return m * (1 - g) ** (m - 1)


# Through the frequency responses: H(f) of level j is H(2^(j-1) f) times the product of the scaling filters' before it.
def modwt_by_frequency(x, levels):
    g = np.array(D8) / np.sqrt(2)
    h = np.array([(-1) ** l * D8[len(D8) - 1 - l] for l in range(len(D8))]) / np.sqrt(2)
    k = np.arange(len(x))
    response = lambda f, scale: np.array([np.sum(f * np.exp(-2j * np.pi * np.arange(len(f)) * scale * i / len(x)))
                                          for i in k])
    spectrum, details = np.fft.fft(x), []
    for level in range(levels):
        details.append(np.fft.ifft(spectrum * response(h, 2 ** level)).real)
        spectrum = spectrum * response(g, 2 ** level)
    return details, np.fft.ifft(spectrum).real


def changes_by_optimal_partitioning(x, penalty):
    sigma = np.median(np.abs(np.diff(x))) / stats.norm.ppf(.75) / np.sqrt(2)
    beta = penalty * sigma ** 2
    n = len(x)
    best, previous = [-beta], [0]
    for end in range(1, n + 1):
        totals = [best[s] + np.sum((x[s:end] - x[s:end].mean()) ** 2) + beta for s in range(end)]
        previous.append(int(np.argmin(totals)))
        best.append(min(totals))
    changes, at = [], n
    while previous[at] > 0:
        at = previous[at]
        changes.append(at)
    return changes[::-1]


def hurst(x):
    levels, powers, means = [], [], x
    while len(means) >= 8:
        levels.append(len(levels))
        powers.append(np.log2(np.var(means)))
        means = means[:len(means) // 2 * 2].reshape(-1, 2).mean(axis=1)
    return 1 + stats.linregress(levels, powers).slope / 2


x = demand()
power = (np.abs(np.fft.fft(signal.detrend(x))) ** 2 / len(x))[1:(len(x) - 1) // 2 + 1]
details, smooth = modwt_by_frequency(x, 4)
centred = x - x.mean()
energy_details, energy_smooth = modwt_by_frequency(centred, 4)
energy = [np.sum(d ** 2) for d in energy_details] + [np.sum(energy_smooth ** 2)]
correlation = np.correlate(centred, centred, "full")[len(x) - 1:] / np.sum(centred ** 2)
largest = np.sort(x)[::-1]

print("// SPDX-License-Identifier: Apache-2.0")
print("// Written by features_reference.py (numpy %s); not edited by hand." % np.__version__)
print("// clang-format off")
print("#pragma once\n#include <vector>\n\nnamespace foreflow::predictor::reference {\n")
emit("kDemand", x)
emit("kPeriodogram", power)
emit("kFirstPeriods", [len(x) / (1 + i) for i in np.argsort(power)[::-1][:2]])
emit("kFirstProbabilities", [fisher(power, 0), fisher(power, 1)])
emit("kCorrelation", correlation[:61])
emit("kDetail3", details[2])
emit("kSmooth4", smooth)
emit("kEnergies", np.array(energy) / np.sum(energy))
emit("kChanges", changes_by_optimal_partitioning(x, 3 * np.log(len(x))))
emit("kChangesCheap", changes_by_optimal_partitioning(x, 4))
emit("kSlope", stats.theilslopes(x).slope)
emit("kHurst", hurst(x))
emit("kTailIndex", 1 / np.mean(np.log(largest[:20] / largest[20])))
emit("kTimerProbability", stats.binom.sf(9, 10, -np.expm1(-3 * 10 / 240)))


def normalised(window):
    return (window - window.mean()) / window.std()


emit("kDistances", [np.linalg.norm(normalised(x[i:i + 20]) - normalised(x[-20:])) for i in range(len(x) - 19)])
print("\n}  // namespace foreflow::predictor::reference")
