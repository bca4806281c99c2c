# SPDX-License-Identifier: Apache-2.0
"""A manager and dataplanes on emulated eSwitches as real processes on loopback, each in a folder of its own."""
import json
import os
import signal
from dataclasses import dataclass, field

from demo.foreflow import ROOT
from demo.processes import Failure, free_address, run, wait_until

DATAPLANE_CONFIG = """id = "{box.name}"
state_dir = "{folder}"
workers = 1
signatures = ""
spool_size = "256MiB"

[clock]
source = "{box.clock}"
speed = {box.speed}

[eal]
hugepages = false
memory_mb = {box.memory_mb}

[manager]
address = "{link}"
server_name = "foreflowd"
ca = "{certificates}/ca.crt"
certificate = "{certificates}/{box.name}.crt"
key = "{certificates}/{box.name}.key"
"""
PORT = '\n[[port]]\nname = "{name}"\ndevice = "{device}"\nrole = "{role}"\n'

MANAGER_CONFIG = """state_dir = "{folder}"
mode = "enforce"

[link]
listen = "{link}"
ca = "{certificates}/ca.crt"
certificate = "{certificates}/foreflowd.crt"
key = "{certificates}/foreflowd.key"

[api]
listen = "{api}"
operators = ["operator"]

[store]
kind = "sqlite"
{settings}"""
BOX = '\n[[dataplane]]\nname = "{box.name}"\nuplinks = [{{port = "uplink", capacity = "{box.capacity}"}}]\n'
VM = """
[[vm]]
name = "{vm.name}"
dataplane = "{box.name}"
attachments = [{{port = "{vm.port}", mac = "{vm.mac}", segment = {vm.segment}}}]
guarantee = "{vm.guarantee}"
"""


@dataclass(frozen=True)
class Vm:
    name: str
    port: str
    mac: str
    segment: int = 0
    guarantee: str = "0"


@dataclass
class Box:
    """A dataplane. `devices`: EAL's device of each port, the port "uplink" among them."""
    name: str
    capacity: str
    devices: dict
    vms: list = field(default_factory=list)
    clock: str = "wall"
    speed: float = 1.0
    memory_mb: int = 256


class Pod:
    """`settings`: further sections of the manager's configuration."""

    def __init__(self, processes, folder, binaries, boxes, settings):
        self.processes, self.folder, self.binaries, self.settings = processes, folder, binaries, settings
        self.boxes = {box.name: box for box in boxes}
        self.certificates, self.manager = folder / "certs", folder / "manager"
        self.link, self.api = free_address(), free_address()

    def prepare(self):
        names = [word for name in self.boxes for word in ("--dataplane", name)]
        run([ROOT / "scripts/dev-certs", self.certificates, "--manager", "foreflowd", "--operator", "operator", *names])
        self.manager.mkdir()
        text = MANAGER_CONFIG.format(folder=self.manager, link=self.link, api=self.api, certificates=self.certificates,
                                     settings=self.settings)
        for box in self.boxes.values():
            text += BOX.format(box=box) + "".join(VM.format(box=box, vm=vm) for vm in box.vms)
            self._write_dataplane(box)
        (self.folder / "foreflowd.toml").write_text(text)

    def _write_dataplane(self, box):
        folder = self.folder / box.name
        folder.mkdir()
        text = DATAPLANE_CONFIG.format(box=box, folder=folder, link=self.link, certificates=self.certificates)
        for name, device in box.devices.items():
            text += PORT.format(name=name, device=device, role="uplink" if name == "uplink" else "vm")
        (folder / "dataplane.toml").write_text(text)

    def start_manager(self):
        self.processes.start("foreflowd", [self.binaries / "foreflowd", "--config", self.folder / "foreflowd.toml"])
        wait_until(self._answers, "foreflowd answers", 30)

    def _answers(self):
        self.processes.require_alive("foreflowd")
        return self.command("dataplane", "list", check=False).returncode == 0

    def kill_manager(self):
        """The manager itself: setpriv has become it."""
        process = self.processes.running.pop("foreflowd")
        process.send_signal(signal.SIGKILL)
        process.wait()

    def start_dataplanes(self):
        for box in self.boxes.values():
            clock = "rx_timestamp" if box.clock == "capture" else "tsc"
            folder = self.folder / box.name
            self.processes.start(box.name, [self.binaries / "foreflow-dataplane-emulated", "--config", folder / "dataplane.toml"],
                                 env={**os.environ, "XDG_RUNTIME_DIR": str(folder),
                                      "FOREFLOW_ESWITCH": f"clock={clock},memory={self.memory(box.name)}"})

    def memory(self, name):
        return self.folder / name / "eswitch"

    def device(self, name):
        """What the emulated device holds."""
        return json.loads(run([self.binaries / "eswitch_memory", self.memory(name)]).stdout)

    def settled(self, name):
        """The generation that a dataplane has applied, once that is the newest; 0 before."""
        self.processes.require_alive(name)
        shown = self.json("dataplane", "show", name)
        return shown["applied_generation"] if shown["applied_generation"] == shown["desired_generation"] else 0

    def command(self, *words, check=True):
        return run([self.binaries / "foreflow", *words], check=check,
                   env={**os.environ, "FOREFLOW_MANAGER": self.api, "FOREFLOW_CERTS": str(self.certificates)})

    def json(self, *words):
        text = self.command(*words, "-o", "json").stdout
        try:
            return json.loads(text)
        except ValueError:
            raise Failure(f"'foreflow {' '.join(words)} -o json' gave no JSON: {text[:200]}") from None
