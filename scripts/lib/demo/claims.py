# SPDX-License-Identifier: Apache-2.0
"""Claims with their figures, and the table that closes the demonstration."""
from dataclasses import dataclass

AGREEMENT = 0.02  # most that a figure measured outside and Foreflow's own may be apart


@dataclass(frozen=True)
class Claim:
    text: str
    outside: str
    foreflow: str
    bar: str
    holds: bool


def rate(bits_per_second):
    return f"{bits_per_second / 1e6:.2f} Mbit/s"


def size(count):
    return f"{count / 1e6:.3f} MB" if count >= 1e5 else f"{count / 1e3:.2f} kB"


def agree(outside, foreflow, tolerance=AGREEMENT):
    return abs(outside - foreflow) <= tolerance * max(abs(outside), abs(foreflow))


class Ledger:
    def __init__(self):
        self.claims = []

    def add(self, text, outside, foreflow, bar, holds):
        claim = Claim(text, outside, foreflow, bar, bool(holds))
        self.claims.append(claim)
        print(f"  {'ok ' if claim.holds else 'NOT'}  {text}: {outside} | Foreflow: {foreflow} | bar: {bar}", flush=True)
        return claim.holds

    def compare(self, text, outside, foreflow, show, bar="", also=True):
        """A figure that has to agree with Foreflow's own, and `also` to hold whatever `bar` says beside that."""
        bars = ", ".join(part for part in (bar, f"apart <= {AGREEMENT:.0%}") if part)
        return self.add(text, show(outside), show(foreflow), bars, agree(outside, foreflow) and also)

    @property
    def all_hold(self):
        return bool(self.claims) and all(claim.holds for claim in self.claims)

    def table(self):
        rows = [("claim", "measured outside", "Foreflow's value", "bar", "holds")]
        rows += [(c.text, c.outside, c.foreflow, c.bar, "yes" if c.holds else "NO") for c in self.claims]
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        lines.insert(1, "-" * len(lines[0]) if len(lines[0]) > sum(widths) else "-" * (sum(widths) + 8))
        held = sum(claim.holds for claim in self.claims)
        return "\n".join([*lines, "", f"{held} of {len(self.claims)} claims hold"])
