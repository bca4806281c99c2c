# SPDX-License-Identifier: Apache-2.0
"""scripts/bench decision: from the manager's decision to the last meter in the device, 1,000 VMs on 31 ports.

Manager and dataplane are real processes that speak mutual TLS on loopback; the device is the emulated eSwitch. Each
decision comes from a policy that moves the caps of all VMs, so that 2,000 meters change. It begins when the manager's
cycle does (the time that `foreflow explain` shows), and ends with the last write to the device, whose memory notes the
time. Reports, ports that are polled and the store go on meanwhile."""
import argparse
import pathlib
import statistics
import sys
import tempfile
import time

from bench.figures import Figure, report
from bench.pod import Box, Pod, Vm
from demo.foreflow import ROOT
from demo.processes import Failure, Processes, wait_until

DATAPLANE = "dpu0"
PORTS, PER_TENANT = 31, 10  # a tenant's VLAN reaches over two ports
PAUSE = 0.5  # seconds from a decision to the first look at what came of it
BAR_MS = 100
POLICY = '[[vm]]\nname = "*"\ncap = "{cap}"\n'
CAPS = ("40M", "60M")
SETTINGS = """
[allocation]
period = "10m"
"""


def fleet(count):
    for number in range(count):
        tenant = number // PER_TENANT
        yield Vm(f"vm{number}", f"p{(tenant + number % 2) % PORTS}", f"52:54:00:00:{number >> 8:02x}:{number & 0xFF:02x}",
                 1 + tenant, "5M")


class Decisions:
    def __init__(self, pod):
        self.pod = pod
        for cap in CAPS:
            (pod.folder / f"{cap}.toml").write_text(POLICY.format(cap=cap))
        self.generation = 0

    def start(self, vms):
        self.pod.prepare()
        self.pod.start_manager()
        self.pod.start_dataplanes()
        wait_until(lambda: self.pod.settled(DATAPLANE) and self.pod.device(DATAPLANE)["meters"] == 2 * vms,
                   f"the device holds the meters of {vms} VMs", 60)
        wait_until(lambda: self.pod.json("dataplane", "show", DATAPLANE).get("reports", 1), "a report", 10)
        self.generation = self.pod.settled(DATAPLANE)

    def next(self, cap):
        """Milliseconds from the beginning of the decision, and from the operator's command, to the last meter."""
        asked = time.time_ns()
        self.pod.command("policy", "apply", self.pod.folder / f"{cap}.toml", "--comment", "bench")
        time.sleep(PAUSE)  # asking would take a processor from those who are measured
        wait_until(lambda: self.pod.settled(DATAPLANE) > self.generation, "the dataplane has the new limits", 20)
        self.generation = self.pod.settled(DATAPLANE)
        installed = self.pod.device(DATAPLANE)["written_ns"]
        decided = int(self.pod.json("explain", "vm", "vm0")["time"])
        if not asked < decided < installed:
            raise Failure(f"asked at {asked}, decided at {decided}, installed at {installed}: out of order")
        return (installed - decided) / 1e6, (installed - asked) / 1e6


def measure(pod, arguments):
    decisions = Decisions(pod)
    decisions.start(arguments.vms)
    times = []
    for number in range(arguments.decisions + 1):
        times.append(decisions.next(CAPS[number % 2]))
        print(f"\rbench: {number} of {arguments.decisions} decisions", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return times[1:]  # the first also sets what no policy had said


def percentile(values, percent):
    """The smallest value that at least so many per cent do not exceed."""
    return sorted(values)[-(-len(values) * percent // 100) - 1]


def figures(times):
    decided, asked = zip(*times)
    yield Figure("decision to installed meters, p50", statistics.median(decided), "ms")
    yield Figure("decision to installed meters, p99", percentile(decided, 99), "ms", "fixed", BAR_MS, 1)
    yield Figure("operator's command to installed meters, p99", percentile(asked, 99), "ms")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench decision", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    parser.add_argument("--decisions", type=int, default=60, help="how many (default 60)")
    parser.add_argument("--vms", type=int, default=1000, help="how many (default 1,000)")
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / "build/release/bin", help="folder of the programs")
    arguments = parser.parse_args()
    devices = {name: f"net_null{number},no-rx=1" for number, name in enumerate(["uplink", *(f"p{i}" for i in range(PORTS))])}
    with tempfile.TemporaryDirectory(prefix="foreflow-decision-") as name:
        processes = Processes(name)
        pod = Pod(processes, pathlib.Path(name), arguments.binaries,
                  [Box(DATAPLANE, "100G", devices, list(fleet(arguments.vms)), memory_mb=768)], SETTINGS)
        try:
            found = list(figures(measure(pod, arguments)))
        except Failure as failure:
            print(f"bench: {failure}", file=sys.stderr)
            return 2
        finally:
            processes.stop_all()
    return report(found, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
