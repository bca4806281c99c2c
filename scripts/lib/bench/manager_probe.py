# SPDX-License-Identifier: Apache-2.0
"""scripts/bench manager_probe: kill -9 of foreflowd, again and again, beside real traffic of real kernels.

Guests and clients in network namespaces (as in the demonstration), the dataplane between them on AF_PACKET. A guest sends
1,000 datagrams a second to a client; the longest time without one is measured while the manager lives and while it keeps
dying. What the sender itself was late is taken off. A second train runs at the same time over a veth pair with nothing in
between: what it waits for is the machine. With two CPUs or more the manager and the trains have the first one, the
dataplane's worker the second one for itself (--together: all of them all CPUs). --isolated: nothing else on the machine
takes the worker's CPU from it, by the class SCHED_FIFO; in earnest the CPU is isolated."""
import argparse
import json
import os
import pathlib
import random
import signal
import sys
import tempfile
import time

from bench.figures import Figure, report
from bench.veth import worker_threads
from demo.foreflow import ROOT, Foreflow
from demo.live import AF_PACKET
from demo.network import Network
from demo.processes import Failure, Processes, run
from demo.stores import SqliteStore
from demo.topology import DB, GUESTS

DEAD, ALIVE = (0.05, 0.4), (0.1, 0.6)
SEED = 20261125
PROBE = pathlib.Path(__file__).with_name("udp_probe.py")


CONTROL = ("control-from", "control-to")
CONTROL_NETWORK = "10.79.0."
OTHERS, WORKER = {0}, 1


def own_time(train, other):
    """The longest gap of a train after what overlaps with a gap of the other one is taken off, in ms."""
    gaps, others = train["long"] or [(0, 1e6 * train["longest_gap_ms"])], other["long"]

    def shared(gap):
        begin, end = gap[0], gap[0] + gap[1]
        return sum(max(0, min(end, other[0] + other[1]) - max(begin, other[0])) for other in others)
    return max(gap[1] - shared(gap) for gap in gaps) / 1e6


class Stage:
    def __init__(self, folder, processes, binaries, apart, isolated):
        self.folder, self.processes, self.binaries = folder, processes, binaries
        self.apart, self.isolated = apart, isolated
        self.network = Network(processes)
        self.memory = folder / "eswitch"
        names = ["uplink", *(guest.port for guest in GUESTS)]
        devices = {name: AF_PACKET.format(number=number, interface=name) for number, name in enumerate(names)}
        self.foreflow = Foreflow(processes, folder, binaries, lambda command: self.network.inside("fabric", command),
                                 SqliteStore(folder), devices, workers=1 if apart else 2,
                                 eswitch=f",memory={self.memory}")

    def start(self):
        self.network.create()
        self._add_control()
        self.foreflow.prepare()
        if self.apart:
            config = self.folder / "dataplane.toml"
            config.write_text(f"cpus = [{min(OTHERS)}, {WORKER}]\n{config.read_text()}")
        self.foreflow.start_manager()
        self._keep_away("foreflowd")
        self.foreflow.start_dataplane()
        self.foreflow.wait_connected()
        if self.isolated:
            workers = worker_threads(self.processes.running["dataplane"].pid)
            for thread in workers:
                os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(1))
            if not workers:
                raise Failure("the dataplane has no worker")

    def rule_writes(self):
        return json.loads(run([self.binaries / "eswitch_memory", self.memory]).stdout)["rule_writes"]

    def probe(self, seconds, meanwhile):
        """What the receivers of both trains say, the dataplane's and the control's, of `seconds` with `meanwhile()`."""
        trains = {"": (DB.name, f"client-{DB.name}", DB.client_address), "control-": (*CONTROL, CONTROL_NETWORK + "2")}
        for train, (_, to, _) in trains.items():
            self.processes.log(f"{train}receiver").unlink(missing_ok=True)
            self._python(f"{train}receiver", to, "receive", seconds)
        time.sleep(0.5)
        for train, (sender, _, address) in trains.items():
            self._python(f"{train}sender", sender, "send", address, seconds)
        meanwhile()
        return [self._said(f"{train}receiver", seconds + 30) for train in trains]

    def _python(self, name, role, *words):
        self.processes.start(name, self.network.inside(role, ["/usr/bin/python3", PROBE, *words]))
        self._keep_away(name)

    def _said(self, name, seconds):
        self.processes.running[name].wait(seconds)
        return json.loads(self.processes.log(name).read_text().splitlines()[-1])

    def _keep_away(self, name):
        """Off the worker's CPU; what the process starts and becomes stays there."""
        if self.apart:
            os.sched_setaffinity(self.processes.running[name].pid, OTHERS)

    def _add_control(self):
        sender, receiver = CONTROL
        for role in CONTROL:
            self.network.add_space(role)
        self.network.ip(sender, "link", "add", "name", "eth0", "type", "veth", "peer", "name", "eth0", "netns",
                        self.network.space(receiver))
        for number, role in enumerate(CONTROL, 1):
            self.network.ip(role, "address", "add", f"{CONTROL_NETWORK}{number}/24", "dev", "eth0")
            self.network.ip(role, "link", "set", "dev", "eth0", "up")

    def kill_again_and_again(self, kills):
        chance = random.Random(SEED)
        for death in range(kills):
            time.sleep(chance.uniform(*ALIVE))
            process = self.processes.running.pop("foreflowd")
            process.send_signal(signal.SIGKILL)
            process.wait()
            time.sleep(chance.uniform(*DEAD))
            self.foreflow.launch_manager()
            self._keep_away("foreflowd")
            print(f"\rbench: {death + 1} of {kills} deaths", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)


def figures(stage, kills):
    stage.start()
    seconds = kills * (sum(DEAD) + sum(ALIVE)) / 2 + 5
    calm, calm_control = stage.probe(min(seconds, 20), lambda: None)
    before = stage.rule_writes()
    harsh, control = stage.probe(seconds, lambda: stage.kill_again_and_again(kills))
    stage.processes.require_alive("dataplane")
    yield Figure("longest gap while the manager lives", calm["longest_gap_ms"], "ms")
    yield Figure("the same without a dataplane", calm_control["longest_gap_ms"], "ms")
    yield Figure("longest gap while it dies", harsh["longest_gap_ms"], "ms", "fixed", 10, 1)
    yield Figure("the same without a dataplane, at the same time", control["longest_gap_ms"], "ms")
    yield Figure("gaps of 10 ms and more while it dies", sum(gap[1] >= 1e7 for gap in harsh["long"]), "")
    yield Figure("longest gap less what the other train waited meanwhile", own_time(harsh, control), "ms")
    yield Figure("datagrams lost while it dies", harsh["missing"], "", "fixed", 1, 0)
    yield Figure("rules written meanwhile", stage.rule_writes() - before, "", "fixed", 1, 0)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench manager_probe", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    parser.add_argument("--kills", type=int, default=100, help="deaths of the manager (default 100)")
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / "build/release/bin", help="folder of the programs")
    parser.add_argument("--together", action="store_true", help="no CPU is the worker's own")
    parser.add_argument("--isolated", action="store_true", help="nothing else takes the worker's CPU")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="foreflow-probe-") as name:
        processes = Processes(pathlib.Path(name))
        stage = Stage(pathlib.Path(name), processes, arguments.binaries,
                      not arguments.together and os.cpu_count() > 1, arguments.isolated)
        try:
            found = list(figures(stage, arguments.kills))
        except Failure as failure:
            print(f"bench: {failure}", file=sys.stderr)
            return 2
        finally:
            processes.stop_all()
            stage.network.destroy()
    return report(found, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
