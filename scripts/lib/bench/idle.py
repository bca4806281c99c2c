# SPDX-License-Identifier: Apache-2.0
"""scripts/bench idle: what four ports without traffic cost, and what a packet pays that comes while the worker sleeps.

The packaged dataplane on three guests' ports and the uplink. Cost: processor time of the poll thread. Latency: round
trips of single small UDP packets 10 ms apart, answered by a guest, with idle_sleep on and off; each crosses the
dataplane twice. What waking up costs is the machine's: a thread that does nothing but sleep stands beside it. Needs root
for namespaces."""
import argparse
import ctypes
import statistics
import sys
import tempfile
import time

from bench.figures import Figure, report
from bench.veth import CLIENT, NETWORK, Veth
from demo.processes import Failure

GUESTS = 3
IDLE_SECONDS = 5
WORKER_SLEEP_US = 50  # engine.cc
ROUND_TRIPS = 1_500

ECHO = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", 9000))
while True:
    data, peer = s.recvfrom(64); s.sendto(data, peer)
"""
ASK = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1)
for i in range(int(sys.argv[2])):
    began = time.perf_counter_ns(); s.sendto(b"x", (sys.argv[1], 9000)); s.recv(64)
    print(time.perf_counter_ns() - began); time.sleep(0.01)
"""


def sleeping_alone():
    """Share of a core that this thread takes when it only sleeps, as long and as often as a worker does."""
    sleep = ctypes.CDLL(None).usleep
    before, began = time.thread_time_ns(), time.monotonic_ns()
    while time.monotonic_ns() - began < IDLE_SECONDS * 1e9:
        sleep(WORKER_SLEEP_US)
    return (time.thread_time_ns() - before) / (time.monotonic_ns() - began)


def round_trips(veth):
    """us, sorted."""
    asked = veth.processes.start("ask", veth.inside(CLIENT, [
        "/usr/bin/python3", "-c", ASK, f"{NETWORK}1", str(ROUND_TRIPS)]), stdout=open(veth.folder / "times", "wb"))
    if asked.wait(120) != 0:
        raise Failure(f"the client ended early:\n{veth.processes.tail('ask')}")
    return sorted(int(line) / 1000 for line in (veth.folder / "times").read_text().split())


def measure(veth, idle_sleep):
    """(share of a core while idle, round trips)."""
    veth.start(idle_sleep=idle_sleep)
    veth.processes.start("echo", veth.inside("guest0", ["/usr/bin/python3", "-c", ECHO]))
    time.sleep(1)
    before, began = veth.worker_cpu_ns(), time.monotonic_ns()
    time.sleep(IDLE_SECONDS)
    share = (veth.worker_cpu_ns() - before) / (time.monotonic_ns() - began)
    times = round_trips(veth)
    veth.processes.stop("echo")
    veth.stop()
    return share, times


def at(times, part):
    return times[int(part * (len(times) - 1))]


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench idle", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="foreflow-bench-") as name:
        try:
            with Veth(name, GUESTS) as veth:
                share, sleeping = measure(veth, True)
                busy, awake = measure(veth, False)
                alone = sleeping_alone()
        except Failure as failure:
            print(f"bench: {failure}", file=sys.stderr)
            return 2
    added = at(sleeping, .99) - at(awake, .99)
    return report([
        Figure("4 idle ports", share * 100, "% of a core", "bar", 5, 1),
        Figure("4 idle ports", share * 100, "% of a core", "a thread that only sleeps", alone * 100),
        Figure("the same without idle_sleep", busy * 100, "% of a core"),
        Figure("round trip, p99 added by sleeping", added, "us", "bar", 200, 1),
        Figure("round trip, p50", statistics.median(sleeping), "us", "without idle_sleep", statistics.median(awake)),
        Figure("round trip, p99", at(sleeping, .99), "us", "without idle_sleep", at(awake, .99)),
    ], arguments.json)


if __name__ == "__main__":
    sys.exit(main())
