# SPDX-License-Identifier: Apache-2.0
"""What a benchmark reports: our figure beside a peer's, their ratio and the bar; the form of tests/bench/figures.h."""
import json
import pathlib
from dataclasses import dataclass


@dataclass
class Figure:
    figure: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float = 0.0
    bar: float | None = None  # most that the ratio may be; None: for comparison only
    spread: float = 0.0
    at_least: bool = False  # the bar is the least that the ratio may be

    @property
    def ratio(self):
        return self.value / self.peer_value if self.peer_value else 0.0

    @property
    def holds(self):
        if self.bar is None:
            return True
        return self.ratio >= self.bar if self.at_least else self.ratio <= self.bar


def line(figure):
    bar = "" if figure.bar is None else f"{'>=' if figure.at_least else '<='} {figure.bar:.3g}"
    verdict = "" if figure.bar is None else "yes" if figure.holds else "NO"
    peer = f"{figure.peer:<34} {figure.peer_value:>9.2f} {figure.ratio:>6.3f}" if figure.peer else " " * 51
    return (f"{figure.figure:<46} {figure.value:>9.2f} {figure.unit:<10} {peer} {bar:>8}  {verdict:<3} "
            f"(spread {figure.spread * 100:.0f} %)")


def report(figures, path=None):
    """Prints the table, writes the JSON and returns the exit status: 0 = every bar held."""
    print(f"{'figure':<46} {'value':>9} {'unit':<10} {'peer':<34} {'value':>9} {'ratio':>6} {'bar':>8}  holds")
    for figure in figures:
        print(line(figure))
    if path:
        keys = ("figure", "value", "unit", "peer", "peer_value", "ratio", "bar", "holds", "spread")
        pathlib.Path(path).write_text(json.dumps([{key: getattr(f, key) for key in keys} for f in figures], indent=2))
    return 0 if all(figure.holds for figure in figures) else 1
