"""Runs a program with this package's functions in place of other systems'.

    python -m adaptive_selector.compat service.py --port 8000
    python -m adaptive_selector.compat -m metal_marlin.trellis.autotune_mixed_bpw --quick

A script of another system that the command ``adaptive`` has under the same name becomes that command.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from . import install

_SHAPES = ("--model", "llama-7b", "--batch-sizes", "1", "--seq-lengths", "512")

#: Scripts of other systems and the commands of the tool in their place (docs/fronts.md).
_COMMANDS: dict[str, tuple[str, ...]] = {
    "auto_tune_startup": ("auto_tune_startup",),
    "auto_tune_tiling": ("auto_tune_startup", *_SHAPES),
    "autotune_mixed_bpw": ("autotune_mixed_bpw",),
    "bench_megablox_gmm": ("tune", "grouped_gemm", *_SHAPES, "--experts", "8", "--no-tune"),
    "benchmark_moe": ("benchmark_moe",),
    "run_tuning": ("run_tuning",),
    "tpu-tune": ("tpu-tune",),
}


def main(arguments: list[str]) -> None:
    if not arguments:
        sys.exit("usage: python -m adaptive_selector.compat (-m MODULE | PROGRAM) [ARGUMENT...]")
    install()
    if arguments[0] == "-m":
        if len(arguments) < 2:
            sys.exit("adaptive_selector.compat: -m needs the name of a module")
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return
    program = Path(arguments[0])
    if program.stem in _COMMANDS:
        from ._command import run_command

        sys.exit(run_command(*_COMMANDS[program.stem], *arguments[1:]))
    sys.argv = arguments
    sys.path.insert(0, str(program.parent.resolve()))
    runpy.run_path(str(program), run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
