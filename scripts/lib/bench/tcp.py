# SPDX-License-Identifier: Apache-2.0
"""scripts/bench tcp: one persistent TCP connection through a cap, at several caps at once.

A client behind the uplink sends to a guest each (iperf3, CUBIC of the kernel) through the packaged dataplane, which
meters in software. What arrives is read from the guest's interface each second: L2 bytes without FCS, as the cap counts
them. Needs root for namespaces."""
import argparse
import sys
import tempfile
import time

from bench.figures import Figure, report
from bench.veth import CLIENT, NETWORK, Veth
from demo.processes import Failure, run

CAPS = (10_000_000, 100_000_000, 1_000_000_000)  # bit/s
SECONDS, FIRST = 40, 10
WINDOW = 5


def label(cap):
    return f"{cap // 1_000_000} Mbit/s" if cap < 1_000_000_000 else f"{cap // 1_000_000_000} Gbit/s"


def rates(veth, guests):
    """Bit/s that each guest received in each second."""
    before = [veth.received(f"guest{guest}") for guest in guests]
    began, found = time.monotonic(), [[] for _ in guests]
    last = began
    for second in range(SECONDS):
        time.sleep(max(0, began + second + 1 - time.monotonic()))
        now = time.monotonic()
        for at, guest in enumerate(guests):
            count = veth.received(f"guest{guest}")
            found[at].append((count - before[at]) * 8 / (now - last))
            before[at] = count
        last = now
    return found


def measure(veth, caps, shape):
    veth.start(*(["--shape"] if shape else []), *[word for cap in caps for word in ("--cap", cap // 8)])
    guests = range(len(caps))
    for guest in guests:
        veth.processes.start(f"server{guest}", veth.inside(f"guest{guest}", ["iperf3", "-s", "-1"]))
    time.sleep(0.5)
    for guest in guests:
        veth.processes.start(f"client{guest}", veth.inside(CLIENT, [
            "iperf3", "-c", f"{NETWORK}{guest + 1}", "-t", str(SECONDS + 2)]))
    found = rates(veth, guests)
    for guest in guests:
        veth.processes.require_alive(f"client{guest}")
    veth.processes.stop(*[f"{end}{guest}" for guest in guests for end in ("client", "server")])
    veth.stop()
    return found


def figures(caps, found, shape):
    for cap, seconds in zip(caps, found):
        name = f"{label(cap)}{', shape' if shape else ''}"
        settled = seconds[FIRST:]
        mean = sum(settled) / len(settled)
        windows = [sum(settled[at:at + WINDOW]) / WINDOW for at in range(len(settled) - WINDOW + 1)]
        spread = (max(windows) - min(windows)) / mean if mean else 0
        yield Figure(f"{name}: mean of seconds {FIRST}-{SECONDS}", mean / 1e6, "Mbit/s", "cap", cap / 1e6, .95, spread, True)
        yield Figure(f"{name}: the same, at most", mean / 1e6, "Mbit/s", "cap", cap / 1e6, 1.01)
        yield Figure(f"{name}: largest window of {WINDOW} s", max(windows) / 1e6, "Mbit/s", "cap", cap / 1e6,
                     1.01 if shape else None)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench tcp", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    parser.add_argument("--cap", action="append", type=int, metavar="BIT/S", help="only this one; may be repeated")
    parser.add_argument("--mode", action="append", choices=("police", "shape"), help="only this one")
    arguments = parser.parse_args()
    caps = arguments.cap or CAPS
    found = []
    with tempfile.TemporaryDirectory(prefix="foreflow-bench-") as name:
        try:
            run(["sh", "-c", "command -v iperf3"])
            with Veth(name, len(caps)) as veth:
                for mode in arguments.mode or ("police", "shape"):
                    print(f"bench: {mode}, {SECONDS} s", file=sys.stderr, flush=True)
                    shape = mode == "shape"
                    found += figures(caps, measure(veth, caps, shape), shape)
        except Failure as failure:
            print(f"bench: {failure}", file=sys.stderr)
            return 2
    return report(found, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
