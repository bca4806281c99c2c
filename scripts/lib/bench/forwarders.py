# SPDX-License-Identifier: Apache-2.0
"""The programs that are compared, each on private directories, with one poll thread on the same processor."""
import json
import os
import pathlib
import re
import signal
import socket
import tempfile
import time

from bench import traffic
from bench.measure import Probe, pause
from demo.foreflow import ROOT
from demo.processes import Failure, run, wait_until

CONTROL_CPU, POLL_CPU = 0, 1
OVS_PROGRAM = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"
OVS_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
FLOW_LIMIT = 4_000_000
MOST_MEMORY_MB = 512  # in huge pages, each program


def endless(number, *captures):
    """EAL's device: one receive queue for each capture; what is sent is dropped."""
    return f"net_pcap{number}," + ",".join(f"rx_pcap={path}" for path in captures) + ",infinite_rx=1"


class Forwarder:
    """`variations`: how many source ports the probe gives each flow; None: it leaves packets alone.

    `packets_per_pass`: the capture has so many, whole flows that get another source port each time they are replayed;
    None: each packet gets a port drawn at random."""

    def __init__(self, name, bench, capture, variations=None, packets_per_pass=None):
        self.name, self.bench, self.capture, self.variations = name, bench, capture, variations
        self.packets_per_pass = packets_per_pass
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=re.sub(r"\W+", "-", name) + "-", dir=bench.folder))
        self.prefix = f"{bench.folder.name}-{self.folder.name}"  # of EAL's files
        self.probe = Probe(self.folder / "counts")

    def launch(self, command, environment=(), **options):
        self.process = self.bench.processes.start(
            self.name, command, env={**os.environ, "XDG_RUNTIME_DIR": str(self.folder), **dict(environment),
                                     **self.probe.environment(self.bench.library, self.variations,
                                                            self.packets_per_pass)}, **options)

    def wait_polling(self, threads=1):
        def polls():
            self.bench.processes.require_alive(self.name)
            queues = self.probe.queues().values()
            return len({thread for packets, thread in queues if packets > 0}) >= threads
        wait_until(polls, f"{self.name} polls", 120)  # patterns are compiled first

    def settle(self, seconds=300):
        """Until nearly every flow was drawn often enough to have its verdict: five packets of twelve have a payload."""
        packets = 40 * traffic.FLOWS * (self.variations or 1)
        wait_until(lambda: sum(queue[0] for queue in self.probe.queues().values()) >= packets,
                   f"{self.name} has received {packets} packets", seconds)

    def received_and_sent(self):
        """Packets of its first port, from DPDK's telemetry socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.settimeout(10)
            connection.connect(f"/var/run/dpdk/{self.prefix}/dpdk_telemetry.v2")
            connection.recv(4096)
            connection.send(b"/ethdev/stats,0")
            shown = json.loads(connection.recv(65536))["/ethdev/stats"]
            return shown["ipackets"], shown["opackets"]

    def check(self):
        """Fails unless it sends what it receives."""
        before = self.received_and_sent()
        time.sleep(0.3)
        received, sent = (now - then for now, then in zip(self.received_and_sent(), before))
        if sent < 0.99 * received or received == 0:
            raise Failure(f"{self.name} sends {sent} packets of {received}")

    def pause(self):
        pause(self.process)

    def stop(self):
        os.kill(self.process.pid, signal.SIGCONT)
        self.bench.processes.stop(self.name)


class Testpmd(Forwarder):
    def __init__(self, mode, bench, capture):
        super().__init__(f"testpmd {mode}", bench, capture)
        self.mode = mode

    def start(self):
        reader, self.open_end = os.pipe()  # it ends when its input ends
        self.launch(["dpdk-testpmd", f"--lcores=0@{CONTROL_CPU},1@{POLL_CPU}", "--in-memory", "--no-pci",
                     f"--file-prefix={self.prefix}", "--vdev", endless(0, self.capture), "--",
                     f"--forward-mode={self.mode}", "--port-topology=loop", "--burst=32", "--no-flush-rx",
                     "--total-num-mbufs=16384"], stdin=reader)
        os.close(reader)
        self.wait_polling()

    def stop(self):
        super().stop()
        os.close(self.open_end)


class OpenVSwitch(Forwarder):
    """`rules`: OpenFlow flows; `meters`: OpenFlow meters."""

    def __init__(self, name, bench, capture, rules, meters=(), variations=None):
        super().__init__(name, bench, capture, variations)
        self.rules, self.meters = rules, meters
        self.database = f"unix:{self.folder}/db.sock"
        self.directories = {"OVS_RUNDIR": str(self.folder), "OVS_LOGDIR": str(self.folder),
                            "OVS_DBDIR": str(self.folder)}

    def start(self):
        run(["ovsdb-tool", "create", self.folder / "conf.db", OVS_SCHEMA])
        self.bench.processes.start(f"{self.name} database", [
            "ovsdb-server", self.folder / "conf.db", f"--remote=punix:{self.folder}/db.sock", "--no-chdir",
            f"--unixctl={self.folder}/db.ctl"], env={**os.environ, **self.directories})
        wait_until((self.folder / "db.sock").exists, "ovsdb-server listens", 10)
        self.vsctl("--no-wait", "init")
        extra = f"--in-memory --socket-limit={MOST_MEMORY_MB} --no-pci --file-prefix={self.prefix}"
        self.vsctl("--no-wait", "set", "Open_vSwitch", ".", "other_config:dpdk-init=true",
                   f"other_config:dpdk-extra={extra}", f"other_config:pmd-cpu-mask={1 << POLL_CPU:#x}",
                   f"other_config:flow-limit={FLOW_LIMIT}", "other_config:max-idle=3600000")
        # A network namespace of its own: a bridge is a device of that name.
        self.launch(["unshare", "--net", OVS_PROGRAM, self.database, "--no-chdir", f"--unixctl={self.folder}/ovs.ctl"],
                    environment=self.directories)
        self.vsctl("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev",
                   "protocols=OpenFlow13", "fail-mode=secure")
        for meter in self.meters:
            self.ofctl("add-meter", "br0", meter)
        (self.folder / "rules").write_text("".join(f"{rule}\n" for rule in self.rules))
        self.ofctl("add-flows", "br0", self.folder / "rules")
        # At its best: nothing but the poll thread touches the table of flows.
        self.appctl("upcall/set-flow-limit", FLOW_LIMIT)
        self.appctl("revalidator/pause")
        self.vsctl("add-port", "br0", "p0", "--", "set", "interface", "p0", "type=dpdk", "ofport_request=1",
                   f"options:dpdk-devargs={endless(0, self.capture)}")
        self.wait_polling()

    def received_and_sent(self):
        shown = self.ofctl("dump-ports", "br0", "1")
        return tuple(int(re.search(rf"{way} pkts=(\d+)", shown)[1]) for way in ("rx", "tx"))

    def vsctl(self, *words):
        return run(["ovs-vsctl", f"--db={self.database}", "--timeout=30", *words]).stdout

    def ofctl(self, *words):
        return run(["ovs-ofctl", "-OOpenFlow13", *words], env={**os.environ, **self.directories}).stdout

    def appctl(self, *words):
        return run(["ovs-appctl", "-t", self.folder / "ovs.ctl", *words]).stdout

    def stop(self):
        super().stop()
        self.bench.processes.stop(f"{self.name} database")


def in_port_rule():
    return ["in_port=1,actions=IN_PORT"]


def five_tuple_rules(action="IN_PORT"):
    """One rule per flow of the capture; `action` may name the {vm} that sends."""
    return [f"tcp,nw_src={traffic.source_address(flow)},nw_dst={traffic.target_address(flow)},"
            f"tcp_src={traffic.SOURCE_PORT},tcp_dst={traffic.TARGET_PORT},"
            f"actions={action.format(vm=traffic.sender(flow) + 1)}" for flow in range(traffic.FLOWS)]


def any_five_tuple_rule():
    """One rule whose action depends on the whole 5-tuple: the datapath keeps an exact entry for each that comes."""
    return ["tcp,actions=multipath(symmetric_l3l4,0,modulo_n,2,0,NXM_NX_REG0[0..15]),IN_PORT"]


CONFIG = """id = "{identity}"
state_dir = "{folder}"
workers = {workers}
cpus = {cpus}
signatures = "{signatures}"

[eal]
{eal}

[manager]
address = "127.0.0.1:9"
server_name = "foreflowd"
ca = "{certificates}/ca.crt"
certificate = "{certificates}/bench.crt"
key = "{certificates}/bench.key"

[flow]
capacity = {flows}
most_per_vm = {most}

[[port]]
name = "vms"
device = "{device}"
mtu = 1600
"""


class Foreflow(Forwarder):
    """The packaged program, its manager away: 64 VMs behind one port, limits from the last desired state on disk.

    `flows`: capacity of the flow table, 0 = none; `classify`: with the packaged signatures; `limit`: (CIR, PIR) of every
    VM and direction in bytes/s; several captures: a receive queue and a worker each."""

    def __init__(self, name, bench, *captures, flows=0, classify=False, limit=None, **chosen):
        super().__init__(name, bench, captures, **chosen)
        self.flows, self.classify, self.limit = flows, classify, limit
        self.identity, self.prefix = self.prefix[-40:], f"foreflow-{self.prefix[-40:]}"

    def start(self):
        workers = len(self.capture)
        cpus = [CONTROL_CPU, *((POLL_CPU - worker) % 2 for worker in range(workers))]
        config = self.folder / "dataplane.toml"
        config.write_text(CONFIG.format(
            identity=self.identity, folder=self.folder, workers=workers, cpus=cpus, eal=f'extra = ["--socket-limit={MOST_MEMORY_MB}"]', flows=self.flows, most=max(1, self.flows), certificates=self.bench.certificates,
            signatures=ROOT / "configs/signatures" if self.classify else "", device=endless(0, *self.capture)))
        wish = ["--out", self.folder / "desired-state", "--port", "vms", "--vms", traffic.VMS]
        if self.limit:
            wish += ["--cir", self.limit[0], "--pir", self.limit[1]]
        run([self.bench.binaries / "bench_desired_state", *wish])
        self.launch([self.bench.binaries / "foreflow-dataplane", "--config", config])
        self.wait_polling(workers)


def require_programs():
    for program in ("dpdk-testpmd", "ovsdb-server", "ovs-vsctl", OVS_PROGRAM):
        if run(["sh", "-c", f"command -v {program}"], check=False).returncode != 0:
            raise Failure(f"no {program}: run scripts/install-deps --bench")
