# SPDX-License-Identifier: Apache-2.0
"""A train of numbered datagrams, a thousand each second: `send ADDRESS SECONDS` on one side, `receive SECONDS` on the other.
The receiver prints one JSON object: how many came, how many numbers are missing, the longest time without one (ms), and
each time of LONG_MS and more with when it began (ns of the wall clock).

When a datagram came is said by the kernel (SO_TIMESTAMPNS), not by when this program got to read it; both programs are of
the class SCHED_FIFO where they may, so that they are as late as the machine is and not later."""
import contextlib
import gc
import json
import os
import socket
import struct
import sys
import time

PORT = 9_999
PERIOD_NS = 1_000_000
SIZE = 200
LONG_MS = 3
SO_TIMESTAMPNS = 35  # asm-generic/socket.h; Python does not name it
PRIORITY = 40


def hurry():
    """Whether the class could be had."""
    gc.disable()
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except PermissionError:
        return False
    return True


def send(address, seconds):
    hurry()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        start = time.monotonic_ns()
        for number in range(int(seconds * 1e9 / PERIOD_NS)):
            time.sleep(max(0, start + number * PERIOD_NS - time.monotonic_ns()) / 1e9)
            with contextlib.suppress(OSError):  # no interface, no route: nothing left
                out.sendto(struct.pack("!IQ", number, time.time_ns()).ljust(SIZE, b"\0"), (address, PORT))


def arrival(ancillary):
    """The kernel's time of a datagram in ns."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack_from("@ll", data)
            return seconds * 1_000_000_000 + nanoseconds
    raise RuntimeError("the kernel gave no time")


def gap_ns(last, now):
    """Between two arrivals, less what the sender itself waited too long between the two."""
    (arrived, sent, number), (arrived_now, sent_now, number_now) = last, now
    return (arrived_now - arrived) - max(0, (sent_now - sent) - (number_now - number) * PERIOD_NS)


def receive(seconds):
    is_first = hurry()
    numbers, longest, long, last = [], 0, [], None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as into:
        into.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        into.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        into.bind(("0.0.0.0", PORT))
        into.settimeout(2)
        end = time.monotonic() + seconds + 2
        while time.monotonic() < end:
            try:
                data, ancillary, _, _ = into.recvmsg(SIZE, socket.CMSG_SPACE(16))
            except TimeoutError:
                break
            number, sent = struct.unpack_from("!IQ", data)
            now = (arrival(ancillary), sent, number)
            numbers.append(number)
            if last:
                gap = gap_ns(last, now)
                longest = max(longest, gap)
                if gap >= LONG_MS * 1e6:
                    long.append((last[0], gap))
            last = now
    lost = sorted(set(range(numbers[-1] + 1)) - set(numbers)) if numbers else []
    print(json.dumps({"received": len(numbers), "missing": len(lost) if numbers else None, "lost": lost[:100],
                      "longest_gap_ms": longest / 1e6, "long": long, "first_class": is_first}))


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(sys.argv[2], float(sys.argv[3]))
    else:
        receive(float(sys.argv[2]))
