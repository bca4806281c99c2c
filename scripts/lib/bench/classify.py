# SPDX-License-Identifier: Apache-2.0
"""scripts/bench classify [--data DIR]: foreflow-classify against ndpiReader on the same merged capture, in turn.

The capture is made from the captures below DIR, or of generated conversations, with addresses changed in each copy so
that all flows stay apart. Processor time is user and system time of the whole program on one thread, and memory its peak,
both without what the same program needs for an empty capture; reading the file and keeping the flows are in them. A
scanned packet is one that an engine was shown (ndpiReader's "DPI Packets", our column packets_inspected)."""
import argparse
import csv
import multiprocessing
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass

from bench import merged_capture
from bench.figures import Figure, report
from demo.foreflow import ROOT

BINARY = ROOT / "build/release/bin/foreflow-classify"
PEER = "ndpiReader"
PACKETS = 1_000_000  # of the merged capture, about
LEAST_RATIO = 5


@dataclass
class Usage:
    seconds: float  # of processor time
    peak_bytes: int


def usage_of(command):
    """Of one run that must succeed."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"bench classify: {command[0]} failed: {said.strip()}")
    return Usage(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


class Subject:
    def __init__(self, name, command, empty):
        """`command(capture)`: the arguments."""
        self.name, self.command = name, command
        starts = [usage_of(command(empty)) for _ in range(4)][1:]  # the first one compiles the patterns
        self.start = Usage(statistics.median(start.seconds for start in starts), starts[0].peak_bytes)
        self.rounds, self.peak_bytes = [], 0

    def run(self, capture):
        used = usage_of(self.command(capture))
        self.rounds.append(used.seconds - self.start.seconds)
        self.peak_bytes = used.peak_bytes - self.start.peak_bytes

    @property
    def seconds(self):
        return statistics.median(self.rounds)

    @property
    def spread(self):
        return (max(self.rounds) - min(self.rounds)) / self.seconds


def cycles_per_second():
    """Of the time stamp counter, which ticks at a fixed rate."""
    found = re.search(r"cpu MHz\s*:\s*([\d.]+)", pathlib.Path("/proc/cpuinfo").read_text())
    return float(found[1]) * 1e6 if found else 0.0


def peer_counts(capture):
    """(scanned packets, flows) as ndpiReader tells them."""
    said = subprocess.run([PEER, "-i", capture], check=True, stdout=subprocess.PIPE, text=True, errors="replace").stdout
    scanned = sum(int(count) for count in re.findall(r"DPI Packets \(\w+\):\s+(\d+)", said))
    return scanned, int(re.search(r"Unique flows:\s+(\d+)", said)[1])


def own_counts(predictions):
    with open(predictions, newline="") as file:
        scanned = [int(row["packets_inspected"]) for row in csv.DictReader(file, delimiter="\t")]
    return sum(scanned), len(scanned)


def figures_of(ours, peer, packets, size, own, other):
    rate = [packets / subject.seconds / 1e6 for subject in (ours, peer)]
    yield Figure("packets per CPU-second", rate[0], "M", PEER, rate[1], LEAST_RATIO, ours.spread, at_least=True)
    bits = [size * 8 / subject.seconds / 1e9 for subject in (ours, peer)]
    yield Figure("traffic per CPU-second", bits[0], "Gbit/s", PEER, bits[1], spread=ours.spread)
    per_second = cycles_per_second()
    yield Figure("cycles per scanned packet, all included", ours.seconds * per_second / own[0], "cycles", PEER,
                 peer.seconds * per_second / other[0], spread=ours.spread)
    yield Figure("packets scanned per flow", own[0] / own[1], "packets", PEER, other[0] / other[1])
    yield Figure("peak memory per flow", ours.peak_bytes / own[1], "bytes", PEER, peer.peak_bytes / other[1])


def make_capture(data, merged):
    """(packets, bytes on the wire) of the capture that is written."""
    captures = list(merged_capture.captures_of(data) if data else merged_capture.generated())
    if not captures:
        raise SystemExit(f"bench classify: no Ethernet capture (*.pcap) below {data}")
    return merged_capture.write(merged, captures, max(1, round(PACKETS / sum(map(len, captures)))))


def measure(arguments, folder):
    merged, empty, predictions = folder / "merged.pcap", folder / "empty.pcap", folder / "predictions.tsv"
    # Elsewhere, since the peak of a program that is started counts what its parent held.
    with multiprocessing.Pool(1) as elsewhere:
        packets, size = elsewhere.apply(make_capture, (arguments.data, merged))
    merged_capture.write(empty, [], 0)
    print(f"{packets} packets, {size / 1e6:.0f} MB on the wire")

    def command(capture):
        return [BINARY, "--signatures", ROOT / "configs/signatures", "--cache", folder, "-o", predictions, capture]

    subjects = [Subject("foreflow-classify", command, empty), Subject(PEER, lambda file: [PEER, "-q", "-i", file], empty)]
    for _ in range(arguments.rounds):
        for subject in subjects:
            subject.run(merged)
    return figures_of(*subjects, packets, size, own_counts(predictions), peer_counts(merged))


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench classify", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, help="a folder of captures; without it, generated conversations")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each program (default 5)")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="foreflow-bench-") as folder:
        return report(list(measure(arguments, pathlib.Path(folder))), arguments.json)


if __name__ == "__main__":
    sys.exit(main())
