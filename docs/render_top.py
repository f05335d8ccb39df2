"""Renders the screen of `adaptive top` to docs/top.svg, while programs run that listen.

    python docs/render_top.py TOOL [ARGUMENT OF TOP...]      # TOOL is the program adaptive
"""

from __future__ import annotations

import fcntl
import html
import os
import pty
import re
import struct
import sys
import termios
import time
from pathlib import Path

COLUMNS, LINES = 150, 34
WIDTH, HEIGHT, MARGIN = 7.3, 17, 14  # of a character, of a line, around all of them, in pixels
STYLES = {"1": "font-weight:bold", "2": "fill:#8b949e", "7": "fill:#0d1117"}


def last_screen(tool: str, arguments: list[str], seconds: float) -> str:
    """What `adaptive top` shows on a terminal of its own after some seconds, with the terminal's codes."""
    process, terminal = pty.fork()
    if process == 0:
        os.execv(tool, [tool, "top", *arguments])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    text, end = b"", time.monotonic() + seconds
    os.set_blocking(terminal, False)
    while time.monotonic() < end:
        time.sleep(0.05)
        try:
            text += os.read(terminal, 1 << 20)
        except BlockingIOError:
            pass
    os.write(terminal, b"q")
    os.set_blocking(terminal, True)
    try:
        while os.read(terminal, 1 << 16):
            pass
    except OSError:  # the end of the program
        pass
    os.waitpid(process, 0)
    screens = text.decode().split("\033[H")
    return screens[-1]


def picture(screen: str) -> str:
    lines = screen.replace("\r", "").split("\n")
    width, height = COLUMNS * WIDTH + 2 * MARGIN, len(lines) * HEIGHT + 2 * MARGIN
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
           'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="12" fill="#e6edf3">',
           "<title>adaptive top</title>", f'<rect width="{width:.0f}" height="{height}" rx="6" fill="#0d1117"/>']
    for number, line in enumerate(lines):
        code = re.match(r"\033\[([127])m", line)
        text = re.sub(r"\033\[[0-9;?]*[A-Za-z]", "", line).rstrip()
        if not text:
            continue
        y = MARGIN + (number + 0.75) * HEIGHT
        if code and code[1] == "7":
            out.append(f'<rect x="{MARGIN}" y="{y - 0.75 * HEIGHT:.1f}" width="{COLUMNS * WIDTH:.0f}" height="{HEIGHT}" fill="#e6edf3"/>')
        style = f' style="{STYLES[code[1]]}"' if code else ""
        out.append(f'<text x="{MARGIN}" y="{y:.1f}" xml:space="preserve" textLength="{len(text) * WIDTH:.1f}"{style}>'
                   f"{html.escape(text, quote=False)}</text>")
    return "\n".join([*out, "</svg>"]) + "\n"


def main() -> None:
    screen = last_screen(sys.argv[1], sys.argv[2:], seconds=7.0)
    (Path(__file__).resolve().parent / "top.svg").write_text(picture(screen))


if __name__ == "__main__":
    main()
