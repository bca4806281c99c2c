# SPDX-License-Identifier: Apache-2.0
"""Horizontal bars of figures and their peers on a logarithmic axis, as SVG."""
import html
import math

WIDTH, LABEL, ROW, TOP = 860, 300, 44, 56
OURS, PEER = "#1f6feb", "#b9c2cf"


def _axis(values):
    """(lowest, highest) powers of ten around `values`."""
    return (math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))))


def _bar(x, y, width, colour, text):
    return (f'<rect x="{x}" y="{y}" width="{max(width, 1):.1f}" height="15" fill="{colour}"/>'
            f'<text x="{x + max(width, 1) + 5:.1f}" y="{y + 12}" fill="#444">{html.escape(text)}</text>')


def chart(title, unit, rows):
    """`rows`: (label, our value, peer's name, peer's value); all values above 0."""
    low, high = _axis([value for _, ours, _, theirs in rows for value in (ours, theirs)])
    scale = (WIDTH - LABEL - 200) / max(high - low, 1)
    height = TOP + ROW * len(rows) + 10
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
             'font-family="system-ui, sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
             f'<text x="10" y="20" font-size="15">{html.escape(title)}</text>']
    for power in range(low, high + 1):
        x = LABEL + scale * (power - low)
        parts.append(f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{height - 10}" stroke="#e3e6ea"/>'
                     f'<text x="{x:.1f}" y="{TOP - 12}" text-anchor="middle" fill="#777">{10.0 ** power:g} {unit}</text>')
    for i, (label, ours, peer, theirs) in enumerate(rows):
        y = TOP + ROW * i
        parts.append(f'<text x="{LABEL - 10}" y="{y + 20}" text-anchor="end">{html.escape(label)}</text>')
        parts.append(_bar(LABEL, y, scale * (math.log10(ours) - low), OURS, f"{ours:.3g}"))
        parts.append(_bar(LABEL, y + 16, scale * (math.log10(theirs) - low), PEER, f"{theirs:.3g} {peer}"))
    return "\n".join([*parts, "</svg>", ""])
