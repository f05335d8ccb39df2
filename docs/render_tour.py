"""Renders python/examples/tour.py with what it prints to docs/tour.md and its picture to docs/tour.svg.

    python docs/render_tour.py [FOLDER]      # the default folder is that of this file
"""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import cast

HERE = Path(__file__).resolve().parent
COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#9467bd")


def cells(text: str) -> list[tuple[str, str]]:
    """(kind, content): 'code', 'markdown' or 'figure', in the percent format of notebooks."""
    found = []
    for part in text.split("# %%")[1:]:
        head, _, body = part.partition("\n")
        found.append((head.strip().strip("[]") or "code", body.strip("\n")))
    return found


def picture(title: str, points: list[tuple[int, str, float]]) -> str:
    """An SVG of (x, group, y)."""
    width, height, left, bottom, top = 820, 300, 60, 36, 34
    names = sorted({name for _, name, _ in points})
    highest = max(y for _, _, y in points) * 1.05
    most = max(x for x, _, _ in points)

    def at(x: float, y: float) -> tuple[float, float]:
        return left + x / most * (width - left - 20), height - bottom - y / highest * (height - bottom - top)

    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
             f"<title>{title}</title>", f'<rect width="{width}" height="{height}" fill="white"/>']
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 1000) if highest / s < 7)
    for tick in range(0, int(highest) + 1, step):
        x, y = at(0, tick)
        lines.append(f'<path d="M{left} {y:.1f}H{width - 20}" stroke="#ddd"/><text x="{left - 8}" y="{y + 4:.1f}" '
                     f'text-anchor="end">{tick}</text>')
    for tick in range(0, most + 1, max(1, (most + 1) // 5)):
        x, y = at(tick, 0)
        lines.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{tick}</text>')
    for x_value, name, y_value in points:
        x, y = at(x_value, y_value)
        lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{COLOURS[names.index(name) % len(COLOURS)]}"/>')
    for number, name in enumerate(names):
        lines.append(f'<circle cx="{left + 110 * number}" cy="14" r="5" fill="{COLOURS[number % len(COLOURS)]}"/>'
                     f'<text x="{left + 10 + 110 * number}" y="18">{name}</text>')
    lines.append("</svg>")
    return "\n".join(lines) + "\n"


def render(source: Path, folder: Path) -> str:
    """Writes the picture into the folder; returns the page."""
    scope: dict[str, object] = {"__name__": "__main__"}
    page = []
    for kind, body in cells(source.read_text()):
        if kind == "markdown":
            page.append("\n".join(line.removeprefix("#").removeprefix(" ") for line in body.splitlines()))
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(body, str(source), "exec"), scope)
        if kind == "figure":
            title, points = cast("tuple[str, list[tuple[int, str, float]]]", scope["figure"])
            (folder / "tour.svg").write_text(picture(title, points))
            page.append(f"![{title}](tour.svg)")
            continue
        page.append(f"```python\n{body}\n```")
        if printed.getvalue():
            page.append(f"```text\n{printed.getvalue().rstrip()}\n```")
    return "\n\n".join(page) + "\n"


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    (folder / "tour.md").write_text(render(HERE.parent / "python" / "examples" / "tour.py", folder))


if __name__ == "__main__":
    main()
