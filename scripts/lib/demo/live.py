# SPDX-License-Identifier: Apache-2.0
"""The demonstration on live traffic (root): sets the stage, plays the acts, keeps or clears away everything."""
import time

from demo import acts, limits, session
from demo.foreflow import Foreflow
from demo.guests import Guests
from demo.keep import keep
from demo.network import Network
from demo.sampler import Sampler
from demo.stores import make
from demo.topology import GUESTS

# A block holds whole frames; the ring takes 50 ms of the flood, should the only poll thread be preempted.
AF_PACKET = "net_af_packet{number},iface={interface},framesz=2048,blocksz=65536,framecnt=2048"

QUIET = 3  # seconds: at least one whole report in between


class Stage:
    """Everything that runs during the demonstration."""

    def __init__(self, options, folder, processes):
        self.options, self.processes = options, processes
        self.network = Network(processes)
        self.guests = Guests(self.network, processes, folder)
        self.store = make(options.store, folder, processes, self.inside)
        names = ["uplink", *(guest.port for guest in GUESTS)]
        devices = {name: AF_PACKET.format(number=number, interface=name) for number, name in enumerate(names)}
        self.foreflow = Foreflow(processes, folder, options.binaries, self.inside, self.store, devices)
        self.sampler = None

    def inside(self, command):
        return self.network.inside("fabric", command)

    def set_up(self, progress):
        progress("network: namespaces, cables, one wire with a real capacity")
        self.network.create()
        self.foreflow.prepare()
        progress(f"store: {self.store.name}")
        self.store.start()
        progress("foreflowd and foreflow-dataplane-emulated")
        self.foreflow.start_manager()
        self.foreflow.start_dataplane()
        self.foreflow.wait_connected()
        progress("guests: nginx, redis-server, ffmpeg")
        self.guests.start_servers()
        roles = [role for guest in GUESTS for role in (guest.name, f"client-{guest.name}")]
        self.sampler = Sampler(self.network.counters, roles)
        self.sampler.start()

    def tear_down(self):
        if self.sampler:
            self.sampler.stop()
        self.processes.stop_all()
        self.network.destroy()

    def window(self, measurement, guest, start, end):
        """The stored reports of a guest within the stretch of time, once they have arrived."""
        return acts.stored_window(self.store.series, measurement, guest.name, start, end)


def play(options, folder, processes, ledger, progress):
    stage = Stage(options, folder, processes)
    try:
        stage.set_up(progress)
        progress("quiet", QUIET)
        began = time.time() - QUIET / 2
        stage.guests.start_ordinary_traffic()
        progress("ordinary traffic: page fetches, queries, a video stream", 15)
        stage.foreflow.show("vm", "list")
        acts.applications(stage, ledger)
        progress("the session")
        acts.reports(stage, ledger)
        session.refusals(stage.foreflow, ledger)
        progress("forecast, allocation, rules")
        acts.forecast(stage, ledger)
        acts.rules(stage, ledger)
        stage.guests.stop_ordinary_traffic()
        progress("quiet again", QUIET)
        acts.counting(stage, ledger, began, time.time())
        limits.cap(stage, ledger, progress)
        limits.guarantee(stage, ledger, progress)
        acts.dashboard(stage, ledger, progress)
        if options.keep:
            stage.guests.start_ordinary_traffic()
            keep(stage, ledger)
    finally:
        stage.tear_down()
