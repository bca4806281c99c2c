# SPDX-License-Identifier: Apache-2.0
"""Reads interface counters all the time, so that any window of time can be asked for afterwards."""
import bisect
import re
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Traffic:
    """What an interface received and sent within `seconds`."""
    seconds: float
    rx_bytes: float
    rx_packets: float
    tx_bytes: float
    tx_packets: float
    duplicates: float  # TCP segments that were received although they had been before

    @property
    def rx_rate(self):
        return self.rx_bytes * 8 / self.seconds

    @property
    def tx_rate(self):
        return self.tx_bytes * 8 / self.seconds


class Sampler(threading.Thread):
    """Samples `read(role)` of every role each `period` seconds. Times are Unix seconds."""

    def __init__(self, read, roles, period=0.05):
        super().__init__(daemon=True)
        self._read, self._period = read, period
        self._series = {role: ([], []) for role in roles}
        self._done = threading.Event()

    def run(self):
        while not self._done.is_set():
            for role, (times, values) in self._series.items():
                before = time.time()
                try:
                    value = self._read(role)
                except OSError:
                    return
                values.append(value)
                times.append((before + time.time()) / 2)
            self._done.wait(self._period)

    def stop(self):
        self._done.set()
        self.join()

    def at(self, role, when):
        """The counters at that moment, by linear interpolation."""
        times, values = self._series[role]
        count = len(values)
        index = min(max(bisect.bisect_left(times, when, 0, count), 1), count - 1)
        span = times[index] - times[index - 1]
        part = min(max((when - times[index - 1]) / span, 0.0), 1.0)
        return [a + (b - a) * part for a, b in zip(values[index - 1], values[index])]

    def between(self, role, start, end):
        first, last = self.at(role, start), self.at(role, end)
        return Traffic(end - start, *(b - a for a, b in zip(first, last)))


class LogFigures(threading.Thread):
    """Follows a program's log and notes when it says which figure: the only group of `pattern`, times `scale`."""

    def __init__(self, path, pattern, scale, period=0.05):
        super().__init__(daemon=True)
        self._path, self._pattern, self._scale, self._period = path, re.compile(pattern), scale, period
        self._times, self._values = [], []
        self._done = threading.Event()

    def run(self):
        with open(self._path, "rb") as log:
            rest = b""
            while not self._done.wait(self._period):
                *lines, rest = re.split(rb"[\r\n]", rest + log.read())
                for number in (found[1] for line in lines if (found := self._pattern.search(line))):
                    self._values.append(float(number) * self._scale)
                    self._times.append(time.time())

    def stop(self):
        self._done.set()
        self.join()

    def mean(self, start, end):
        """Of what was said within the stretch, each figure standing for the same time; 0 when nothing was."""
        count = len(self._times)
        said = self._values[bisect.bisect_left(self._times, start, 0, count):bisect.bisect_right(self._times, end, 0, count)]
        return sum(said) / len(said) if said else 0.0
