"""The command ``adaptive``: runs the compiled tool that comes with this package."""

import os
import sys
from pathlib import Path


def main() -> None:
    tool = Path(__file__).parent / "bin" / "adaptive"
    if not tool.exists():
        sys.exit(
            "adaptive: this package was built without the command-line tool, "
            "because CLI11 or fmt was not found (Debian: libcli11-dev libfmt-dev)"
        )
    os.execv(tool, [str(tool), *sys.argv[1:]])
