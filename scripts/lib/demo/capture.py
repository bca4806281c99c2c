# SPDX-License-Identifier: Apache-2.0
"""Makes captures: complete TCP conversations with true checksums and times, written as classic pcap files."""
import heapq
import socket
import struct

SEGMENT = 1448  # TCP payload per packet, with the 12 bytes of options that time stamps take
FIN, SYN, PSH, ACK = 0x01, 0x02, 0x08, 0x10


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


class End:
    """One end of a conversation."""

    def __init__(self, mac, address, port):
        self.mac, self.address, self.port = mac_bytes(mac), socket.inet_aton(address), port


def tcp_frame(source, target, sequence, acknowledged, flags, payload, when):
    options = b"\1\1\x08\x0a" + struct.pack("!II", int(when * 1000) & 0xFFFFFFFF, 0)
    header = struct.pack("!HHIIBBHHH", source.port, target.port, sequence & 0xFFFFFFFF, acknowledged & 0xFFFFFFFF, 8 << 4,
                         flags, 65535, 0, 0) + options
    pseudo = source.address + target.address + struct.pack("!BBH", 0, 6, len(header) + len(payload))
    header = header[:16] + struct.pack("!H", checksum(pseudo + header + payload)) + header[18:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(header) + len(payload), 0, 0x4000, 64, 6, 0, source.address,
                     target.address)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return target.mac + source.mac + b"\x08\x00" + ip + header + payload


def hello_frame(end):
    """A gratuitous ARP, as a guest sends when it starts."""
    return (b"\xff" * 6 + end.mac + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + end.mac + end.address +
            b"\0" * 6 + end.address)


def conversation(client, server, exchanges):
    """Yields (time, from the server?, frame) of one TCP connection.

    `exchanges` yields (time, from the server?, bytes, seconds that sending them takes), in order of time."""
    ends = (client, server)
    sequence = [1000, 5000]
    first = True
    last = 0.0

    def frame(when, side, flags, payload=b""):
        made = tcp_frame(ends[side], ends[1 - side], sequence[side], sequence[1 - side] if flags & ACK else 0, flags,
                         payload, when)
        sequence[side] += len(payload) + (1 if flags & (SYN | FIN) else 0)
        return when, bool(side), made

    for when, side, data, takes in exchanges:
        if first:
            yield frame(when - 0.003, 0, SYN)
            yield frame(when - 0.002, 1, SYN | ACK)
            yield frame(when - 0.001, 0, ACK)
            first = False
        count = -(-len(data) // SEGMENT)
        for index in range(count):
            last = when + takes * index / count
            yield frame(last, int(side), PSH | ACK, data[index * SEGMENT:(index + 1) * SEGMENT])
            if index % 2:
                yield frame(last + 0.0001, 1 - int(side), ACK)
    yield frame(last + 0.01, 0, FIN | ACK)
    yield frame(last + 0.011, 1, FIN | ACK)


def merged(*streams):
    """Streams of (time, from the server?, frame), each about in order, as one that is exactly in order."""
    return heapq.merge(*(sorted(stream, key=lambda item: item[0]) for stream in streams), key=lambda item: item[0])


def write(path, frames):
    """Writes (time, frame) pairs."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for when, frame in frames:
            micros = round(when * 1e6)
            file.write(struct.pack("<IIII", micros // 10**6, micros % 10**6, len(frame), len(frame)) + frame)


def read(path):
    """Yields (time, frame) of a capture made here or by net_pcap; stops at a record that is cut."""
    with open(path, "rb") as file:
        magic = struct.unpack("<I", file.read(24)[:4])[0]
        fraction = 1e9 if magic == 0xA1B23C4D else 1e6
        while len(head := file.read(16)) == 16:
            seconds, part, kept, _ = struct.unpack("<IIII", head)
            yield seconds + part / fraction, file.read(kept)
