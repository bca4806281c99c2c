# SPDX-License-Identifier: Apache-2.0
"""scripts/bench crash: kill -9 of the dataplane under load, its manager away, on emulated devices of two kinds.

Each life forwards an endless capture as fast as it can, with two hardware meters per VM from the last desired state on
disk. After each death what the device holds is looked at from outside: a device of the profile mlx5 has lost all, a
sticky one still has every rule and meter, as strays. After each start the same rules and meters must be there as before,
none of them a stray."""
import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

from bench import traffic
from bench.figures import Figure, report
from bench.forwarders import CONFIG, endless
from demo.foreflow import ROOT
from demo.processes import Failure, Processes, run

METERS = 2 * traffic.VMS
LIMIT = (12_500_000, 25_000_000)  # bytes/s; the load is far above
PROFILES = ("mlx5", "sticky")
LIFE = (0.02, 0.2)  # seconds under load before the next death
SEED = 20261125


class Dataplane:
    def __init__(self, binaries, folder, processes, profile):
        self.binaries, self.folder, self.processes, self.profile = binaries, folder, processes, profile
        self.memory = folder / "eswitch"
        self.process = None
        folder.mkdir()
        certificates = folder / "certs"
        run([ROOT / "scripts/dev-certs", certificates, "--dataplane", "bench"])
        capture = folder / "load.pcap"
        traffic.write_capture(capture, traffic.MIX)
        self.config = folder / "dataplane.toml"
        self.config.write_text(CONFIG.format(
            identity=f"{folder.parent.name}-{profile}"[-40:], folder=folder, workers=1, cpus=[0, 1],
            eal="hugepages = false\nmemory_mb = 256", flows=65536, most=65536, certificates=certificates, signatures="", device=endless(0, capture)))
        run([binaries / "bench_desired_state", "--out", folder / "desired-state", "--port", "vms", "--vms", traffic.VMS,
             "--cir", LIMIT[0], "--pir", LIMIT[1], "--hardware"])

    def start(self, expected=None):
        """Returns the seconds from exec until the device holds what is expected (None: all meters) and no strays."""
        began = time.monotonic()
        self.process = self.processes.start(
            "dataplane", [self.binaries / "foreflow-dataplane-emulated", "--config", self.config],
            env={**os.environ, "XDG_RUNTIME_DIR": str(self.folder),
                 "FOREFLOW_ESWITCH": f"profile={self.profile},memory={self.memory}"})
        while True:
            held = self.held() if self.memory.exists() else None
            if held and held["strays"] == 0 and (held == expected or not expected and held["meters"] == METERS):
                return time.monotonic() - began
            self.processes.require_alive("dataplane")
            if time.monotonic() - began > 30:
                raise Failure(f"the device holds {held} 30 s after the start")

    def held(self):
        found = subprocess.run([self.binaries / "eswitch_memory", self.memory], capture_output=True, text=True)
        if found.returncode != 0:
            return None
        shown = json.loads(found.stdout)
        return {name: shown[name] for name in ("rules", "meters", "strays", "committed")}

    def kill(self):
        """The dataplane itself: setpriv has become it."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Tally:
    def __init__(self):
        self.recoveries, self.strays_seen, self.strays_left = [], 0, 0


def die_again_and_again(dataplane, kills):
    chance, tally = random.Random(SEED), Tally()
    dataplane.start()
    time.sleep(0.5)  # the rules follow their meters
    first = dataplane.held()
    for life in range(kills):
        time.sleep(chance.uniform(*LIFE))
        dataplane.kill()
        dead = dataplane.held()
        tally.strays_seen += dead["strays"] >= dead["meters"] == METERS
        tally.strays_left += dead["strays"] if dataplane.profile == "mlx5" else 0
        tally.recoveries.append(dataplane.start(first))
        tally.strays_left += dataplane.held()["strays"]
        print(f"\rbench: {dataplane.profile}: {life + 1} of {kills} deaths", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    dataplane.processes.stop("dataplane")
    return tally


def figures(profile, kills, tally):
    yield Figure(f"{profile}: slowest of {kills} full recoveries", max(tally.recoveries), "s", "fixed", 1, 1)
    if profile == "sticky":
        yield Figure(f"{profile}: deaths whose strays were seen", tally.strays_seen, "", "deaths", kills, 1, at_least=True)
    yield Figure(f"{profile}: strays that remained", tally.strays_left, "", "fixed", 1, 0)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench crash", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    parser.add_argument("--kills", type=int, default=100, help="deaths on each kind of device (default 100)")
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / "build/release/bin", help="folder of the programs")
    arguments = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory(prefix="foreflow-crash-") as name:
        folder = pathlib.Path(name)
        processes = Processes(folder)
        try:
            for profile in PROFILES:
                dataplane = Dataplane(arguments.binaries, folder / profile, processes, profile)
                found += figures(profile, arguments.kills, die_again_and_again(dataplane, arguments.kills))
        except Failure as failure:
            print(f"bench: {failure}", file=sys.stderr)
            return 2
        finally:
            processes.stop_all()
    return report(found, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
