# SPDX-License-Identifier: Apache-2.0
"""What the demonstration consists of: guests, their addresses and their promises. Plain values, nothing runs here."""
from dataclasses import dataclass

MEGA = 1_000_000

WIRE_CAPACITY = 100 * MEGA     # bit/s that the emulated cable really carries, both ways
UPLINK_CAPACITY = 95 * MEGA    # bit/s that Foreflow is told to plan with
WEB_CAP = 20 * MEGA            # set while traffic runs
DB_GUARANTEE = 50 * MEGA
FLOOD = 200 * MEGA             # what the video guest sends when it floods
DATAPLANE = "dpu0"


@dataclass(frozen=True)
class Guest:
    name: str
    number: int
    protocol: str  # what the dataplane has to recognise
    category: str
    server: str    # for people
    client: str

    @property
    def mac(self):
        return f"52:54:00:00:00:{self.number:02x}"

    @property
    def address(self):
        return f"10.77.0.{self.number}"

    @property
    def client_address(self):
        return f"10.77.0.{self.number + 100}"

    @property
    def port(self):
        return f"vm-{self.name}"


WEB = Guest("web", 1, "http", "web", "nginx", "curl, wrk")
DB = Guest("db", 2, "redis", "database", "redis-server", "redis-cli, redis-benchmark")
VIDEO = Guest("video", 3, "rtsp", "video", "ffmpeg (RTSP)", "ffmpeg")
GUESTS = (WEB, DB, VIDEO)
