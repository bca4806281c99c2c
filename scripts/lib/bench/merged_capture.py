# SPDX-License-Identifier: Apache-2.0
"""One large capture made of many small ones: each comes `copies` times, each time between other addresses.

The addresses of a capture or copy are changed by one exclusive or, so that its flows stay apart from all others; groups
(multicast, broadcast) stay what they are. Checksums are not made anew: neither program under test looks at them."""
import socket
import ssl
import struct

from demo.capture import End, conversation

ETHERNET = 1
IPV4, IPV6 = b"\x08\x00", b"\x86\xdd"
VLAN = (b"\x81\x00", b"\x88\xa8")
LARGEST = 65_600  # bytes; a damaged record may state more
GAP = 1.0  # seconds at most between two packets, so that captures of days stay in order and within range
MAGICS = {b"\xd4\xc3\xb2\xa1": ("<", 1e6), b"\xa1\xb2\xc3\xd4": (">", 1e6),
          b"\x4d\x3c\xb2\xa1": ("<", 1e9), b"\xa1\xb2\x3c\x4d": (">", 1e9)}


def read(path):
    """[(time, size on the wire, frame)] of a classic capture; none of one that is not Ethernet. Ends where it is cut."""
    data = path.read_bytes()
    order, fraction = MAGICS.get(data[:4], ("<", 0))
    if not fraction or len(data) < 24 or struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF != ETHERNET:
        return []
    frames, at = [], 24
    while at + 16 <= len(data):
        seconds, part, kept, size = struct.unpack_from(order + "IIII", data, at)
        frames.append((seconds + part / fraction, size if kept <= size <= LARGEST else kept,
                       data[at + 16:at + 16 + kept]))
        at += 16 + kept
    return frames


def captures_of(folder):
    for path in sorted(folder.rglob("*.pcap")):
        if frames := read(path):
            yield frames


def network_header(frame):
    at = 12
    while frame[at:at + 2] in VLAN:
        at += 4
    return frame[at:at + 2], at + 2


def moved(frame, key):
    """The frame between two other addresses; `key`: three bytes that go over a part of each."""
    kind, at = network_header(frame)
    places = (at + 12, at + 16) if kind == IPV4 else (at + 8, at + 24) if kind == IPV6 else ()
    changed = bytearray(frame)
    for place in places:
        group = 224 if kind == IPV4 else 255
        first = place + 1 if kind == IPV4 else place + 5
        if first + 3 <= len(changed) and changed[place] < group:
            for i in range(3):
                changed[first + i] ^= key[i]
    return changed


def write(path, captures, copies):
    """Writes all and returns (packets, bytes on the wire)."""
    packets = size = 0
    now = 1e9
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, ETHERNET))
        for number in range(len(captures) * copies):
            frames = captures[number % len(captures)]
            key = number.to_bytes(3, "big")
            before = frames[0][0]
            for when, wire, frame in frames:
                now += min(max(when - before, 0), GAP)
                before = when
                micros = round(now * 1e6)
                file.write(struct.pack("<IIII", micros // 10**6, micros % 10**6, len(frame), wire))
                file.write(moved(frame, key))
                packets += 1
                size += wire
    return packets, size


def client_hello(name):
    """As this machine's OpenSSL says it."""
    said = ssl.MemoryBIO()
    session = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), said, server_hostname=name)
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return said.read()


def record(kind, content):
    return bytes((kind, 3, 3)) + struct.pack("!H", len(content)) + content


def dialogues():
    """(server's port, [(from the server?, bytes)]): how sessions of common protocols begin, then bulk."""
    sealed = record(23, bytes(range(256)) * 20)
    hello_back = record(22, b"\2" + (38).to_bytes(3, "big") + b"\3\3" + bytes(36))
    web = b"GET / HTTP/1.1\r\nHost: files.example\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000
    greeting = b"\x0a8.0.36\0" + bytes(8) + b"abcdefgh\0" + b"\xff\xff\x21\x02\0\xff\xdf\x15" + bytes(10) + b"abcdefghijkl\0"
    yield 443, [(0, client_hello("www.example.org")), (1, hello_back), (0, sealed), (1, sealed), (1, sealed)]
    yield 443, [(0, client_hello("updates.example.com")), (1, hello_back), (1, sealed), (1, sealed), (0, sealed)]
    yield 80, [(0, web), (1, answer), (0, web), (1, answer)]
    yield 22, [(1, b"SSH-2.0-OpenSSH_9.2p1\r\n"), (0, b"SSH-2.0-OpenSSH_9.2p1\r\n"), (0, bytes(700)), (1, bytes(9000))]
    yield 25, [(1, b"220 mx.example ESMTP ready\r\n"), (0, b"EHLO client.example\r\n"), (1, b"250 HELP\r\n"),
               (0, b"MAIL FROM:<a@example>\r\n"), (1, b"250 OK\r\n"), (0, b"DATA\r\n"), (0, b"text\r\n" * 1500)]
    yield 6379, [(0, b"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"), (1, b"$5\r\nvalue\r\n")] * 6
    yield 3306, [(1, len(greeting).to_bytes(3, "little") + b"\0" + greeting),
                 (0, b"\x15\0\0\0\x03SELECT * FROM accounts"[:25]), (1, bytes(9000))]


def dns_exchange(client, server):
    name = b"\3www\7example\3org\0\0\1\0\1"
    query = b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + name
    answer = b"\x12\x34\x81\x80\0\1\0\1\0\0\0\0" + name + b"\xc0\x0c\0\1\0\1\0\0\1\0\0\4\xc0\0\2\1"
    for when, source, target, data in ((0.0, client, server, query), (0.01, server, client, answer)):
        udp = struct.pack("!HHHH", source.port, target.port, 8 + len(data), 0) + data
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, source.address, target.address)
        yield when, len(ip) + len(udp) + 14, target.mac + source.mac + IPV4 + ip + udp


def generated():
    """One capture per conversation: TCP of about 20 packets with real first payloads, and DNS."""
    client = End("02:00:00:00:00:01", "10.1.0.1", 40001)
    for port, said in dialogues():
        server = End("02:00:00:00:00:02", "10.2.0.1", port)
        exchanges = [(1 + 0.02 * i, bool(side), data, 0.01) for i, (side, data) in enumerate(said)]
        yield [(when, len(frame), frame) for when, _, frame in conversation(client, server, exchanges)]
    yield list(dns_exchange(client, End("02:00:00:00:00:02", socket.inet_ntoa(b"\x0a\2\0\1"), 53)))
