"""Draws docs/grafana-dashboard.json to docs/dashboard.svg, with the data of a Prometheus server.

    python docs/render_dashboard.py URL MINUTES      # URL is that of the server, http://127.0.0.1:9090

Each panel has the place, title, queries, legends and unit that the file gives it; every query is evaluated by the server over
the last MINUTES. The look is this script's own: the picture shows what is on the dashboard, and is no screenshot of Grafana.
"""

from __future__ import annotations

import html
import json
import math
import re
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

Labels = dict[str, str]
Points = list[tuple[float, float]]

UNIT_X, UNIT_Y, GAP = 56, 34, 8  # pixels of a step of gridPos, and between panels
COLORS = ["#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0", "#508642", "#cca300"]
POINTS = 150  # of a line
STEP = 5.0  # seconds: the least step of a query


class Prometheus:
    def __init__(self, url: str, minutes: float) -> None:
        self._url = url.rstrip("/")
        self.end = time.time()
        self.begin = self.end - 60 * minutes
        self.step = max((self.end - self.begin) / POINTS, STEP)

    def _get(self, path: str, **query: str) -> list[dict[str, Any]]:
        variables = {"$__rate_interval": f"{4 * self.step:.0f}s", "$job": ".*", "$instance": ".*"}
        for name, value in variables.items():
            query["query"] = query["query"].replace(name, value)
        with urllib.request.urlopen(f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=30) as answer:
            return json.load(answer)["data"]["result"]

    def now(self, query: str) -> list[tuple[Labels, float]]:
        return [(r["metric"], float(r["value"][1])) for r in self._get("query", query=query, time=str(self.end))]

    def over_time(self, query: str) -> list[tuple[Labels, Points]]:
        found = self._get("query_range", query=query, start=str(self.begin), end=str(self.end), step=str(self.step))
        return [(r["metric"], [(float(t), float(v)) for t, v in r["values"]]) for r in found]


def number(value: float, unit: str) -> str:
    """As people read it, with Grafana's names of units."""
    if unit == "percentunit":
        return f"{100 * value:.1f} %"
    if unit == "s":
        for limit, factor, name in ((60, 1 / 60, "min"), (1, 1, "s"), (1e-3, 1e3, "ms"), (0, 1e6, "µs")):
            if abs(value) >= limit:
                return f"{value * factor:.3g} {name}" if value else "0 s"
    if unit == "ops":
        return f"{number(value, 'short')}/s"
    for limit, name in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g} {name}"
    return f"{value:.3g}"


def ticks_of(low: float, high: float) -> list[float]:
    """Round values from about `low` to at least `high`, some five of them."""
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    first = math.floor(low / step)
    return [step * i for i in range(first, math.ceil(high / step) + 1)]


def legend_of(labels: Labels, pattern: str) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda name: labels.get(name[1], ""), pattern)


def text(x: float, y: float, words: str, *, size: float = 12, fill: str = "#ccccdc", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}" text-anchor="{anchor}">{html.escape(words)}</text>'


def stat(server: Prometheus, panel: dict[str, Any], w: float, h: float) -> list[str]:
    unit = panel["fieldConfig"]["defaults"].get("unit", "short")
    found = [value for target in panel["targets"] for _, value in server.now(target["expr"])]
    return [text(w / 2, h / 2 + 26, number(sum(found), unit) if found else "no data", size=34, fill="#73bf69", anchor="middle")]


def table(server: Prometheus, panel: dict[str, Any], w: float, h: float) -> list[str]:
    rows = [labels for target in panel["targets"] for labels, _ in server.now(target["expr"])]
    columns = sorted({name for row in rows for name in row} - {"__name__"})
    out = []
    for i, column in enumerate(columns):
        x = 14 + i * (w - 28) / max(len(columns), 1)
        out.append(text(x, 50, column, fill="#6e9fff"))
        out += [text(x, 74 + 22 * j, row.get(column, "")) for j, row in enumerate(rows)]
    return out


def timeseries(server: Prometheus, panel: dict[str, Any], w: float, h: float) -> list[str]:
    unit = panel["fieldConfig"]["defaults"].get("unit", "short")
    lines = [(legend_of(labels, target.get("legendFormat", "")), points)
             for target in panel["targets"] for labels, points in server.over_time(target["expr"])]
    values = [v for _, points in lines for _, v in points]
    if not values:
        return [text(w / 2, h / 2, "no data", anchor="middle")]
    low, high = min(0.0, *values), max(values)
    ticks = ticks_of(low, high if high > low else low + 1)
    low, high = ticks[0], ticks[-1]
    # The legend takes as many lines as it needs.
    places, x, row = [], 14.0, 0
    for name, _ in lines:
        width = 26 + 6.6 * len(name)
        if x > 14 and x + width > w - 10:
            x, row = 14.0, row + 1
        places.append((x, row))
        x += width
    left, right, top, bottom = 62.0, w - 12, 38.0, h - 42 - 16 * row
    out = []
    for value in ticks:
        y = bottom - (bottom - top) * (value - low) / (high - low)
        out += [f'<path d="M{left} {y:.1f}H{right}" stroke="#2c3235"/>', text(left - 6, y + 4, number(value, unit), size=11, anchor="end")]
    for i in range(5):
        at = server.begin + (server.end - server.begin) * i / 4
        place = left + (right - left) * i / 4
        anchor = "start" if i == 0 else "end" if i == 4 else "middle"
        out.append(text(place, bottom + 16, time.strftime("%H:%M", time.gmtime(at)), size=11, anchor=anchor))
    for i, (name, points) in enumerate(lines):
        color = COLORS[i % len(COLORS)]
        path = " ".join(f"{left + (right - left) * (t - server.begin) / (server.end - server.begin):.1f},"
                        f"{bottom - (bottom - top) * (v - low) / (high - low):.1f}" for t, v in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="1.4"/>')
        x, line = places[i]
        y = bottom + 34 + 16 * line
        out += [f'<rect x="{x:.1f}" y="{y - 7:.1f}" width="12" height="4" fill="{color}"/>', text(x + 17, y, name, size=11)]
    return out


def picture(dashboard: dict[str, Any], server: Prometheus) -> str:
    kinds = {"stat": stat, "table": table, "timeseries": timeseries}
    panels = [p for p in dashboard["panels"] if p["type"] in kinds]
    width = max(p["gridPos"]["x"] + p["gridPos"]["w"] for p in panels) * UNIT_X + GAP
    height = max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in panels) * UNIT_Y + GAP
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
           'font-family="Inter, Helvetica, DejaVu Sans, sans-serif">', f"<title>{html.escape(dashboard['title'])}</title>",
           f'<rect width="{width}" height="{height}" fill="#111217"/>']
    for panel in panels:
        place = panel["gridPos"]
        w, h = place["w"] * UNIT_X - GAP, place["h"] * UNIT_Y - GAP
        out += [f'<g transform="translate({place["x"] * UNIT_X + GAP} {place["y"] * UNIT_Y + GAP})">',
                f'<rect width="{w}" height="{h}" rx="3" fill="#181b1f" stroke="#2c3235"/>', text(12, 22, panel["title"], size=12.5, fill="#d8d9da"),
                *kinds[panel["type"]](server, panel, w, h), "</g>"]
    return "\n".join([*out, "</svg>", ""])


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    docs = Path(__file__).parent
    dashboard = json.loads((docs / "grafana-dashboard.json").read_text())
    (docs / "dashboard.svg").write_text(picture(dashboard, Prometheus(sys.argv[1], float(sys.argv[2]))))


if __name__ == "__main__":
    main()
