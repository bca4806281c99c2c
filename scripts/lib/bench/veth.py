# SPDX-License-Identifier: Apache-2.0
"""The packaged dataplane between network namespaces: one per guest on a port of its own, one behind the uplink, all of
them veth pairs on AF_PACKET. Limits come from the last desired state on disk; the manager is away."""
import os
import pathlib
import time

from demo.foreflow import ROOT
from demo.processes import Failure, Processes, run

PREFIX = "foreflow-bench"
CLIENT = "client"
NETWORK = "10.78.0."

CONFIG = """id = "bench-{process}"
state_dir = "{folder}"
workers = {workers}
idle_sleep = {idle_sleep}
signatures = ""

[eal]
hugepages = false
memory_mb = 128

[manager]
address = "127.0.0.1:9"
server_name = "foreflowd"
ca = "{folder}/certs/ca.crt"
certificate = "{folder}/certs/bench.crt"
key = "{folder}/certs/bench.key"
"""

PORT = """
[[port]]
name = "{name}"
device = "{device}"
role = "{role}"
"""
AF_PACKET = "net_af_packet{number},iface={name},blocksz=65536,framesz=2048,framecnt=2048,qpairs=1"


# A guest that refuses a connection has answered.
KNOCK = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], 1), 1)
except ConnectionRefusedError:
    pass
"""


def worker_threads(process):
    """Ids of the poll threads of a dataplane."""
    return [int(task.name) for task in pathlib.Path(f"/proc/{process}/task").iterdir()
            if (task / "comm").read_text().startswith(("dpdk-worker", "lcore-worker", "rte-worker"))]


def guest_mac(number):
    return f"02:00:00:00:00:{number:02x}"


class Veth:
    """`guests`: how many; guest n has the address 10.78.0.(n + 1), the client 10.78.0.254."""

    program = "foreflow-dataplane"
    environment = ()  # words before it

    def __init__(self, folder, guests, binaries=ROOT / "build/release/bin"):
        self.folder, self.guests, self.binaries = pathlib.Path(folder), guests, binaries
        self.processes = Processes(self.folder)
        self.spaces = []
        run([ROOT / "scripts/dev-certs", self.folder / "certs", "--dataplane", "bench"])

    def __enter__(self):
        try:
            self.add_space("fabric")
            for guest in range(self.guests):
                self._join(f"vm{guest}", f"guest{guest}", f"{NETWORK}{guest + 1}", guest_mac(guest))
            self._join("uplink", CLIENT, f"{NETWORK}254", "02:00:00:00:ff:fe")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.processes.stop_all()
        for space in reversed(self.spaces):
            run(["ip", "netns", "delete", space], check=False)

    def inside(self, role, command):
        return ["ip", "netns", "exec", self.space(role), *command]

    def start(self, *limits, workers=1, idle_sleep=True):
        """`limits`: arguments of bench_desired_state beside ports and VMs."""
        ports = [word for guest in range(self.guests) for word in ("--port", f"vm{guest}")]
        run([self.binaries / "bench_desired_state", "--out", self.folder / "desired-state", *ports, "--vms", self.guests,
             *limits])
        config = self.folder / "dataplane.toml"
        names = [f"vm{guest}" for guest in range(self.guests)] + ["uplink"]
        config.write_text(CONFIG.format(folder=self.folder, process=os.getpid(), workers=workers,
                                        idle_sleep=str(idle_sleep).lower())
                          + "".join(PORT.format(name=name, device=self.device(number, name),
                                                role="uplink" if name == "uplink" else "vm")
                                    for number, name in enumerate(names)))
        self.launch()
        for guest in range(self.guests):
            self._wait_for_answer(guest)

    def device(self, number, name):
        """EAL's word for a port."""
        return AF_PACKET.format(number=number, name=name)

    def launch(self):
        """The dataplane once more, as it was started."""
        self.dataplane = self.processes.start("dataplane", self.inside(
            "fabric", [*self.environment, str(self.binaries / self.program), "--config",
                       str(self.folder / "dataplane.toml")]))

    def stop(self):
        self.processes.stop("dataplane")

    def received(self, role):
        """Bytes that this interface has received, L2 without FCS, as its kernel counts them."""
        shown = pathlib.Path(f"/proc/{self.processes.running[f'space-{role}'].pid}/net/dev").read_text()
        return int(next(line for line in shown.splitlines() if "eth0:" in line).split(":")[1].split()[0])

    def worker_cpu_ns(self):
        """Processor time of the poll threads."""
        return sum(int(pathlib.Path(f"/proc/{thread}/schedstat").read_text().split()[0])
                   for thread in worker_threads(self.dataplane.pid))

    def _wait_for_answer(self, guest):
        command = self.inside(CLIENT, ["/usr/bin/python3", "-c", KNOCK, f"{NETWORK}{guest + 1}"])
        for _ in range(30):
            if run(command, check=False).returncode == 0:
                return
            self.processes.require_alive("dataplane")
            time.sleep(0.2)
        raise Failure(f"guest {guest} does not answer:\n{self.processes.tail('dataplane')}")

    def space(self, role):
        return f"{PREFIX}-{os.getpid()}-{role}"

    def add_space(self, role):
        run(["ip", "netns", "add", self.space(role)])
        self.spaces.append(self.space(role))
        run(self.inside(role, ["sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
                               "net.ipv6.conf.default.disable_ipv6=1"]))
        self.processes.start(f"space-{role}", self.inside(role, ["sleep", "infinity"]))

    def _join(self, port, role, address, mac):
        self.add_space(role)
        fabric = self.space("fabric")
        run(["ip", "-n", fabric, "link", "add", "name", port, "type", "veth", "peer", "name", "eth0", "netns",
             self.space(role)])
        run(["ip", "-n", self.space(role), "link", "set", "dev", "eth0", "address", mac])
        run(["ip", "-n", self.space(role), "address", "add", f"{address}/24", "dev", "eth0"])
        # Frames leave with their checksums and in the size of the wire: nothing behind AF_PACKET would see to that.
        run(self.inside(role, ["ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gso", "off", "gro", "off"]))
        run(["ip", "-n", self.space(role), "link", "set", "dev", "eth0", "up"])
        run(["ip", "-n", fabric, "link", "set", "dev", port, "promisc", "on", "up"])
