# SPDX-License-Identifier: Apache-2.0
"""The two stores that the demonstration can use: the manager's embedded SQLite, or Debian's influxd on a private folder."""
from demo.processes import free_address, run, wait_until
from demo.stored import InfluxSeries, SqliteSeries


class SqliteStore:
    name = "sqlite"
    section = 'kind = "sqlite"'

    def __init__(self, folder):
        self.series = SqliteSeries(folder / "manager" / "series.db")

    def start(self):
        """Embedded: nothing to start."""


INFLUX_CONFIG = """reporting-disabled = true
bind-address = "{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
index-version = "tsi1"
query-log-enabled = false
[http]
bind-address = "{http}"
log-enabled = false
"""


class InfluxStore:
    name = "influxdb"
    database = "foreflow"

    def __init__(self, folder, processes, inside):
        self.folder, self.processes, self.inside = folder / "influxdb", processes, inside
        self.http = free_address()
        self.url = f"http://{self.http}"
        self.section = f'kind = "influxdb"\nurl = "{self.url}"\ndatabase = "{self.database}"'
        self.series = InfluxSeries(inside, self.url, self.database)

    def start(self):
        self.folder.mkdir()
        config = self.folder / "influxdb.conf"
        config.write_text(INFLUX_CONFIG.format(folder=self.folder, http=self.http, rpc=free_address()))
        self.processes.start("influxd", self.inside(["influxd", "run", "-config", config]))
        ping = self.inside(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", f"{self.url}/ping"])
        wait_until(lambda: run(ping, check=False).stdout == "204", "influxd answers", 20)


def make(kind, folder, processes, inside):
    return SqliteStore(folder) if kind == "sqlite" else InfluxStore(folder, processes, inside)
