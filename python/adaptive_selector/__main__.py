"""``python -m adaptive_selector``: the version, the devices of this machine and the tables that are found."""

from __future__ import annotations

import sys
from pathlib import Path

from . import __version__, _core
from ._core import Fingerprint


def _tables_for(device: Fingerprint, place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    folder = place / _core.normalised_device(device.device)
    return sorted(place.glob("*.json")) + sorted(folder.rglob("*.json"))


def _describe(device: Fingerprint) -> str:
    details = [f"driver {device.driver}" if device.driver else "", f"CUDA {device.toolkit}" if device.toolkit else ""]
    return ", ".join([device.device, *(text for text in details if text)])


def main() -> None:
    print(f"adaptive_selector {__version__}, Python {sys.version.split()[0]}")
    devices = [_core.gpu_device(ordinal) for ordinal in range(_core.gpu_count())]
    if devices:
        runtime = _core._process_runtime()
        print(f"CUDA runtime of this process: {runtime or 'none loaded yet'}")
    else:
        print(f"GPUs: none: {_core.why_no_gpu()}")
    devices.append(_core.host_device())
    for device in devices:
        print(f"device: {_describe(device)}")
        for place in _core.standard_tables():
            found = _tables_for(device, place)
            print(f"  tables in {place}: {len(found) if place.exists() else 'no such folder'}")
            for table in found:
                print(f"    {table.relative_to(place) if table != place else table.name}")


if __name__ == "__main__":
    main()
