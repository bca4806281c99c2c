# SPDX-License-Identifier: Apache-2.0
"""The capture that forwarders replay for ever: 1,024 packets of 256 TCP flows among 64 VMs, in turn.

Sizes are those of the frame without FCS. Each flow has its own pair of addresses, and a pair of VMs that is 1 of 64
senders and another one as receiver; so every burst of 32 packets is from 32 VMs."""
import socket
import struct

from demo.capture import ACK, checksum, write

VMS = 64
FLOWS = 256
PACKETS = 1024
MIX = (64, 64, 594, 64, 64, 594, 64, 1518, 64, 594, 64, 594)  # 7:4:1
SMALL = (64,)
SOURCE_PORT, TARGET_PORT = 0x4000, 443
HEADERS = 14 + 20 + 20


def mac(vm):
    return struct.pack("!HHBB", 0x0200, 0, vm >> 8, vm & 0xFF)


def source_address(flow):
    return f"10.1.{flow >> 8}.{flow & 0xFF}"


def target_address(flow):
    return f"10.2.{flow >> 8}.{flow & 0xFF}"


def sender(flow):
    return flow % VMS


def receiver(flow):
    """Another VM; both are even or both odd, so that two workers can be fed apart."""
    return (flow + 2 * (1 + flow // VMS)) % VMS


def frame(flow, size, count):
    """A segment of an open connection, padded as Ethernet does."""
    payload = bytes((17, 3, 3)) * ((max(0, size - HEADERS) + 2) // 3)
    tcp = struct.pack("!HHIIBBHHH", SOURCE_PORT, TARGET_PORT, count * 1460, 1, 5 << 4, ACK, 65535, 0, 0)
    tcp += payload[:size - HEADERS] if size > 64 else b""
    ends = socket.inet_aton(source_address(flow)) + socket.inet_aton(target_address(flow))
    tcp = tcp[:16] + struct.pack("!H", checksum(ends + struct.pack("!BBH", 0, 6, len(tcp)) + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), count, 0x4000, 64, 6, 0) + ends
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return (mac(receiver(flow)) + mac(sender(flow)) + b"\x08\x00" + ip + tcp).ljust(size, b"\0")


def write_capture(path, sizes, chosen=lambda flow: True):
    """The packets of the flows that are `chosen`, in order."""
    write(path, [(0.0, frame(i % FLOWS, sizes[i % len(sizes)], i // FLOWS)) for i in range(PACKETS)
                 if chosen(i % FLOWS)])
