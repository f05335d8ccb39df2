"""Draws the panels of docs/grafana-dashboard.json to docs/dashboard.png, from a running Prometheus.

    python docs/render_dashboard.py [--prometheus URL] [--minutes N] [--note TEXT] [--file FILE]

This is no screenshot of Grafana. The script asks Prometheus every query of the file, and draws the answers itself with
matplotlib, in the layout, with the titles, units and legends of the file. Grafana shows a panel's description when the
mouse is over its "i"; here it stands below the title. It understands what the file uses, not all of Grafana.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import textwrap
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import dates, pyplot, ticker  # noqa: E402
from PIL import Image  # noqa: E402

HERE = Path(__file__).resolve().parent
COLUMNS, ROW, GAP, HEADER = 24, 0.395, 0.05, 0.5  # of Grafana's grid; inches of a row, around a panel, above all
WIDTH, DPI = 14.5, 125
BACK, PANEL, EDGE, TEXT, DIM = "#111217", "#181b1f", "#2c3038", "#d5d7de", "#9299a6"
COLOURS = ("#73bf69", "#f2cc0c", "#5794f2", "#ff780a", "#f2495c", "#b877d9", "#8ab8ff", "#ffa6b0")
# Grafana takes four scrape intervals, and 15 s for an interval unless its data source says another one.
RATE_INTERVAL = "60s"


def ask(server: str, path: str, **parameters: object) -> list[Any]:
    with urllib.request.urlopen(f"{server}/api/v1/{path}?{urllib.parse.urlencode(parameters)}") as answer:
        found: list[Any] = json.load(answer)["data"]["result"]
    return found


def query_of(target: dict[str, Any]) -> str:
    """With all jobs and instances, as the file's variables have it at first."""
    query: str = target["expr"].replace("$__rate_interval", RATE_INTERVAL)
    return re.sub(r"\$(job|instance)", ".*", query)


def name_of(target: dict[str, Any], labels: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), target["legendFormat"])


def shown(value: float, unit: str) -> str:
    """A value as Grafana writes it in this unit."""
    if unit == "percentunit":
        return f"{100 * value:.3g} %"
    if unit == "s":
        for least, factor, name in ((60, 1 / 60, "min"), (1, 1, "s"), (1e-3, 1e3, "ms"), (0, 1e6, "µs")):
            if abs(value) >= least:
                return f"{value * factor:.3g} {name}" if value else "0 s"
    suffix = {"ops": " ops/s"}.get(unit, "")
    return (f"{value / 1000:.3g} K" if abs(value) >= 1000 else f"{value:.3g}") + suffix


def unit_of(panel: dict[str, Any]) -> str:
    unit: str = panel["fieldConfig"]["defaults"]["unit"]
    return unit


def on_the_right(panel: dict[str, Any]) -> set[str]:
    """The targets with an axis of their own."""
    return {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]
            if override["matcher"]["id"] == "byFrameRefID"
            for one in override["properties"] if one == {"id": "custom.axisPlacement", "value": "right"}}


def draw_stat(axes: Any, panel: dict[str, Any], server: str, end: float) -> None:
    axes.axis("off")
    found = ask(server, "query", query=query_of(panel["targets"][0]), time=end)
    text = shown(float(found[0]["value"][1]), unit_of(panel)) if found else "No data"
    axes.text(0.5, 0.42, text, color=COLOURS[0], fontsize=25, ha="center", va="center", transform=axes.transAxes)


def draw_table(axes: Any, panel: dict[str, Any], server: str, end: float) -> None:
    axes.axis("off")
    organize = panel["transformations"][0]["options"]
    rows = [one["metric"] for one in ask(server, "query", query=query_of(panel["targets"][0]), time=end)]
    labels = {label for row in rows for label in row if label not in organize["excludeByName"]}
    columns = sorted(labels, key=lambda label: organize["indexByName"].get(label, len(labels)))
    for number, label in enumerate(columns):
        x = 0.02 + 0.96 * number / len(columns)
        axes.text(x, 0.86, organize["renameByName"].get(label, label), color=COLOURS[6], fontsize=9, transform=axes.transAxes)
        for line, row in enumerate(rows):
            axes.text(x, 0.58 - 0.25 * line, row.get(label, ""), color=TEXT, fontsize=9, transform=axes.transAxes)
    for line in range(len(rows)):
        axes.axhline(0.76 - 0.25 * line, color=EDGE, linewidth=0.8)
    axes.set(xlim=(0, 1), ylim=(0, 1))


def draw_series(axes: Any, panel: dict[str, Any], server: str, begin: float, end: float) -> None:
    step = max(1, round((end - begin) / 240))
    right = on_the_right(panel)
    handles, sides = [], {False: axes}
    for target in panel["targets"]:
        found = ask(server, "query_range", query=query_of(target), start=begin, end=end, step=step)
        for series in sorted(found, key=lambda one: name_of(target, one["metric"])):
            if target["refId"] in right and True not in sides:
                sides[True] = axes.twinx()
            side = sides[target["refId"] in right]
            times = [moment / 86400 for moment, _ in series["values"]]  # days, as matplotlib counts them
            values = [float(value) for _, value in series["values"]]
            colour = COLOURS[len(handles) % len(COLOURS)]
            label = name_of(target, series["metric"]) + (" (right)" if target["refId"] in right else "")
            handles += side.plot(times, values, color=colour, linewidth=1.4, label=label)
            if len(panel["targets"]) == 1 or len(found) == 1:
                side.fill_between(times, values, color=colour, alpha=0.07, linewidth=0)
    for side in sides.values():
        side.set_xlim(begin / 86400, end / 86400)
        if "min" in panel["fieldConfig"]["defaults"]:
            side.set_ylim(bottom=panel["fieldConfig"]["defaults"]["min"])
        side.yaxis.set_major_locator(ticker.MaxNLocator(5))
        side.yaxis.set_major_formatter(lambda value, _: shown(value, unit_of(panel)))
        side.xaxis.set_major_locator(dates.AutoDateLocator(minticks=3, maxticks=11))
        side.xaxis.set_major_formatter(dates.DateFormatter("%H:%M"))
        side.tick_params(colors=DIM, labelsize=8, length=0)
        side.set_facecolor("none")
        for spine in side.spines.values():
            spine.set_visible(False)
    axes.grid(color=EDGE, linewidth=0.7)
    axes.set_ylabel(panel["fieldConfig"]["defaults"].get("custom", {}).get("axisLabel", ""), color=DIM, fontsize=8)
    if not handles:
        axes.text(0.5, 0.5, "No data", color=DIM, fontsize=12, ha="center", transform=axes.transAxes)
        return
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(-0.14, -0.13), ncols=min(3, len(handles)), frameon=False,
                fontsize=7.8, labelcolor=TEXT, handlelength=1.2, columnspacing=1.1, handletextpad=0.5, borderpad=0)


def draw(dashboard: dict[str, Any], options: argparse.Namespace) -> Any:
    end = time.time()
    begin = end - 60 * options.minutes
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    height = rows * ROW + HEADER
    figure = pyplot.figure(figsize=(WIDTH, height), facecolor=BACK)
    figure.text(0.006, 1 - 0.3 / height, dashboard["title"], color=TEXT, fontsize=14, weight="bold", va="center")
    variables = "     ".join(f"{one['label']}: All" for one in dashboard["templating"]["list"] if one["type"] == "query")
    figure.text(0.09, 1 - 0.3 / height, variables, color=DIM, fontsize=9.5, va="center")
    moments = [time.strftime(form, time.gmtime(at)) for form, at in (("%Y-%m-%d %H:%M", begin), ("%H:%M UTC", end))]
    figure.text(0.994, 1 - 0.3 / height, f"{options.note}     {' to '.join(moments)}", color=DIM, fontsize=9.5, va="center", ha="right")
    for panel in dashboard["panels"]:
        grid = panel["gridPos"]
        left, width = grid["x"] / COLUMNS * WIDTH + GAP, grid["w"] / COLUMNS * WIDTH - 2 * GAP
        tall = grid["h"] * ROW - 2 * GAP
        bottom = (rows - grid["y"] - grid["h"]) * ROW + GAP
        figure.add_artist(pyplot.Rectangle((left / WIDTH, bottom / height), width / WIDTH, tall / height, facecolor=PANEL, edgecolor=EDGE,
                                           linewidth=0.8, zorder=-1))
        top = bottom + tall
        figure.text((left + 0.1) / WIDTH, (top - 0.2) / height, panel["title"], color=TEXT, fontsize=10, weight="bold", va="center")
        text = textwrap.fill(panel["description"], round(width * 14.5))
        figure.text((left + 0.1) / WIDTH, (top - 0.35) / height, text, color=DIM, fontsize=7.8, va="top", linespacing=1.25)
        series = panel["type"] == "timeseries"
        used = 0.42 + 0.14 * (text.count("\n") + 1)
        before, after, below = (0.78, 0.62, 0.72) if series else (0.1, 0.1, 0.08)  # inches around the axes
        if series and not on_the_right(panel):
            after = 0.15
        axes = figure.add_axes(((left + before) / WIDTH, (bottom + below) / height,
                                (width - before - after) / WIDTH, (tall - used - below - 0.06) / height))
        axes.set_facecolor("none")
        if series:
            draw_series(axes, panel, options.prometheus, begin, end)
        elif panel["type"] == "stat":
            draw_stat(axes, panel, options.prometheus, end)
        else:
            draw_table(axes, panel, options.prometheus, end)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description="Draws docs/dashboard.png.")
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090")
    parser.add_argument("--minutes", type=float, default=360, help="of the range that ends now")
    parser.add_argument("--note", default="", help="where the numbers come from, at the top")
    parser.add_argument("--file", type=Path, default=HERE / "dashboard.png")
    options = parser.parse_args()
    dashboard = json.loads((HERE / "grafana-dashboard.json").read_text())
    drawn = io.BytesIO()
    draw(dashboard, options).savefig(drawn, dpi=DPI, facecolor=BACK)
    Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(options.file, optimize=True)


if __name__ == "__main__":
    main()
