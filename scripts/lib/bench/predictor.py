# SPDX-License-Identifier: Apache-2.0
"""scripts/bench predictor [--data DIR] [--tools DIR] [--plots DIR]: what forecasts cost, and how good they are.

Beside R's forecast (thetaf, ets, stlf, auto.arima) on the same series in the same run: processor time per fit and
forecast; loss (mean pinball loss at .5, .9, .95 and .99 over the mean of the series, geometric mean of the series' ratios)
and MASE. Then what a fleet costs: global training on 100 VMs x 28 days, refit with selection, an update with all
quantiles of a day ahead. Series: VMs (vm/) and hourly ones (m4hourly/) below DIR, or generated ones.
With --tools also what score_forecast.py and replay_allocation.py say of forecasts, coverage and allocations on the same
DIR, all their peers beside them."""
import argparse
import csv
import gzip
import io
import math
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field

from bench import bars
from bench.figures import Figure, report
from demo.foreflow import ROOT

PROGRAM = ROOT / "build/release/bin/bench_predictor"
RIVAL = ROOT / "scripts/lib/bench/predictor.R"
DAY, WEEK = 288, 7 * 288
FLEET, FLEET_DAYS = 100, 28
LEVELS = (0.5, 0.9, 0.95, 0.99)


@dataclass
class Task:
    """Series that both sides forecast. `pairs`: our model and R's."""
    name: str
    season: int
    horizon: int
    pairs: tuple
    series: dict = field(default_factory=dict)  # name -> (known values, values that followed)


def vm_rows(folder):
    """{name: values} of net_tx, then net_rx, of the active VMs; a row that was not observed is a gap."""
    with open(folder / "manifest.csv", newline="") as file:
        active = [row["series"] for row in csv.DictReader(file) if row["kind"] == "active"]
    for metric in ("net_tx_Bps", "net_rx_Bps"):
        for name in active:
            with gzip.open(folder / f"{name}.csv.gz", "rt", newline="") as file:
                rows = list(csv.DictReader(file))
            yield f"{name}.{metric}", [float(row[metric]) if row["obs"] != "0" else math.nan for row in rows]


def generated_vm(seed, days):
    """Noise of a daily rhythm with bursts by the clock."""
    rng = random.Random(seed)
    hour, level = rng.randrange(24), 10 ** rng.uniform(3, 6)
    return [level * math.exp(rng.gauss(math.sin(2 * math.pi * t / DAY), 0.7)) * (30 if t % DAY // 12 == hour and t % 12 < 2 else 1)
            for t in range(days * DAY)]


def generated_hourly(seed, hours):
    rng = random.Random(seed)
    return [1000 + 300 * math.sin(2 * math.pi * t / 24) + 100 * math.sin(2 * math.pi * t / 168) + rng.gauss(0, 50)
            for t in range(hours)]


def filled(values):
    """R's models know no gaps: both sides get the value before instead."""
    last, made = 0.0, []
    for value in values:
        last = last if math.isnan(value) else value
        made.append(last)
    return made


def fleet_of(data):
    rows = FLEET_DAYS * DAY
    if data is None:
        return {f"g{i}": generated_vm(i, FLEET_DAYS) for i in range(FLEET)}
    made = {}
    for name, values in vm_rows(data / "vm"):
        made[name] = values[:rows]
        if len(made) == FLEET:
            return made
    return made


def hourly_of(data, horizon):
    """{name: (known, followed)}."""
    if data is None:
        series = {f"h{i}": generated_hourly(i, 700 + horizon) for i in range(60)}
        return {name: (values[:-horizon], values[-horizon:]) for name, values in series.items()}
    def rows(name):
        with gzip.open(data / "m4hourly" / name, "rt", newline="") as file:
            return {row[0]: [float(cell) for cell in row[1:] if cell] for row in csv.reader(file)}
    known, followed = rows("train.csv.gz"), rows("test.csv.gz")
    return {name: (known[name], followed[name]) for name in known}


def every(items, count):
    """`count` of them, evenly spread."""
    items = list(items)
    return [items[i * len(items) // count] for i in range(min(count, len(items)))]


def tasks_of(arguments, fleet):
    vm = Task("VM, 2,016 points", DAY, DAY, (("theta", "thetaf"), ("ets", "ets"), ("arima", "auto.arima_no_season"),
                                             ("blend", "stlf")))
    for name in every(fleet, arguments.series):
        values = filled(fleet[name])
        vm.series[name] = (values[-WEEK - DAY:-DAY], values[-DAY:])
    hourly = hourly_of(arguments.data, 48)
    quick = Task("hourly", 24, 48, (("theta", "thetaf"), ("ets", "ets"), ("seasonal_ensemble", "stlf")))
    quick.series = {name: hourly[name] for name in every(hourly, arguments.series)}
    slow = Task("hourly, few", 24, 48, (("arima", "auto.arima"),))
    slow.series = {name: hourly[name] for name in every(hourly, arguments.arimas)}
    return [vm, quick, slow]


@dataclass
class Result:
    fit: list = field(default_factory=list)  # seconds per series
    forecast: list = field(default_factory=list)
    loss: dict = field(default_factory=dict)  # series -> over the mean of the series
    mase: dict = field(default_factory=dict)


def pinball(level, actual, told):
    return (level if actual > told else level - 1) * (actual - told)


def judge(task, rows):
    """(loss, MASE) of one series' forecast: rows of the quantiles at LEVELS."""
    known, followed = task.series[rows[0][1]]
    told = [[float(cell) for cell in row[3:]] for row in rows]
    loss = statistics.mean(pinball(level, actual, row[q]) for actual, row in zip(followed, told)
                           for q, level in enumerate(LEVELS))
    scale = statistics.mean(abs(a - b) for a, b in zip(known[task.season:], known))
    error = statistics.mean(abs(actual - row[0]) for actual, row in zip(followed, told))
    return loss / max(statistics.mean(known), 1e-9), error / max(scale, 1e-9)


def run(command, task, models, work):
    """{model: Result}."""
    series, forecasts = work / "series.csv", work / "forecasts.csv"
    series.write_text("".join(f"{name},{','.join(f'{value:.10g}' for value in known)}\n"
                              for name, (known, _) in task.series.items()))
    done = subprocess.run([*command, series, str(task.season), str(task.horizon), forecasts, *models], check=True,
                          stdout=subprocess.PIPE, text=True)
    results = defaultdict(Result)
    for model, _, fit, forecast in csv.reader(io.StringIO(done.stdout)):
        results[model].fit.append(float(fit))
        results[model].forecast.append(float(forecast))
    told = defaultdict(list)
    with open(forecasts, newline="") as file:
        for row in csv.reader(file):
            told[row[0], row[1]].append(row)
    for (model, name), rows in told.items():
        results[model].loss[name], results[model].mase[name] = judge(task, rows)
    return results


def ratio_of(ours, theirs):
    """Geometric mean over the series; one of them counts for a factor of 100 at most (R's quantiles may be infinite)."""
    least, most = 1e-9, 1e9
    logs = [math.log(min(max(ours[name], least), most) / min(max(theirs[name], least), most)) for name in ours]
    logs = [min(max(log, -math.log(100)), math.log(100)) for log in logs]
    return math.exp(statistics.mean(logs))


def compare(task, work):
    """Figures of one task."""
    ours = run([PROGRAM, "rivals"], task, [pair[0] for pair in task.pairs], work)
    theirs = run(["Rscript", "--vanilla", RIVAL], task, [pair[1] for pair in task.pairs], work)
    for mine, peer in task.pairs:
        a, b = ours[mine], theirs[peer]
        what = f"{task.name}: {mine}"
        yield Figure(f"{what}, fit", 1e3 * statistics.mean(a.fit), "CPU ms", f"R {peer}", 1e3 * statistics.mean(b.fit), 1.0)
        alone = peer not in ("thetaf", "stlf")  # those fit and forecast in one call
        yield Figure(f"{what}, forecast", 1e3 * statistics.mean(a.forecast), "CPU ms", f"R {peer}" if alone else "",
                     1e3 * statistics.mean(b.forecast) if alone else 0.0)
        yield Figure(f"{what}, loss", ratio_of(a.loss, b.loss), "ratio", f"R {peer}", 1.0)
        yield Figure(f"{what}, MASE", statistics.median(a.mase.values()), "median", f"R {peer}",
                     statistics.median(b.mase.values()))


def fleet_costs(fleet, work):
    path = work / "fleet.csv"
    path.write_text("".join(f"{name},{','.join('' if math.isnan(value) else f'{value:.7g}' for value in values)}\n"
                            for name, values in fleet.items()))
    done = subprocess.run([PROGRAM, "fleet", path, str(DAY)], check=True, stdout=subprocess.PIPE, text=True)
    seconds = defaultdict(list)
    for what, value in csv.reader(io.StringIO(done.stdout)):
        seconds[what].append(float(value))
    def fixed(what, name, unit, scale, bar, pick=statistics.median):
        values = seconds[name]
        return Figure(what, scale * pick(values), unit, "bar", bar, 1.0, (max(values) - min(values)) / max(values))
    yield fixed("update, all quantiles of a day ahead", "update", "CPU ms", 1e3, 2.0)
    yield fixed("the same, slowest of 20 VMs", "update", "CPU ms", 1e3, 2.0, max)
    yield fixed("refit and weights of the blend", "refit", "CPU s", 1, 1.5)
    yield fixed("the same, slowest of 20 VMs", "refit", "CPU s", 1, 1.5, max)
    yield fixed("global training, trees", "training boosted", "CPU s", 1, 300.0)
    yield fixed("global training, LSTM", "training lstm", "CPU s", 1, 300.0)


def plot(folder, figures, over_provisions):
    if over_provisions:
        title = "Allocated bytes to demanded ones: ours (blue) and the best peer's"
        (folder / "predictor-allocation.svg").write_text(bars.chart(title, "", over_provisions))
    for name, ending, title, unit in (("cost", ", fit", "Processor time of a fit: ours (blue) and R's", "ms"),
                                      ("error", ", MASE", "MASE of the forecasts, median: ours (blue) and R's", "")):
        rows = [(figure.figure.removesuffix(ending), figure.value, figure.peer, figure.peer_value)
                for figure in figures if figure.figure.endswith(ending)]
        (folder / f"predictor-{name}.svg").write_text(bars.chart(title, unit, rows))


def over_provision(summary):
    """[(what, ours, best peer, its figure)] of a table that replay_allocation.py has written."""
    with open(summary, newline="") as file:
        rows = list(csv.DictReader(file))
    ours = next(row for row in rows if row["allocator"] == "foreflow")
    peers = [row for row in rows if row is not ours and not row["allocator"].startswith("oracle")]
    for view, says in (("overprov@{}", "all bytes"), ("overprov@{}-top", "without the largest"), ("macro@{}", "per VM")):
        for share in ("1%", "5%"):
            figure = view.format(share)
            reached = [(float(row[figure]), row["allocator"]) for row in peers if row[figure] != "never"]
            if reached and ours[figure] != "never":
                yield f"{says}, {share} unserved", float(ours[figure]), min(reached)[1], min(reached)[0]


def judgement(arguments, work):
    """What the given tools say of forecasts, coverage and allocations, all their peers beside them. Returns the rows of a
    chart of over-provision."""
    backtest = ROOT / "build/release/bin/foreflow-backtest"
    def made(name, command, *options):
        output = work / name
        data = arguments.data / "vm" if command == "allocate" else arguments.data
        subprocess.run([backtest, command, "--data", data, "-o", output, *options], check=True)
        return output
    def judged(tool, *options):
        subprocess.run(["/usr/bin/python3", arguments.tools / tool, *options], check=True)  # has numpy
    for kind in ("vm", "link", "m4h"):
        judged("score_forecast.py", "--data", arguments.data, "--kind", kind, "--peer", "all",
               "--forecast", made(f"foreflow-{kind}.csv", "forecast", "--kind", kind))
    judged("score_forecast.py", "--data", arguments.data,
           "--coverage", made("foreflow-coverage.csv", "forecast", "--coverage", "--model", "boosted"))
    for metric, floor in (("net_tx_Bps", "1000"), ("net_rx_Bps", "1000"), ("cpu_pct", ".01"), ("mem_bytes", "1000")):
        allocations = made(f"foreflow-{metric}.csv", "allocate", "--metric", metric)
        judged("replay_allocation.py", "--data", arguments.data / "vm", "--metric", metric, "--floor", floor,
               "--alloc", f"foreflow={allocations}", "--out", work / metric)
    return [(f"{metric}: {row[0]}", *row[1:]) for metric in ("net_tx_Bps", "net_rx_Bps")
            for row in over_provision(work / f"{metric}_summary.csv")]


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench predictor", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, help="folder with vm/ and m4hourly/")
    parser.add_argument("--tools", type=pathlib.Path, help="folder with score_forecast.py and replay_allocation.py")
    parser.add_argument("--series", type=int, default=20, help="of each kind beside R")
    parser.add_argument("--arimas", type=int, default=3, help="hourly series for auto.arima, which takes half a minute each")
    parser.add_argument("--plots", type=pathlib.Path, help="writes predictor-cost.svg, -error.svg and (with --tools) -allocation.svg here")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.tools and not arguments.data:
        parser.error("--tools needs --data")
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(temporary)
        fleet = fleet_of(arguments.data)
        found = [figure for task in tasks_of(arguments, fleet) for figure in compare(task, work)]
        found += fleet_costs(fleet, work)
        over_provisions = judgement(arguments, work) if arguments.tools else []
    if arguments.plots:
        plot(arguments.plots, found, over_provisions)
    return report(found, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
