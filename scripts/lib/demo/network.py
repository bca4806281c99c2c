# SPDX-License-Identifier: Apache-2.0
"""The network around the dataplane, all of it in namespaces of its own:

    guest --veth-- fabric [dataplane on AF_PACKET] --veth-- wire [bridge =tbf= bridge] --veth-- client (one per guest)

The wire really carries no more than WIRE_CAPACITY in each direction: a queue in the kernel drops what is too much.
"""
import os
import pathlib
import re

from demo.processes import Failure, run
from demo.topology import GUESTS, WIRE_CAPACITY

PREFIX = "foreflow-demo"


def remove_leftovers():
    """Namespaces of former demonstrations whose process is gone (it was killed before it could clean up)."""
    listed = run(["ip", "netns", "list"]).stdout
    for name, pid in re.findall(rf"^({PREFIX}-(\d+)-\S+)", listed, re.M):
        if not pathlib.Path(f"/proc/{pid}").exists():
            run(["ip", "netns", "delete", name], check=False)


class Network:
    def __init__(self, processes):
        self.processes = processes
        self.spaces = []

    def space(self, role):
        return f"{PREFIX}-{os.getpid()}-{role}"

    def inside(self, role, command):
        """The command line that runs `command` in the namespace of `role`."""
        return ["ip", "netns", "exec", self.space(role), *command]

    def ip(self, role, *words):
        run(["ip", "-n", self.space(role), *words])

    def create(self):
        remove_leftovers()
        for role in ("fabric", "wire"):
            self.add_space(role)
        for guest in GUESTS:
            self.add_space(guest.name)
            self.add_space(f"client-{guest.name}")
        self._add_wire()
        for guest in GUESTS:
            self._join("fabric", guest.port, guest.name, guest.address, guest.mac)
            self._join("wire", f"to-{guest.name}", f"client-{guest.name}", guest.client_address)
            self.ip("wire", "link", "set", f"to-{guest.name}", "master", "far")

    def destroy(self):
        for space in reversed(self.spaces):
            run(["ip", "netns", "delete", space], check=False)
        self.spaces.clear()

    def add_space(self, role):
        space = self.space(role)
        run(["ip", "netns", "add", space])
        self.spaces.append(space)
        run(self.inside(role, ["sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
                               "net.ipv6.conf.default.disable_ipv6=1"]))
        self.ip(role, "link", "set", "dev", "lo", "up")
        # Holds the namespace, and shows its counters under /proc/PID/net.
        self.processes.start(f"space-{role}", self.inside(role, ["sleep", "infinity"]))

    def _join(self, near, port, far, address, mac=None):
        """A veth pair from `port` in namespace `near` to eth0 with `address` in namespace `far`."""
        self.ip(near, "link", "add", "name", port, "type", "veth", "peer", "name", "eth0", "netns", self.space(far))
        if mac:
            self.ip(far, "link", "set", "dev", "eth0", "address", mac)
        self.ip(far, "address", "add", f"{address}/24", "dev", "eth0")
        # Frames must leave with their checksums: nothing behind AF_PACKET would fill them in.
        run(self.inside(far, ["ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gso", "off", "gro", "off"]))
        self.ip(far, "link", "set", "dev", "eth0", "up")
        self.ip(near, "link", "set", "dev", port, "promisc", "on", "up")

    def _add_wire(self):
        self.ip("fabric", "link", "add", "name", "uplink", "type", "veth", "peer", "name", "to-fabric", "netns",
                self.space("wire"))
        self.ip("wire", "link", "add", "name", "tight-a", "type", "veth", "peer", "name", "tight-b")
        for bridge in ("near", "far"):
            self.ip("wire", "link", "add", "name", bridge, "type", "bridge", "stp_state", "0")
            self.ip("wire", "link", "set", "dev", bridge, "up")
        for port, bridge in (("to-fabric", "near"), ("tight-a", "near"), ("tight-b", "far")):
            self.ip("wire", "link", "set", "dev", port, "master", bridge)
            self.ip("wire", "link", "set", "dev", port, "up")
        self.ip("fabric", "link", "set", "dev", "uplink", "promisc", "on", "up")
        for port in ("tight-a", "tight-b"):
            run(["tc", "-n", self.space("wire"), "qdisc", "add", "dev", port, "root", "tbf", "rate",
                 f"{WIRE_CAPACITY}bit", "burst", "64kb", "limit", "400kb"])

    def counters(self, role):
        """(rx bytes, rx packets, tx bytes, tx packets) of eth0 as that namespace's kernel counts them (L2, no FCS), and
        the TCP segments that it got twice: for each it sent a duplicate SACK (RFC 2883)."""
        own = pathlib.Path(f"/proc/{self.processes.running[f'space-{role}'].pid}/net")
        for line in (own / "dev").read_text().splitlines():
            name, _, numbers = line.partition(":")
            if name.strip() == "eth0":
                fields = [int(number) for number in numbers.split()]
                return fields[0], fields[1], fields[8], fields[9], duplicate_segments(own / "netstat")
        raise Failure(f"no eth0 in namespace {self.space(role)}")


def duplicate_segments(netstat):
    names, values = [line.split() for line in netstat.read_text().splitlines() if line.startswith("TcpExt:")]
    counts = dict(zip(names, values))
    return int(counts["TCPDSACKOldSent"]) + int(counts["TCPDSACKOfoSent"])
