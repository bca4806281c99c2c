# SPDX-License-Identifier: Apache-2.0
"""scripts/bench day: a day replayed at high speed through foreflowd and two dataplanes on emulated eSwitches.

Eight VMs on two links that are too small send real packets at a reduced rate (bench/recorded_day.py); their limits are
meters in the devices, decided by the manager from what the dataplanes report. Twenty minutes take a second. On the way a
policy caps one VM, and later the manager is killed and started again. The figures come from the manager's store, past all
of its programs, beside the packets that left by the uplinks."""
import argparse
import pathlib
import sys
import tempfile
import time

from bench import recorded_day
from bench.figures import Figure, report
from bench.pod import Box, Pod, Vm
from demo.capture import read
from demo.foreflow import ROOT
from demo.processes import Failure, Processes, wait_until
from demo.stored import SqliteSeries

BOXES, VMS = ("dpu0", "dpu1"), 4
MEAN = 100_000  # bytes/s of a VM, about
POLICY_AT, KILL_AT, BACK_AT = 22, 40, 42  # seconds into the day
CAPPED, CAP = "dpu0-vm1", 60_000  # bytes/s
PCAP = "net_pcap{number},rx_pcap={folder}/{name}.pcap,tx_pcap={folder}/{name}-out.pcap"
SETTINGS = """
[forecast]
interval = "1s"
horizon = "12s"
season = "72s"
history = "20m"
training = "0s"

[allocation]
period = "250ms"
hold = "6s"
floor = "8k"
"""


class Link:
    """A dataplane, what its VMs want, and where its captures are."""

    def __init__(self, index, name, folder, base):
        self.folder = folder / f"captures-{name}"
        self.rates = [recorded_day.demand(VMS * index + number, MEAN) for number in range(VMS)]
        self.capacity, self.guarantees = recorded_day.link(self.rates)
        vms = [Vm(f"{name}-vm{number}", f"p{number}", f"52:54:00:00:0{index + 2}:{number:02x}", 0, bits(guarantee))
               for number, guarantee in enumerate(self.guarantees)]
        recorded_day.write(self.folder, vms, self.rates, base)
        devices = {port: PCAP.format(number=number, folder=self.folder, name=port)
                   for number, port in enumerate(["uplink", *(vm.port for vm in vms)])}
        self.box = Box(name, bits(self.capacity), devices, vms, clock="capture")

    def packets(self):
        """In all captures of what it receives."""
        return sum(1 for port in self.box.devices for _ in read(self.folder / f"{port}.pcap"))


def bits(rate):
    return str(int(rate * 8))


class Day:
    def __init__(self, folder, processes, binaries):
        self.seconds = recorded_day.ROWS * recorded_day.ROW
        self.base = float(int(time.time()))
        self.links = [Link(index, name, folder, self.base) for index, name in enumerate(BOXES)]
        self.processes, self.folder = processes, folder
        self.pod = Pod(processes, folder, binaries, [link.box for link in self.links], SETTINGS)

    def play(self):
        self.pod.prepare()
        self.pod.start_manager()
        self.pod.start_dataplanes()
        self.began = time.time()
        for at, act in ((POLICY_AT, self.change_policy), (KILL_AT, self.kill_manager), (BACK_AT, self.pod.start_manager)):
            time.sleep(max(0, self.began + at - time.time()))
            act()
        self.rules_after = self.rule_writes()
        for name in BOXES:
            status = self.processes.running[name].wait(120)
            if status != 0:
                raise Failure(f"{name} ended with status {status}:\n{self.processes.tail(name)}")
        self.ended = time.time()
        self.replayed = self.pod.json("audit", "replay")

    def change_policy(self):
        policy = self.folder / "policy.toml"
        policy.write_text(f'[[vm]]\nname = "{CAPPED}"\nguarantee = "0"\ncap = {{egress = "{bits(CAP)}"}}\n')
        self.pod.command("policy", "apply", policy, "--comment", "a cap")
        wait_until(lambda: self.pod.settled(BOXES[0]), "the cap is in the device", 20)
        self.capped_at = self.base + time.time() - self.began + 2  # the captures began no earlier than the dataplanes

    def kill_manager(self):
        self.rules_before = self.rule_writes()
        self.pod.kill_manager()

    def rule_writes(self):
        return sum(self.pod.device(name)["rule_writes"] for name in BOXES)


class Stored:
    """What the store says of one VM."""

    def __init__(self, day, vm, guarantee):
        series = SqliteSeries(day.pod.manager / "series.db")
        self.net = series.points("vm_net", vm.name, day.base - 1, day.base + day.seconds + 9)
        self.allocations = [(at, fields["tx_cir"])
                            for at, fields in series.points("vm_alloc", vm.name, day.began, day.ended)
                            if "tx_cir" in fields]
        self.name, self.guarantee = vm.name, guarantee

    def total(self, field, since=0.0):
        return sum(fields[field] for at, fields in self.net if at >= since)

    def misses(self):
        """Seconds in which less passed than the guarantee and the demand, but for a packet that was under way."""
        return sum(fields["tx_passed_bytes"] + recorded_day.FRAME < 0.999 * min(
            fields["tx_offered_bytes"], self.guarantee * fields["interval_ms"] / 1000) for _, fields in self.net)

    def mean_cir(self, end):
        """Over time: a decision holds until the next one."""
        ends = [at for at, _ in self.allocations[1:]] + [end]
        held = sum(cir * (until - at) for (at, cir), until in zip(self.allocations, ends))
        return held / (end - self.allocations[0][0])

    def reversals(self):
        """Changes of CIR by more than 5 % the other way than the one before."""
        level, direction, count = self.allocations[0][1], 0, 0
        for _, cir in self.allocations:
            if abs(cir - level) * 20 <= level:
                continue
            count += direction != 0 and (cir > level) != (direction > 0)
            direction, level = 1 if cir > level else -1, cir
        return count


def received(day, link, vms):
    """Packets of a dataplane's reports: what it saw, and what its device dropped before."""
    points = SqliteSeries(day.pod.manager / "series.db").points("dataplane", link.box.name, day.base - 1,
                                                                day.base + day.seconds + 9)
    return sum(fields["rx_packets"] for _, fields in points) + sum(vm.total("tx_drop_policed") for vm in vms)


def unavoidable(link, vms):
    """Bytes that a link could not carry, whoever would have got it: each second's demand beyond its capacity."""
    offered = {}
    for vm in vms:
        for at, fields in vm.net:
            seen, seconds = offered.get(at, (0, 0))
            offered[at] = (seen + fields["tx_offered_bytes"], max(seconds, fields["interval_ms"] / 1000))
    return sum(max(0, seen - link.capacity * seconds) for seen, seconds in offered.values())


def jain(vms):
    """Of the shares of their demand that were served."""
    served = [vm.total("tx_passed_bytes") / vm.total("tx_offered_bytes") for vm in vms]
    return sum(served) ** 2 / (len(served) * sum(share ** 2 for share in served))


def service(day, others):
    """How the VMs without the cap were served."""
    offered = sum(vm.total("tx_offered_bytes") for vm in others)
    unserved = 1 - sum(vm.total("tx_passed_bytes") for vm in others) / offered
    cir = sum(vm.mean_cir(day.ended) for vm in others)
    seconds = sum(len(vm.net) for vm in others)
    yield Figure("unserved, % of the demand", 100 * unserved, "%", "fixed", 1, 5)
    yield Figure("over-provision: CIR / demand", cir / (offered / day.seconds), "", "fixed", 1, 2.5)
    yield Figure("reversals per VM and day", sum(vm.reversals() for vm in others) / len(others), "", "fixed", 1, 10)
    yield Figure("guarantees missed, % of the seconds", 100 * sum(vm.misses() for vm in others) / seconds, "%", "fixed", 1, 1)


def figures(day):
    stored = {link: [Stored(day, vm, guarantee) for vm, guarantee in zip(link.box.vms, link.guarantees)]
              for link in day.links}
    vms = [vm for of_link in stored.values() for vm in of_link]
    short = sum(unavoidable(link, of_link) for link, of_link in stored.items())
    yield Figure("beyond the links, % of the demand", 100 * short / sum(vm.total("tx_offered_bytes") for vm in vms), "%")
    fair = [jain([vm for vm in of_link if vm.name != CAPPED]) for of_link in stored.values()]
    yield Figure("Jain index of the shares served, lower link", min(fair), "", "fixed", 1, 0.97, at_least=True)
    yield from service(day, [vm for vm in vms if vm.name != CAPPED])
    capped = next(vm for vm in vms if vm.name == CAPPED)
    rest = day.base + day.seconds - day.capped_at
    yield Figure("the capped VM, of its cap", capped.total("tx_passed_bytes", day.capped_at) / rest / CAP, "", "fixed", 1, 1.05)
    for link, of_link in stored.items():
        missing = abs(link.packets() - received(day, link, of_link))
        yield Figure(f"{link.box.name}: packets, captures beside store", missing, "", "fixed", 1, 0)
    passed = sum(vm.total("tx_passed_bytes") for vm in vms)
    left = sum(recorded_day.size(link.folder / "uplink-out.pcap") for link in day.links)
    yield Figure("bytes that passed, uplinks beside store", abs(passed - left), "", "fixed", 1, 0)
    yield Figure("rules written while the manager died", day.rules_after - day.rules_before, "", "fixed", 1, 0)
    yield Figure("decisions that the audit solved again", int(day.replayed["decisions"]), "", "fixed", 1, 1000, at_least=True)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench day", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / "build/release/bin", help="folder of the programs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="foreflow-day-") as name:
        processes = Processes(name)
        try:
            day = Day(pathlib.Path(name), processes, arguments.binaries)
            day.play()
            found = list(figures(day))
        except Failure as failure:
            print(f"bench: {failure}", file=sys.stderr)
            return 2
        finally:
            processes.stop_all()
    return report(found, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
