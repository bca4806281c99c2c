# SPDX-License-Identifier: Apache-2.0
"""The demonstration without root: generated captures run through the same programs, in their own time (clock =
capture); the measurements from outside are the captures that went in and those that came out."""
import time

from demo import acts, capture, claims, session, traffic
from demo.foreflow import Foreflow
from demo.keep import keep
from demo.stores import make
from demo.topology import DB, GUESTS, MEGA, VIDEO, WEB

QUIET, END = 8, 34  # seconds after the captures' beginning in which guests talk
CAP = 4 * MEGA
RATES = {WEB: 8 * MEGA, DB: 2 * MEGA, VIDEO: 3 * MEGA}
PCAP = "net_pcap{number},rx_pcap={folder}/{name}.pcap,tx_pcap={folder}/{name}-out.pcap"


class Stage:
    def __init__(self, options, folder, processes):
        self.folder, self.processes = folder, processes
        self.store = make(options.store, folder, processes, self.inside)
        names = ["uplink", *(guest.port for guest in GUESTS)]
        devices = {name: PCAP.format(number=number, folder=folder, name=name) for number, name in enumerate(names)}
        self.foreflow = Foreflow(processes, folder, options.binaries, self.inside, self.store, devices, clock="capture")

    def inside(self, command):
        return command

    def window(self, measurement, guest, start, end):
        return acts.stored_window(self.store.series, measurement, guest.name, start, end)

    def bytes_of(self, name, start, end, source=None, target=None):
        """Bytes of the capture's frames from or to a guest within the stretch of capture time."""
        def matches(frame):
            return (source is None or frame[6:12] == capture.mac_bytes(source.mac)) and (
                target is None or frame[:6] == capture.mac_bytes(target.mac))
        return sum(len(frame) for when, frame in capture.read(self.folder / f"{name}.pcap")
                   if start < when <= end and matches(frame))


def play(options, folder, processes, ledger, progress):
    progress("not root (or --replay): generating captures of HTTP, Redis and RTSP traffic")
    stage = Stage(options, folder, processes)
    base = float(int(time.time()))
    traffic.make_captures(folder, base, QUIET, END, RATES)
    stage.foreflow.prepare()
    progress(f"store: {stage.store.name}; foreflowd; foreflow-dataplane-emulated on net_pcap")
    stage.store.start()
    stage.foreflow.start_manager()
    stage.foreflow.show("policy", "set", WEB.name, "--cap", f"{CAP // MEGA}M")
    stage.foreflow.start_dataplane()
    stage.foreflow.wait_connected()
    progress("the captures run in their own time", QUIET + 12)
    applications(stage, ledger)
    acts.rules(stage, ledger)
    session.refusals(stage.foreflow, ledger)
    progress("until the captures have ended")
    status = processes.running["dataplane"].wait(60)
    ledger.add("the dataplane ends with its captures", "exit status", str(status), "0", status == 0)
    measure(stage, ledger, base)
    acts.dashboard(stage, ledger, progress)
    if options.keep:
        keep(stage, ledger)


def applications(stage, ledger):
    stage.foreflow.show("vm", "list")
    stage.foreflow.show("conn", "top")
    flows = stage.foreflow.json("conn", "top")
    for guest in GUESTS:
        protocols = {flow["protocol"] for flow in flows if flow["vm"] == guest.name}
        ledger.add(f"{guest.name}: application recognised", f"generated {guest.protocol}",
                   "/".join(sorted(protocols)) or "none", guest.protocol, guest.protocol in protocols)


def measure(stage, ledger, base):
    for guest in GUESTS:
        window = stage.window("vm_net", guest, base + QUIET - 2, base + END - 1)
        went_in = stage.bytes_of(guest.port, window.start, window.end, source=guest)
        ledger.compare(f"{guest.name}: bytes sent in {window.reports} s", went_in, window.total("tx_offered_bytes"),
                       claims.size)
        came_in = stage.bytes_of("uplink", window.start, window.end, target=guest)
        ledger.compare(f"{guest.name}: bytes received in {window.reports} s", came_in, window.total("rx_offered_bytes"),
                       claims.size)
    window = stage.window("vm_net", WEB, base + QUIET + 10, base + END - 1)
    came_out = written_rate(stage, WEB, window)
    ledger.compare("web held to its cap from second 10 on", came_out, window.bits_per_second("tx_passed_bytes"),
                   claims.rate, f"{claims.rate(CAP)} +- 5%", abs(came_out - CAP) <= 0.05 * CAP)


def written_rate(stage, guest, window):
    """The rate at which the guest's frames left by the uplink. net_pcap stamps them with the time of writing; the first
    TCP frame of the guest, in both captures, gives the distance between the two clocks."""
    def first_tcp(name):
        return next(when for when, frame in capture.read(stage.folder / f"{name}.pcap")
                    if frame[6:12] == capture.mac_bytes(guest.mac) and frame[12:14] == b"\x08\x00")
    late = first_tcp("uplink-out") - first_tcp(guest.port)
    return stage.bytes_of("uplink-out", window.start + late, window.end + late, source=guest) * 8 / window.seconds
