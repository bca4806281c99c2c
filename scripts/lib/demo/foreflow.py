# SPDX-License-Identifier: Apache-2.0
"""Foreflow itself as an operator runs it: certificates, configurations, the two daemons and the command line."""
import json
import os
import pathlib

from demo.processes import Failure, free_address, run, wait_until
from demo.topology import DATAPLANE, DB, DB_GUARANTEE, GUESTS, UPLINK_CAPACITY

ROOT = pathlib.Path(__file__).resolve().parents[3]
DATAPLANE_CONFIG = """id = "{dataplane}"
state_dir = "{folder}/dataplane"
workers = {workers}
signatures = "{root}/configs/signatures"

[clock]
source = "{clock}"

[eal]
hugepages = false
memory_mb = 256

[manager]
address = "{link}"
server_name = "foreflowd"
ca = "{folder}/certs/ca.crt"
certificate = "{folder}/certs/{dataplane}.crt"
key = "{folder}/certs/{dataplane}.key"
"""

MANAGER_CONFIG = """state_dir = "{folder}/manager"
mode = "{mode}"

[link]
listen = "{link}"
ca = "{folder}/certs/ca.crt"
certificate = "{folder}/certs/foreflowd.crt"
key = "{folder}/certs/foreflowd.key"

[api]
listen = "{api}"
operators = ["operator"]

[store]
{store}

# Minutes instead of days, so that a forecast can be watched.
[forecast]
interval = "2s"
horizon = "1m"
season = "20s"
history = "1h"

[allocation]
period = "2s"
hold = "10s"

[[tier]]
name = "gold"
priority = 0
quantile = 0.99

[[tier]]
name = "standard"
priority = 1
quantile = 0.95

[[dataplane]]
name = "{dataplane}"
host = "demo"
uplinks = [{{port = "uplink", capacity = "{capacity}"}}]
"""

VM_CONFIG = """
[[vm]]
name = "{guest.name}"
dataplane = "{dataplane}"
attachments = [{{port = "{guest.port}", mac = "{guest.mac}"}}]
tier = "{tier}"
guarantee = {{egress = "{guarantee}"}}
"""


def port_section(name, device, role):
    return f'\n[[port]]\nname = "{name}"\ndevice = "{device}"\nrole = "{role}"\n'


class Foreflow:
    """`inside` turns a command into one that runs where the daemons run; `devices` maps port name to EAL device."""

    def __init__(self, processes, folder, binaries, inside, store, devices, clock="wall", workers=2,
                 eswitch=""):
        self.processes, self.folder, self.binaries, self.inside = processes, folder, binaries, inside
        self.store, self.devices, self.clock, self.workers = store, devices, clock, workers
        self.eswitch = eswitch  # further settings of the emulated device
        self.certificates = folder / "certs"
        self.link, self.api = free_address(), free_address()

    def prepare(self):
        run([ROOT / "scripts/dev-certs", self.certificates, "--manager", "foreflowd", "--dataplane", DATAPLANE,
             "--operator", "operator"])
        (self.folder / "dataplane").mkdir()
        text = DATAPLANE_CONFIG.format(dataplane=DATAPLANE, folder=self.folder, root=ROOT, link=self.link, clock=self.clock,
                                       workers=self.workers)
        for name, device in self.devices.items():
            text += port_section(name, device, "uplink" if name == "uplink" else "vm")
        (self.folder / "dataplane.toml").write_text(text)
        for program, file in (("foreflow-dataplane-emulated", "dataplane.toml"), ("foreflowd", self._manager_file())):
            # Compiling all signatures takes several seconds of a processor, which may have other work.
            run([self.binaries / program, "--check", "--config", self.folder / file], seconds=120)

    def _manager_file(self, mode="enforce"):
        text = MANAGER_CONFIG.format(dataplane=DATAPLANE, folder=self.folder, mode=mode, link=self.link, api=self.api,
                                     store=self.store.section, capacity=UPLINK_CAPACITY)
        for guest in GUESTS:
            text += VM_CONFIG.format(guest=guest, dataplane=DATAPLANE, tier="gold" if guest is DB else "standard",
                                     guarantee=DB_GUARANTEE if guest is DB else 0)
        path = self.folder / "foreflowd.toml"
        path.write_text(text)
        return path

    def start_manager(self, mode="enforce"):
        (self.folder / "manager").mkdir(exist_ok=True)
        self.launch_manager(mode)
        wait_until(lambda: self._answers("foreflowd"), "foreflowd answers", 20)

    def launch_manager(self, mode="enforce"):
        self._start("foreflowd", ["foreflowd", "--config", self._manager_file(mode)])

    def _answers(self, program):
        self.processes.require_alive(program)
        return self.command("vm", "list", check=False).returncode == 0

    def start_dataplane(self):
        self._start("dataplane", ["foreflow-dataplane-emulated", "--config", self.folder / "dataplane.toml"])
        if os.geteuid() == 0:
            # A poll thread has a processor of its own in earnest; here it shares with everything it serves.
            os.setpriority(os.PRIO_PROCESS, self.processes.running["dataplane"].pid, -10)

    def wait_connected(self, seconds=60):
        def connected():
            for program in ("dataplane", "foreflowd"):
                self.processes.require_alive(program)
            shown = self.dataplane()
            return shown["connected"] and shown["applied_generation"] == shown["desired_generation"] > 0
        wait_until(connected, "the dataplane is connected and has applied the desired state", seconds, 0.3)

    def _start(self, name, command):
        program, *arguments = command
        # EAL keeps its files below XDG_RUNTIME_DIR; the emulated eSwitch reads its settings from the environment.
        eswitch = ("clock=rx_timestamp" if self.clock == "capture" else "clock=tsc") + self.eswitch
        self.processes.start(name, self.inside(["env", f"XDG_RUNTIME_DIR={self.folder}", f"FOREFLOW_ESWITCH={eswitch}",
                                                self.binaries / program, *arguments]))

    # ---- the command line ----------------------------------------------------------------------------------------

    def command_words(self, *words):
        return ["env", f"FOREFLOW_MANAGER={self.api}", f"FOREFLOW_CERTS={self.certificates}", self.binaries / "foreflow",
                *words]

    def command(self, *words, check=True):
        return run(self.inside(self.command_words(*words)), check=check)

    def show(self, *words):
        """Prints a command as an operator would type it, and what it answers."""
        print(f"\n$ foreflow {' '.join(words)}\n{self.command(*words).stdout.rstrip()}", flush=True)

    def json(self, *words):
        text = self.command(*words, "-o", "json").stdout
        try:
            return json.loads(text)
        except ValueError:
            raise Failure(f"'foreflow {' '.join(words)} -o json' gave no JSON: {text[:200]}") from None

    def dataplane(self):
        return self.json("dataplane", "show", DATAPLANE)
