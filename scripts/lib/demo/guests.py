# SPDX-License-Identifier: Apache-2.0
"""Real servers in the guests, real clients at the far end of the wire, and what the clients themselves report."""
import os
import re
import time

from demo.processes import Failure, run, wait_until
from demo.sampler import LogFigures
from demo.topology import DB, FLOOD, VIDEO, WEB

VALUE_SIZE = 65_536  # of the database's large value
NGINX = """daemon off; user root; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log;
events {{ worker_connections 256; }}
http {{ access_log off; sendfile on; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
  fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 80; root {folder}; }} }}
"""


class Guests:
    def __init__(self, network, processes, folder):
        self.network, self.processes, self.folder = network, processes, folder
        self.db_client = self.flood_sender = None  # what these programs say of themselves, while they run

    def _start(self, name, role, command):
        self.processes.start(name, self.network.inside(role, command))

    def start_servers(self):
        web, db = self.folder / "web", self.folder / "db"
        web.mkdir()
        db.mkdir()
        (web / "page.bin").write_bytes(os.urandom(512 * 1024))
        (web / "nginx.conf").write_text(NGINX.format(folder=web))
        self._start("nginx", WEB.name, ["nginx", "-p", web, "-e", web / "nginx-error.log", "-c", web / "nginx.conf"])
        self._start("redis", DB.name, ["redis-server", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "",
                                       "--dir", db])
        # Twenty seconds of a test picture, sent in a loop later: encoding again and again would only cost processor.
        run(["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-t", "20", "-c:v",
             "mpeg2video", "-b:v", "4M", "-minrate", "4M", "-maxrate", "4M", "-bufsize", "1M", self.folder / "clip.ts"])
        redis = self.network.inside(DB.name, ["redis-cli", "ping"])
        wait_until(lambda: "PONG" in run(redis, check=False).stdout, "redis-server answers", 10)
        run(self.network.inside(DB.name, ["redis-cli", "set", "small", "s" * 8_000]))
        self.processes.require_alive("nginx")

    # ---- ordinary traffic ----------------------------------------------------------------------------------------

    def start_ordinary_traffic(self):
        page = f"http://{WEB.address}/page.bin"
        fetch = f"while :; do curl -sS -o /dev/null --limit-rate 1M {page}; sleep 0.1; done"
        self._start("curl", f"client-{WEB.name}", ["bash", "-c", fetch])
        self._start("redis-cli", f"client-{DB.name}",
                    ["bash", "-c", f"redis-cli -h {DB.address} -r -1 -i 0.01 get small >/dev/null"])
        self._start_video()

    def stop_ordinary_traffic(self):
        self.processes.stop("curl", "redis-cli", "rtsp-send", "rtsp-watch")

    def _start_video(self):
        """The guest publishes its stream by RTSP, with RTP inside the same connection, to a player that listens."""
        url = f"rtsp://{VIDEO.client_address}:8554/live"
        self._start("rtsp-watch", f"client-{VIDEO.name}",
                    ["ffmpeg", "-nostdin", "-loglevel", "warning", "-rtsp_flags", "listen", "-i", url, "-c", "copy", "-f",
                     "null", "-"])
        time.sleep(0.5)
        self._start("rtsp-send", VIDEO.name,
                    ["ffmpeg", "-nostdin", "-loglevel", "warning", "-re", "-stream_loop", "-1", "-i",
                     self.folder / "clip.ts", "-c", "copy", "-rtsp_transport", "tcp", "-f", "rtsp", url])

    # ---- load ----------------------------------------------------------------------------------------------------

    def start_web_load(self, seconds):
        """Small windows: what has arrived but is not read when wrk ends, and so not in its report, stays small."""
        run(self.network.inside(f"client-{WEB.name}", ["sysctl", "-qw", "net.ipv4.tcp_rmem=4096 65536 65536"]))
        self._start("wrk", f"client-{WEB.name}",
                    ["wrk", "-t", "1", "-c", "4", "-d", f"{seconds}s", f"http://{WEB.address}/page.bin"])

    def web_client_report(self):
        """Bytes that wrk says it has read in its run, once it has ended: all of HTTP, nothing below."""
        self.processes.running["wrk"].wait(30)
        found = re.findall(r"requests in [\d.]+\w+, ([\d.]+)([KMG]?)B read", self.processes.log("wrk").read_text())
        if not found:
            raise Failure(f"wrk reported nothing read:\n{self.processes.tail('wrk')}")
        number, unit = found[-1]
        return float(number) * {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[unit]

    def prepare_db_load(self):
        run(self.network.inside(DB.name, ["redis-benchmark", "-q", "-t", "set", "-n", "10", "-d", VALUE_SIZE]))

    def start_db_load(self):
        self._start("redis-benchmark", f"client-{DB.name}",
                    ["redis-benchmark", "-h", DB.address, "-q", "-t", "get", "-d", VALUE_SIZE, "-c", "4", "-n", "100000000"])
        # It prints each quarter of a second how many answers it got a second; an answer is $65536, the value, and CR LF.
        self.db_client = LogFigures(self.processes.log("redis-benchmark"), rb"rps=([\d.]+)",
                                    (len(f"${VALUE_SIZE}\r\n") + VALUE_SIZE + 2) * 8)
        self.db_client.start()

    def stop_db_load(self):
        self.db_client.stop()
        self.processes.stop("redis-benchmark")

    def start_flood(self):
        sink = ["iperf3", "-s", "-p", "5201"]
        self._start("iperf3-sink", f"client-{VIDEO.name}", sink)
        time.sleep(0.3)
        self._start("iperf3-flood", VIDEO.name,
                    ["iperf3", "-c", VIDEO.client_address, "-p", "5201", "-u", "-b", FLOOD, "-l", "1400", "-t", "600", "-i",
                     "0.5", "-f", "k", "--forceflush"])
        self.flood_sender = LogFigures(self.processes.log("iperf3-flood"), rb"([\d.]+) Kbits/sec", 1e3)
        self.flood_sender.start()

    def stop_flood(self):
        self.flood_sender.stop()
        self.processes.stop("iperf3-flood", "iperf3-sink")
