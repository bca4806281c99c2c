# SPDX-License-Identifier: Apache-2.0
"""A train of numbered datagrams, a thousand each second: `send ADDRESS SECONDS` on one side, `receive SECONDS` on the other.
The receiver prints one JSON object: how many came, how many numbers are missing, and the longest time without one (ms)."""
import json
import socket
import struct
import sys
import time

PORT = 9_999
PERIOD = 0.001
SIZE = 200


def send(address, seconds):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        start = time.monotonic()
        for number in range(int(seconds / PERIOD)):
            time.sleep(max(0.0, start + number * PERIOD - time.monotonic()))
            out.sendto(struct.pack("!Id", number, time.monotonic()).ljust(SIZE, b"\0"), (address, PORT))


def receive(seconds):
    """A gap is the time between two arrivals less what the sender itself waited too long between the two."""
    numbers, gaps, last = [], [], None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as into:
        into.bind(("0.0.0.0", PORT))
        into.settimeout(2)
        end = time.monotonic() + seconds + 2
        while time.monotonic() < end:
            try:
                data = into.recv(SIZE)
            except TimeoutError:
                break
            arrived = time.monotonic()
            number, sent = struct.unpack_from("!Id", data)
            numbers.append(number)
            if last:
                gaps.append((arrived - last[0]) - max(0.0, (sent - last[1]) - (number - last[2]) * PERIOD))
            last = (arrived, sent, number)
    missing = numbers[-1] + 1 - len(set(numbers)) if numbers else None
    print(json.dumps({"received": len(numbers), "missing": missing, "longest_gap_ms": 1e3 * max(gaps, default=0)}))


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(sys.argv[2], float(sys.argv[3]))
    else:
        receive(float(sys.argv[2]))
