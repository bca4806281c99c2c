# SPDX-License-Identifier: Apache-2.0
"""scripts/bench manager_probe: kill -9 of foreflowd, again and again, beside real traffic of real kernels.

Guests and clients in network namespaces (as in the demonstration), the dataplane between them on AF_PACKET. A guest sends
1,000 datagrams a second to a client; the longest time without one is measured while the manager lives and while it keeps
dying. What the sender itself was late is taken off."""
import argparse
import json
import pathlib
import random
import signal
import sys
import tempfile
import time

from bench.figures import Figure, report
from demo.foreflow import ROOT, Foreflow
from demo.live import AF_PACKET
from demo.network import Network
from demo.processes import Failure, Processes, run
from demo.stores import SqliteStore
from demo.topology import DB, GUESTS

DEAD, ALIVE = (0.05, 0.4), (0.1, 0.6)
SEED = 20261125
PROBE = pathlib.Path(__file__).with_name("udp_probe.py")


class Stage:
    def __init__(self, folder, processes, binaries):
        self.folder, self.processes, self.binaries = folder, processes, binaries
        self.network = Network(processes)
        self.memory = folder / "eswitch"
        names = ["uplink", *(guest.port for guest in GUESTS)]
        devices = {name: AF_PACKET.format(number=number, interface=name) for number, name in enumerate(names)}
        self.foreflow = Foreflow(processes, folder, binaries, lambda command: self.network.inside("fabric", command),
                                 SqliteStore(folder), devices, eswitch=f",memory={self.memory}")

    def start(self):
        self.network.create()
        self.foreflow.prepare()
        self.foreflow.start_manager()
        self.foreflow.start_dataplane()
        self.foreflow.wait_connected()

    def rule_writes(self):
        return json.loads(run([self.binaries / "eswitch_memory", self.memory]).stdout)["rule_writes"]

    def probe(self, seconds, meanwhile):
        """What the receiver says of a train of `seconds`, during which `meanwhile()` runs."""
        log = self.processes.log("receiver")
        log.unlink(missing_ok=True)
        receiver = self.processes.start("receiver", self.network.inside(
            f"client-{DB.name}", ["/usr/bin/python3", PROBE, "receive", seconds]))
        time.sleep(0.5)
        self.processes.start("sender", self.network.inside(
            DB.name, ["/usr/bin/python3", PROBE, "send", DB.client_address, seconds]))
        meanwhile()
        receiver.wait(seconds + 30)
        return json.loads(log.read_text().splitlines()[-1])

    def kill_again_and_again(self, kills):
        chance = random.Random(SEED)
        for death in range(kills):
            time.sleep(chance.uniform(*ALIVE))
            process = self.processes.running.pop("foreflowd")
            process.send_signal(signal.SIGKILL)
            process.wait()
            time.sleep(chance.uniform(*DEAD))
            self.foreflow.launch_manager()
            print(f"\rbench: {death + 1} of {kills} deaths", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)


def figures(stage, kills):
    stage.start()
    seconds = kills * (sum(DEAD) + sum(ALIVE)) / 2 + 5
    calm = stage.probe(min(seconds, 20), lambda: None)
    before = stage.rule_writes()
    harsh = stage.probe(seconds, lambda: stage.kill_again_and_again(kills))
    stage.processes.require_alive("dataplane")
    yield Figure("longest gap while the manager lives", calm["longest_gap_ms"], "ms")
    yield Figure("longest gap while it dies", harsh["longest_gap_ms"], "ms", "fixed", 10, 1)
    yield Figure("datagrams lost while it dies", harsh["missing"], "", "fixed", 1, 0)
    yield Figure("rules written meanwhile", stage.rule_writes() - before, "", "fixed", 1, 0)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench manager_probe", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    parser.add_argument("--kills", type=int, default=100, help="deaths of the manager (default 100)")
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / "build/release/bin", help="folder of the programs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="foreflow-probe-") as name:
        processes = Processes(pathlib.Path(name))
        stage = Stage(pathlib.Path(name), processes, arguments.binaries)
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
