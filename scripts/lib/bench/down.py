# SPDX-License-Identifier: Apache-2.0
"""scripts/bench down: what traffic does while the dataplane's process is down, by the type of the guest's port.

A guest sends 1,000 datagrams a second to a client behind the uplink (AF_PACKET). The process is killed with SIGKILL and
started again after .1 s, as its systemd unit does, again and again. Told are the time without a datagram, the datagrams
that never came, and those that came although they were sent while it was down. Ports: AF_PACKET on veth; the same as
representors of an emulated eSwitch that loses its rules with their owner (mlx5) and of one that keeps them (sticky), with
hardware limits; tap; vhost-user with testpmd's virtio driver as the guest's, which waits for the dataplane to come back
(server mode). Ports of the ring type are memory of the process and gone with it. Needs root."""
import argparse
import json
import os
import pathlib
import signal
import statistics
import sys
import tempfile
import time

from bench.figures import Figure, report
from bench.veth import CLIENT, NETWORK, Veth, guest_mac
from demo.processes import Failure, run, wait_until

PROBE = pathlib.Path(__file__).with_name("udp_probe.py")
RESTART = 0.1  # RestartSec of the unit
LIFE = 2.0  # seconds between two deaths
LIMIT = 12_500_000  # bytes/s, above what is sent
VHOST = "net_vhost0,iface={socket},queues=1,client=1"


class AfPacket(Veth):
    name = "af_packet"
    limits = ()

    def __init__(self, folder, binaries):
        super().__init__(folder, 1, binaries)

    def while_down(self):
        """Figures of one death: name -> value."""
        return {}


class Emulated(AfPacket):
    program = "foreflow-dataplane-emulated"
    limits = ("--cir", LIMIT, "--pir", LIMIT, "--hardware")

    def __init__(self, folder, binaries, profile):
        super().__init__(folder, binaries)
        self.name = f"emulated representor, {profile}"
        self.memory = self.folder / "eswitch"
        self.environment = ("env", f"FOREFLOW_ESWITCH=profile={profile},memory={self.memory}")

    def while_down(self):
        held = json.loads(run([self.binaries / "eswitch_memory", self.memory]).stdout)
        return {"rules in the device meanwhile": held["rules"]}


class Tap(AfPacket):
    """The interface is made by the process: the host hands it to the guest each time."""
    name = "tap"

    def __enter__(self):
        try:
            for role in ("fabric", "guest0"):
                self.add_space(role)
            self._join("uplink", CLIENT, f"{NETWORK}254", "02:00:00:00:ff:fe")
        except BaseException:
            self.__exit__()
            raise
        return self

    def device(self, number, name):
        return super().device(number, name) if name == "uplink" else f"net_tap{number},iface={name}"

    def launch(self):
        log = self.processes.log("dataplane")
        started = len(log.read_bytes()) if log.exists() else 0
        super().launch()
        wait_until(lambda: b"dataplane runs" in log.read_bytes()[started:], "the process starts its ports", 30, 0.01)
        fabric, guest = self.space("fabric"), self.space("guest0")
        run(["ip", "-n", fabric, "link", "set", "vm0", "netns", guest, "name", "eth0"])
        for words in (("link", "set", "dev", "eth0", "address", guest_mac(0)),
                      ("address", "add", f"{NETWORK}1/24", "dev", "eth0"), ("link", "set", "dev", "eth0", "up")):
            run(["ip", "-n", guest, *words])
        run(self.inside("guest0", ["ethtool", "-K", "eth0", "tx", "off"]), check=False)

    def while_down(self):
        shown = run(["ip", "-n", self.space("guest0"), "link", "show", "eth0"], check=False)
        return {"interface is there meanwhile": int(shown.returncode == 0)}


class VhostUser(AfPacket):
    """testpmd moves frames between the guest's kernel and a virtio queue; it is what a guest's driver and its VMM are."""
    name = "vhost-user"

    def __init__(self, folder, binaries):
        super().__init__(folder, binaries)
        self.socket = self.folder / "guest.sock"

    def device(self, number, name):
        return super().device(number, name) if name == "uplink" else VHOST.format(socket=self.socket)

    def launch(self):
        if not self.processes.alive("driver"):
            self.processes.start("driver", self.inside("fabric", [
                "env", f"XDG_RUNTIME_DIR={self.folder}", "dpdk-testpmd", "--no-huge", "-m", "256", "--no-pci", "-l", "0,1",
                "--file-prefix", "driver", "--vdev", "net_af_packet9,iface=vm0,blocksz=65536,framesz=2048,framecnt=2048",
                "--vdev", f"net_virtio_user0,path={self.socket},server=1,queues=1,mac={guest_mac(0)}", "--",
                "--nb-cores=1", "--forward-mode=io", "--auto-start", "--stats-period=3600", "--total-num-mbufs=8192"]))
            wait_until(self.socket.exists, "testpmd opens its socket", 20)
        super().launch()


def deaths(stage, kills):
    """(figures by name -> values per death)"""
    seconds = kills * LIFE + 2
    stage.processes.log("receiver").unlink(missing_ok=True)
    receiver = stage.processes.start("receiver", stage.inside(CLIENT, ["/usr/bin/python3", str(PROBE), "receive", str(seconds)]))
    time.sleep(0.5)
    stage.processes.start("sender", stage.inside("guest0", [
        "/usr/bin/python3", str(PROBE), "send", f"{NETWORK}254", str(seconds)]))
    time.sleep(1)
    found, dead = [], []
    for death in range(kills):
        began = time.time_ns()
        os.kill(stage.dataplane.pid, signal.SIGKILL)
        stage.dataplane.wait()
        found.append(stage.while_down())
        time.sleep(RESTART)
        stage.launch()
        dead.append((began, time.time_ns()))
        print(f"\rbench: {stage.name}: {death + 1} of {kills} deaths", end="", file=sys.stderr, flush=True)
        time.sleep(max(0, LIFE - (time.time_ns() - began) / 1e9))
    print(file=sys.stderr)
    receiver.wait(seconds + 30)
    said = json.loads(stage.processes.log("receiver").read_text().splitlines()[-1])
    return said, found, dead


def longest_within(said, begin):
    """The longest gap that a death brought, ms."""
    return max((length / 1e6 for start, length in said["long"] if begin - 1e8 <= start <= begin + 1e9), default=0)


def figures(stage, kills):
    with stage:
        stage.start(*stage.limits)
        said, found, dead = deaths(stage, kills)
    gaps = [longest_within(said, begin) for begin, _ in dead]
    yield Figure(f"{stage.name}: without a datagram, median", statistics.median(gaps), "ms")
    yield Figure(f"{stage.name}: without a datagram, longest", max(gaps), "ms")
    yield Figure(f"{stage.name}: never came, per death", said["missing"] / kills, "")
    for name in found[0]:
        yield Figure(f"{stage.name}: {name}", statistics.median(one[name] for one in found), "")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench down", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    parser.add_argument("--kills", type=int, default=10, help="deaths for each type of port (default 10)")
    parser.add_argument("--only", metavar="WORD", default="", help="types whose name contains it")
    parser.add_argument("--binaries", type=pathlib.Path, default=None, help="folder of the programs")
    arguments = parser.parse_args()
    binaries = arguments.binaries or pathlib.Path(__file__).resolve().parents[3] / "build/release/bin"
    kinds = [AfPacket, lambda f, b: Emulated(f, b, "mlx5"), lambda f, b: Emulated(f, b, "sticky"), Tap, VhostUser]
    all_figures = []
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="foreflow-down-") as name:
            stage = kind(name, binaries)
            if arguments.only not in stage.name:
                continue
            try:
                all_figures += figures(stage, arguments.kills)
            except Failure as failure:
                print(f"bench: {stage.name}: {failure}", file=sys.stderr)
                return 2
    return report(all_figures, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
