# SPDX-License-Identifier: Apache-2.0
"""Reads the manager's series straight from the database, past all of Foreflow's programs.

A point is (time in Unix seconds, {field: value}); of a report the values are deltas and the time is its end.
"""
import bisect
import json
import sqlite3
import struct
import urllib.parse

from demo.processes import Failure, run


class SqliteSeries:
    """The format is that of host/store/sqlite_schema.cc and field_codec.h."""

    def __init__(self, path):
        self.path = path

    def points(self, measurement, subject, start, end):
        query = """SELECT p.time, p.fields FROM points_raw p JOIN series s ON s.id = p.series
                   WHERE s.measurement = ? AND s.subject = ? AND p.time >= ? AND p.time < ? ORDER BY p.time"""
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10) as database:
            names = dict(database.execute("SELECT id, name FROM field"))
            rows = database.execute(query, (measurement, subject, int(start * 1e9), int(end * 1e9))).fetchall()
        return [(time / 1e9, {names[number]: value for number, value in decode(blob)}) for time, blob in rows]


def decode(blob):
    """The (field number, value) pairs of one stored point."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            octet = blob[at]
            at += 1
            value |= (octet & 0x7F) << shift
            shift += 7
            if octet < 0x80:
                return value

    while at < len(blob):
        number, is_double = divmod(varint(), 2)
        if is_double:
            yield number, struct.unpack_from("<d", blob, at)[0]
            at += 8
        else:
            zigzag = varint()
            yield number, (zigzag >> 1) ^ -(zigzag & 1)


class InfluxSeries:
    """Asks influxd by HTTP from within its namespace; `inside` turns a command into one that runs there."""

    def __init__(self, inside, url, database):
        self.inside, self.url, self.database = inside, url, database

    def points(self, measurement, subject, start, end):
        tag = "dpu" if measurement == "dataplane" else "vm"
        query = (f'SELECT * FROM "{measurement}" WHERE "{tag}" = \'{subject}\' AND time >= {int(start * 1e9)} '
                 f"AND time < {int(end * 1e9)}")
        words = urllib.parse.urlencode({"db": self.database, "epoch": "ns", "q": query})
        answer = json.loads(run(self.inside(["curl", "-sS", f"{self.url}/query?{words}"])).stdout)
        result = answer["results"][0]
        if "error" in result:
            raise Failure(f"influxd refused '{query}': {result['error']}")
        points = []
        for series in result.get("series", []):
            for row in series["values"]:
                values = dict(zip(series["columns"], row))
                points.append((values.pop("time") / 1e9,
                               {k: v for k, v in values.items() if isinstance(v, (int, float))}))
        return sorted(points, key=lambda point: point[0])


class Window:
    """Whole report intervals of one VM within a stretch of time: (start, end] and the sums of their fields."""

    def __init__(self, points, start, end):
        times = [time for time, _ in points]
        first = bisect.bisect_left(times, start)
        last = bisect.bisect_right(times, end) - 1
        if last - first < 2:
            raise Failure(f"only {max(last - first, 0)} reports stored within {end - start:.0f} s")
        self.start, self.end = times[first], times[last]
        self.reports = last - first
        self._fields = [fields for _, fields in points[first + 1:last + 1]]

    @property
    def seconds(self):
        return self.end - self.start

    def total(self, field):
        return sum(fields.get(field, 0) for fields in self._fields)

    def bits_per_second(self, field):
        """Eight times the field's sum per second (of a count of packets: what one byte in each would take)."""
        return self.total(field) * 8 / self.seconds

    def field_names(self):
        return {name for fields in self._fields for name in fields}
