# SPDX-License-Identifier: Apache-2.0
"""scripts/bench manager_crash: kill -9 of foreflowd, again and again, while a dataplane forwards and reports to it.

Generated conversations of three guests are replayed in their own time (net_pcap) through the emulated eSwitch. Meanwhile
the manager dies and starts again; once the captures have ended, the store must hold each packet that was in them exactly
once, the dataplane's own books must balance, and no rule of the device may have been touched."""
import argparse
import json
import pathlib
import random
import signal
import sys
import tempfile
import time

from bench.figures import Figure, report
from demo import capture, traffic
from demo.foreflow import ROOT, Foreflow
from demo.processes import Failure, Processes, run, wait_until
from demo.stores import SqliteStore
from demo.topology import DATAPLANE, GUESTS, MEGA

QUIET = 4                # seconds before the guests talk
CYCLE = 0.6              # seconds of traffic for each death
DEAD, ALIVE = (0.02, 0.3), (0.02, 0.5)
RATE = 2 * MEGA          # bit/s of each guest, far below its share
SEED = 20261125
PCAP = "net_pcap{number},rx_pcap={folder}/{name}.pcap,tx_pcap={folder}/{name}-out.pcap"


class Stage:
    def __init__(self, folder, processes, binaries, seconds):
        self.folder, self.processes, self.binaries = folder, processes, binaries
        self.memory = folder / "eswitch"
        self.names = ["uplink", *(guest.port for guest in GUESTS)]
        self.base = float(int(time.time()))
        traffic.make_captures(folder, self.base, QUIET, QUIET + seconds, {guest: RATE for guest in GUESTS})
        devices = {name: PCAP.format(number=number, folder=folder, name=name) for number, name in enumerate(self.names)}
        self.store = SqliteStore(folder)
        self.foreflow = Foreflow(processes, folder, binaries, lambda command: command, self.store, devices,
                                 clock="capture", eswitch=f",memory={self.memory}")

    def start(self):
        self.foreflow.prepare()
        self.foreflow.start_manager()
        self.foreflow.start_dataplane()
        self.foreflow.wait_connected()

    def rule_writes(self):
        return json.loads(run([self.binaries / "eswitch_memory", self.memory]).stdout)["rule_writes"]

    def kill_manager(self):
        """The manager itself: setpriv and env have become it."""
        process = self.processes.running.pop("foreflowd")
        process.send_signal(signal.SIGKILL)
        process.wait()

    def packets_in_captures(self):
        return sum(1 for name in self.names for _ in capture.read(self.folder / f"{name}.pcap"))

    def stored(self):
        """Sums over all reports of the dataplane."""
        totals = {}
        for _, fields in self.store.series.points("dataplane", DATAPLANE, self.base - 60, self.base + 3600):
            for name, value in fields.items():
                totals[name] = totals.get(name, 0) + value
        return totals


def run_and_kill(stage, kills):
    chance = random.Random(SEED)
    stage.start()
    before = stage.rule_writes()
    for death in range(kills):
        time.sleep(chance.uniform(*ALIVE))
        stage.kill_manager()
        time.sleep(chance.uniform(*DEAD))
        stage.foreflow.launch_manager()
        print(f"\rbench: {death + 1} of {kills} deaths", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    stage.processes.require_alive("dataplane")
    after = stage.rule_writes()
    status = stage.processes.running["dataplane"].wait(120)
    if status != 0:
        raise Failure(f"the dataplane ended with status {status}:\n{stage.processes.tail('dataplane')}")
    return after - before


def figures(stage, writes):
    expected = stage.packets_in_captures()
    wait_until(lambda: stage.stored().get("rx_packets", 0) >= expected, "all packets are stored", 30, 0.5)
    totals = stage.stored()
    drops = sum(value for name, value in totals.items() if name.startswith("drop_"))
    balance = totals["rx_packets"] + totals["flood_copies"] - totals["tx_packets"] - drops
    yield Figure("packets in the store", totals["rx_packets"], "", "in the captures", expected, 1)
    yield Figure("rx + copies - tx - drops", balance, "packets", "fixed", 1, 0)
    yield Figure("rules written meanwhile", writes, "", "fixed", 1, 0)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench manager_crash", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    parser.add_argument("--kills", type=int, default=100, help="deaths of the manager (default 100)")
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / "build/release/bin", help="folder of the programs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="foreflow-crash-") as name:
        folder = pathlib.Path(name)
        processes = Processes(folder)
        try:
            stage = Stage(folder, processes, arguments.binaries, CYCLE * arguments.kills + 10)
            found = list(figures(stage, run_and_kill(stage, arguments.kills)))
        except Failure as failure:
            print(f"bench: {failure}", file=sys.stderr)
            return 2
        finally:
            processes.stop_all()
    return report(found, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
