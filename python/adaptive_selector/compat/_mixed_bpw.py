"""What Metal Marlin's tuner takes from files, layers and the machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import adaptive_selector as ads
from adaptive_selector import _core

# What Metal Marlin's documentation recommends, for files that say nothing.
TILES = {"2": 128, "3": 96, "4": 64, "8": 64}
SIMDGROUPS = {"2": 16, "3": 12, "4": 8, "8": 4}
CANDIDATE_TILES = {"2": (96, 128, 160), "3": (64, 96, 128), "4": (48, 64, 96), "8": (32, 48, 64)}
CANDIDATE_SIMDGROUPS = (4, 8, 12, 16)


def head_of(text: str, path: Path | None) -> dict[str, Any]:
    if not text:
        return {}
    try:
        head = json.loads(text)
    except json.JSONDecodeError as error:
        raise ads.Error(f"is not JSON: {error.msg}", f"{path}:{error.lineno}", code="corrupt") from error
    if not isinstance(head, dict):
        raise ads.Error("is not an object", str(path), code="corrupt")
    return head


def variant_for(batch: int) -> str:
    return "decode" if batch <= 1 else "prefill" if batch <= 16 else "base" if batch <= 32 else "large_batch"


def kernel_name(bits: Sequence[str], variant: str) -> str:
    return "moe_trellis" + ("_mixed" if len(bits) > 1 else "") + "_swiglu" + ("" if variant == "base" else f"_{variant}")


def of_nearest(mapping: Mapping[str, Any], bits: str) -> Any:
    return mapping[min(mapping, key=lambda known: (abs(int(known) - int(bits)), int(known)))]


def width(layer: Any) -> int:
    for name in ("in_features", "hidden_dim"):
        if isinstance(getattr(layer, name, None), int):
            return int(getattr(layer, name))
    raise ads.Error("a layer has no in_features", "benchmark_layer", "give layers with in_features and bits", "invalid_argument")


def bits_of(layer: Any) -> list[int]:
    for name in ("bit_widths", "bits"):
        value = getattr(layer, name, None)
        if isinstance(value, int):
            return [value]
        if value is not None:
            return [int(b) for b in value]
    raise ads.Error("a layer has no bits", "benchmark_layer", "give layers with in_features and bits", "invalid_argument")


def bytes_of(layer: Any, bits: Sequence[int]) -> float:
    """Bytes of the weights; for several widths as if each had the same share."""
    return width(layer) * float(getattr(layer, "out_features", width(layer))) * sum(bits) / len(bits) / 8


def this_device() -> str:
    if sys.platform == "darwin":
        import subprocess

        chip = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False)
        if chip.returncode == 0 and chip.stdout.strip():
            return chip.stdout.strip().removeprefix("Apple ")
    return str(_core.gpu_device().device if _core.gpu_count() > 0 else _core.host_device().device)
