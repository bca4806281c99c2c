# SPDX-License-Identifier: Apache-2.0
"""What guests and clients say to each other in generated captures: HTTP, Redis and RTSP conversations."""
import random
import struct

from demo import capture
from demo.topology import DB, GUESTS, VIDEO, WEB

GATEWAY_MAC = "52:54:00:00:01:00"
BODY = random.Random(7).randbytes(1 << 20)


def web(start, end, bits_per_second, step=0.25):
    """One page after the other, each sent within its step of time."""
    size = int(bits_per_second / 8 * step)
    when = start
    while when < end:
        yield when, False, b"GET /page.bin HTTP/1.1\r\nHost: web.example\r\nUser-Agent: demo\r\nAccept: */*\r\n\r\n", 0
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {size}\r\n\r\n".encode()
        yield when + 0.002, True, head + BODY[:size], step * 0.9
        when += step


def database(start, end, bits_per_second, value_size=8_000):
    step = value_size * 8 / bits_per_second
    when = start
    while when < end:
        yield when, False, b"*2\r\n$3\r\nGET\r\n$5\r\nsmall\r\n", 0
        yield when + 0.001, True, f"${value_size}\r\n".encode() + BODY[:value_size] + b"\r\n", step * 0.5
        when += step


def video(start, end, bits_per_second, frame_rate=25):
    url = f"rtsp://{VIDEO.address}:554/live"
    for number, (method, more) in enumerate((("OPTIONS", ""), ("DESCRIBE", "Accept: application/sdp\r\n"),
                                             ("SETUP", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"),
                                             ("PLAY", "Session: 12345678\r\n")), 1):
        yield start + number * 0.01, False, f"{method} {url} RTSP/1.0\r\nCSeq: {number}\r\n{more}\r\n".encode(), 0
        yield start + number * 0.01 + 0.002, True, f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\nSession: 12345678\r\n\r\n".encode(), 0
    when, sequence = start + 0.1, 0
    size = int(bits_per_second / 8 / frame_rate / 10)
    while when < end:
        picture = b""
        for _ in range(10):
            rtp = struct.pack("!BBHII", 0x80, 33, sequence & 0xFFFF, int(when * 90_000) & 0xFFFFFFFF, 1) + BODY[:size]
            picture += b"$\0" + struct.pack("!H", len(rtp)) + rtp
            sequence += 1
        yield when, True, picture, 0.8 / frame_rate
        when += 1 / frame_rate


def make_captures(folder, base, start, end, rates):
    """Writes vm-*.pcap (from each guest) and uplink.pcap (to them). At `base` guests and gateway say hello."""
    talks = {WEB: (web, 80), DB: (database, 6379), VIDEO: (video, 554)}
    to_guests = []
    for guest in GUESTS:
        talk, port = talks[guest]
        client = capture.End(GATEWAY_MAC, guest.client_address, 40_000 + guest.number)
        server = capture.End(guest.mac, guest.address, port)
        frames = list(capture.merged(capture.conversation(client, server, talk(base + start, base + end, rates[guest]))))
        own = [(base, capture.hello_frame(server)), *((when, frame) for when, ours, frame in frames if ours)]
        capture.write(folder / f"{guest.port}.pcap", own)
        to_guests += [(when, frame) for when, ours, frame in frames if not ours]
    to_guests.sort(key=lambda item: item[0])
    gateway = capture.End(GATEWAY_MAC, "10.77.0.254", 0)
    capture.write(folder / "uplink.pcap", [(base, capture.hello_frame(gateway)), *to_guests])
