# SPDX-License-Identifier: Apache-2.0
"""scripts/bench dataplane: cost per packet of foreflow-dataplane beside testpmd and Open vSwitch with DPDK.

Every program replays the same capture for ever (net_pcap, bursts of 32) with the same preloaded probe, its buffers in
huge pages; all stand still but the one whose turn it is. Needs root for the huge pages, which it gives back."""
import argparse
import pathlib
import signal
import sys
import tempfile

from bench import forwarders, traffic
from bench.figures import Figure, report
from bench.forwarders import Foreflow, OpenVSwitch, Testpmd
from bench.huge_pages import huge_pages
from bench.measure import interleaved
from demo.foreflow import ROOT
from demo.processes import Failure, Processes, run

UNIT = "ns/packet"
MODES = ("io", "macswap", "5tswap", "csum")
MANY = 4096  # variations of 256 flows: 1,048,576 flows
LIMIT = (125_000_000, 1_250_000_000)  # 1 Gbit/s guaranteed, 10 Gbit/s at most: nothing is dropped
CONVERSATIONS = 48  # flows of tests/bench/dataplane/conversations.cc; two say nothing that is known
COLUMNS = ("file", "proto", "ip_a", "port_a", "ip_b", "port_b", "protocol")
FAST_METER = "meter={},kbps,burst,band=type=drop,rate=10000000,burst_size=8000000"


class Bench:
    """What all forwarders of a run share."""

    def __init__(self, folder, processes):
        self.folder, self.processes = folder, processes
        self.binaries = ROOT / "build/release/bin"
        self.library = ROOT / "build/release/tests/bench/libbench_probe.so"
        self.certificates = folder / "certs"
        run([ROOT / "scripts/dev-certs", self.certificates, "--dataplane", "bench"])

    def capture(self, name, sizes, **chosen):
        path = self.folder / f"{name}.pcap"
        traffic.write_capture(path, sizes, **chosen)
        return path

    def compare(self, rounds, *subjects):
        """Starts them all, measures them in turn, stops them."""
        print(f"bench: {', '.join(subject.name for subject in subjects)}", file=sys.stderr, flush=True)
        started = []
        try:
            for subject in subjects:
                subject.start()
                started.append(subject)
                subject.settle()
                subject.check()
                subject.pause()
            return interleaved(subjects, rounds)
        finally:
            for subject in started:
                subject.stop()


def figure(series, name, peer, bar=None, label=None):
    return Figure(label or name, series[name].median, UNIT, peer, series[peer].median, bar, series[name].spread)


def alone(series, name):
    return Figure(name, series[name].median, UNIT, spread=series[name].spread)


def counting(bench, rounds, name, sizes, bars):
    capture = bench.capture(name, sizes)
    ours, ovs = f"count + forward, {name}", f"OVS in_port, {name}"
    series = bench.compare(rounds, *(Testpmd(mode, bench, capture) for mode in MODES),
                           OpenVSwitch(ovs, bench, capture, forwarders.in_port_rule()), Foreflow(ours, bench, capture))
    return [figure(series, ours, "testpmd macswap", bars[0]), figure(series, ours, ovs, bars[1]),
            *(alone(series, f"testpmd {mode}") for mode in MODES)]


def policing(bench, rounds):
    capture = bench.capture("flows", traffic.MIX)
    ours = "flow + police + verdict, 256 flows"
    exact, metered = "OVS exact 5-tuple, 256 flows", "OVS exact 5-tuple + meters"
    meters = [FAST_METER.format(vm + 1) for vm in range(traffic.VMS)]
    series = bench.compare(
        rounds, Foreflow(ours, bench, capture, flows=65536, classify=True, limit=LIMIT),
        OpenVSwitch(exact, bench, capture, forwarders.five_tuple_rules()),
        OpenVSwitch(metered, bench, capture, forwarders.five_tuple_rules("meter:{vm},IN_PORT"), meters))
    return [figure(series, ours, exact, 1 / 2.4), figure(series, ours, metered)]


def many_flows(bench, rounds):
    capture = bench.capture("many", traffic.MIX)
    few, many, ovs = "the same, 256 flows drawn", "the same, 1 M flows", "OVS exact 5-tuple, 1 M flows"
    # Two records per flow: one of the sender, one of the receiver.
    ours = [Foreflow(name, bench, capture, flows=1 << 22, classify=True, limit=LIMIT, variations=variations)
            for name, variations in ((few, 1), (many, MANY))]
    series = bench.compare(rounds, *ours,
                           OpenVSwitch(ovs, bench, capture, forwarders.any_five_tuple_rule(), variations=MANY))
    return [figure(series, many, few, 1.8), figure(series, many, ovs, 1 / 2.5)]


def two_workers(bench, rounds):
    whole = bench.capture("whole", traffic.MIX)
    halves = [bench.capture(f"half{rest}", traffic.MIX, chosen=lambda flow, rest=rest: flow % 2 == rest)
              for rest in (0, 1)]
    one, two = "1 worker", "2 workers, each fed its own VMs"
    series = bench.compare(rounds, *(Foreflow(name, bench, *captures, flows=65536, classify=True, limit=LIMIT)
                                     for name, captures in ((one, [whole]), (two, halves))))
    # With a processor each, n workers pass n / cost packets per second.
    return [Figure(two, 2 / series[two].median * 1000, "Mpps", one, 1 / series[one].median * 1000, 1.8,
                   series[two].spread, at_least=True)]


def classifying(bench, rounds):
    """Whole flows of 20 packets, each new: what it costs to name them."""
    capture = bench.folder / "conversations.pcap"
    run([bench.binaries / "bench_conversations", capture])
    named = bench.folder / "named.tsv"
    run([bench.binaries / "foreflow-classify", capture, "--signatures", ROOT / "configs/signatures", "--no-port-hints",
         "-o", named])
    rows = [dict(zip(COLUMNS, line.split("\t"))) for line in named.read_text().splitlines()[1:]]
    known = sum(row["protocol"] != "unknown" for row in rows)
    if (len(rows), known) != (CONVERSATIONS, CONVERSATIONS - 2):
        raise Failure(f"foreflow-classify names {known} of {len(rows)} flows of the capture; "
                      f"expected {CONVERSATIONS - 2} of {CONVERSATIONS}")
    on, off = "20-packet flows, classified", "the same, not classified"
    series = bench.compare(rounds, *(Foreflow(name, bench, capture, flows=1 << 19, classify=classify, limit=LIMIT,
                                              variations=MANY, packets_per_pass=20 * CONVERSATIONS)
                                     for name, classify in ((on, True), (off, False))))
    return [figure(series, on, off, 1.25)]


CASES = {
    "mix": lambda bench, rounds: counting(bench, rounds, "mix", traffic.MIX, (1.35, 1 / 2)),
    "small": lambda bench, rounds: counting(bench, rounds, "64 B", traffic.SMALL, (None, None)),
    "police": policing,
    "many": many_flows,
    "workers": two_workers,
    "classify": classifying,
}


def end_as_exception(number, _frame):
    """What was started is stopped and the huge pages are given back on the way out."""
    raise SystemExit(128 + number)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench dataplane", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each program (default 5)")
    parser.add_argument("--case", action="append", choices=CASES, help="only this one; may be repeated")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_as_exception)
    figures, failed = [], False
    with tempfile.TemporaryDirectory(prefix="foreflow-bench-") as name:
        folder = pathlib.Path(name)
        processes = Processes(folder)
        try:
            forwarders.require_programs()
            bench = Bench(folder, processes)
            with huge_pages():
                for case in arguments.case or CASES:
                    try:
                        figures += CASES[case](bench, arguments.rounds)
                    except Failure as failure:  # the other cases still have something to say
                        failed = True
                        print(f"bench: {case}: {failure}", file=sys.stderr)
                    processes.stop_all()
        except Failure as failure:
            failed = True
            print(f"bench: {failure}", file=sys.stderr)
        finally:
            processes.stop_all()
            status = report(figures, arguments.json) if figures else 0
    return 2 if failed else status


if __name__ == "__main__":
    sys.exit(main())
