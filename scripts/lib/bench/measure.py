# SPDX-License-Identifier: Apache-2.0
"""Packets per second of processor time of a poll thread, as the kernel accounts it: steady on a loaded machine."""
import os
import pathlib
import signal
import statistics
import struct
import time
from dataclasses import dataclass, field

LINE = 64  # tests/bench/dataplane/probe.cc: one cache line per receive queue
WARM_UP, MEASURE = 0.4, 1.0  # seconds


@dataclass
class Reading:
    packets: int
    cpu_ns: int


class Probe:
    """What the preloaded library shows of one forwarder."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def environment(self, library, variations, packets_per_pass=None):
        extra = {"LD_PRELOAD": str(library), "FOREFLOW_PROBE_COUNTS": str(self.path)}
        if variations is not None:
            extra["FOREFLOW_PROBE_VARIATIONS"] = str(variations)
        if packets_per_pass is not None:
            extra["FOREFLOW_PROBE_PASS"] = str(packets_per_pass)
        return extra

    def queues(self):
        """{(port, queue): (packets, thread)} of the queues that are polled."""
        try:
            data = self.path.read_bytes()
        except OSError:
            return {}
        lines = (struct.unpack_from("<QQQQ", data, at) for at in range(0, len(data), LINE))
        return {(port, queue): (packets, thread) for packets, thread, port, queue in lines if thread}

    def reading(self, pid):
        """{thread: Reading} of all threads that poll."""
        totals = {}
        for packets, thread in self.queues().values():
            totals[thread] = totals.get(thread, 0) + packets
        return {thread: Reading(packets, cpu_time_ns(pid, thread)) for thread, packets in totals.items()}


def cpu_time_ns(pid, thread):
    return int(pathlib.Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0])


@dataclass
class Series:
    """ns of processor time per packet of one subject, one value per round; of several threads, the mean."""
    rounds: list = field(default_factory=list)

    @property
    def median(self):
        return statistics.median(self.rounds)

    @property
    def spread(self):
        return (max(self.rounds) - min(self.rounds)) / self.median


def run_for(process, seconds):
    os.kill(process.pid, signal.SIGCONT)
    time.sleep(seconds)


def pause(process):
    os.kill(process.pid, signal.SIGSTOP)


def one_round(forwarder):
    """Lets a paused forwarder run, and returns its cost per packet in ns."""
    run_for(forwarder.process, WARM_UP)
    before = forwarder.probe.reading(forwarder.process.pid)
    time.sleep(MEASURE)
    after = forwarder.probe.reading(forwarder.process.pid)
    pause(forwarder.process)
    costs = [(after[thread].cpu_ns - before[thread].cpu_ns) / (after[thread].packets - before[thread].packets)
             for thread in after]
    return statistics.mean(costs)


def interleaved(forwarders, rounds):
    """{name: Series}: each forwarder in turn, `rounds` times over."""
    series = {forwarder.name: Series() for forwarder in forwarders}
    for _ in range(rounds):
        for forwarder in forwarders:
            series[forwarder.name].rounds.append(one_round(forwarder))
    return series
