"""The tool ``adaptive`` of this package, for functions that other systems have as scripts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import adaptive_selector as ads

_TOOL = Path(ads.__file__).parent / "bin" / "adaptive"


def tool() -> str:
    """The path of the tool. Raises Error where the package was built without it."""
    import shutil

    found = str(_TOOL) if _TOOL.exists() else shutil.which("adaptive")
    if found is None:
        raise ads.Error("this package was built without the command `adaptive`", "adaptive_selector",
                        "install CLI11 and fmt, and build the package again", "unsupported")
    return found


def run_command(*arguments: str) -> int:
    """Runs a command of the tool with this program's input and output; its exit status."""
    return subprocess.run([tool(), *arguments], check=False).returncode


def answer_of(arguments: Sequence[str]) -> dict[str, Any]:
    """What a command prints with ``--json``. Raises Error with its message where it fails."""
    done = subprocess.run([tool(), *arguments, "--json"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        line = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise ads.Error(line.removeprefix("adaptive: "), "adaptive " + " ".join(arguments[:2]), code="invalid_argument")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
