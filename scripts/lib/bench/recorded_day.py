# SPDX-License-Identifier: Apache-2.0
"""A day of demand of VMs that share links which are too small, and its packets: twenty minutes become a second.

Each VM has its own level, hour of most demand and noise that lasts, and now and then a burst; seeds are fixed. Rates are
bytes per second of whole frames without FCS."""
import math
import random
import struct

from demo import capture

ROWS = 72            # of twenty minutes
ROW = 1.0            # seconds that stand for one
FRAME = 800          # bytes
CAPACITY = 0.7       # of a link, as a share of the sum of its VMs' 99th percentiles
GUARANTEE = 0.6      # of the capacity, in proportion to these
GATEWAY = capture.End("52:54:00:00:01:00", "10.77.0.254", 9)


def demand(number, mean):
    """Rates of the rows of one VM."""
    chance = random.Random(number)
    busiest, swing, noise = chance.uniform(0, ROWS), chance.uniform(0.3, 0.8), 0.0
    rates, burst = [], 0
    for row in range(ROWS):
        noise = 0.8 * noise + chance.gauss(0, 0.2)
        burst = burst - 1 if burst else chance.choice((2, 4, 8)) if chance.random() < 0.02 else 0
        level = 1 + swing * math.cos(2 * math.pi * (row - busiest) / ROWS)
        rates.append(mean * level * math.exp(noise) * (3 if burst else 1))
    return rates


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def link(rates):
    """(capacity, guarantees) of a link, from the rates of its VMs."""
    peaks = [percentile(series, 0.99) for series in rates]
    capacity = CAPACITY * sum(peaks)
    return capacity, [GUARANTEE * capacity * peak / sum(peaks) for peak in peaks]


def frames(vm, number, rates, base):
    """(time, frame) of what a VM sends to the gateway: even within a row, packets never counted in halves."""
    source = capture.End(vm.mac, f"10.77.0.{number + 1}", 9)
    yield base, capture.hello_frame(source)
    udp = struct.pack("!HHHH", 9, 9, FRAME - 34, 0).ljust(FRAME - 34, b"\0")
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, FRAME - 14, 0, 0x4000, 64, 17, 0, source.address, GATEWAY.address)
    header = header[:10] + struct.pack("!H", capture.checksum(header)) + header[12:]
    frame = GATEWAY.mac + source.mac + b"\x08\x00" + header + udp
    owed = 0.0
    for row, rate in enumerate(rates):
        owed += rate * ROW / FRAME
        count = int(owed)
        owed -= count
        for packet in range(count):
            yield base + row * ROW + (packet + 0.5) * ROW / count, frame


def write(folder, vms, rates, base):
    """VM's port -> its capture; "uplink" only says hello."""
    folder.mkdir()
    for number, (vm, series) in enumerate(zip(vms, rates)):
        capture.write(folder / f"{vm.port}.pcap", frames(vm, number, series, base))
    last = base + ROWS * ROW
    capture.write(folder / "uplink.pcap", [(when, capture.hello_frame(GATEWAY)) for when in (base, last)])


def size(path):
    """Bytes of all frames."""
    return sum(len(frame) for _, frame in capture.read(path))
