"""What importing the package takes, beside starting the interpreter: the least of several starts in turns.

    PYTHONPATH=build/python/python python python/bench/import_time.py
"""

from __future__ import annotations

import subprocess
import sys
import time


def start_ms(program: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return (time.perf_counter() - begin) * 1e3


def main() -> None:
    programs = ["pass", "import adaptive_selector"]
    rounds = [[start_ms(program) for program in programs] for _ in range(30)]
    bare, package = (min(times) for times in zip(*rounds))
    print(f"interpreter alone {bare:.1f} ms, with the import {package:.1f} ms: {package - bare:.1f} ms")


if __name__ == "__main__":
    main()
