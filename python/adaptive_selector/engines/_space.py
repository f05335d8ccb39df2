"""Configurations of an engine's Triton kernels: the rows of its files, and those that are tried besides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import adaptive_selector as ads

Config = Mapping[str, Any]

_LETTERS = {"BLOCK_SIZE_M": "m", "BLOCK_SIZE_N": "n", "BLOCK_SIZE_K": "k", "GROUP_SIZE_M": "g", "num_warps": "w",
            "num_stages": "s"}

#: (BLOCK_SIZE_N, BLOCK_SIZE_K, num_warps, num_stages) of what is tried for every BLOCK_SIZE_M. They are those that win most
#: rows of the files that the engines ship for Hopper.
_SHAPES = ((64, 128, 4, 4), (128, 64, 4, 4), (128, 128, 4, 3), (128, 128, 8, 3), (256, 64, 8, 4), (32, 128, 4, 4))
_ROWS = (16, 32, 64, 128)


def name_of(config: Config) -> str:
    """"m64_n64_k128_g16_w4_s5", as tables name imported rows."""
    parts = [f"{letter}{config[name]}" for name, letter in _LETTERS.items() if name in config]
    parts += [f"{name}{config[name]}" for name in sorted(config) if name not in _LETTERS]
    return "_".join(parts)


def variant_of(config: Config) -> ads.Variant:
    return ads.Variant(name_of(config), parameters=dict(config))


def tried() -> Iterator[dict[str, int]]:
    """The configurations that every operation has."""
    for m in _ROWS:
        for n, k, warps, stages in _SHAPES:
            if m == 16 and n == 256 or m == 128 and n == 32:
                continue
            yield {"BLOCK_SIZE_M": m, "BLOCK_SIZE_N": n, "BLOCK_SIZE_K": k, "GROUP_SIZE_M": 16 if m >= 64 else 1,
                   "num_warps": warps, "num_stages": stages}


def suits(config: Config, rows: float, block_shape: tuple[int, int] | None) -> bool:
    """Whether a configuration is worth a try: ``rows`` is the number of rows that an expert has on average. A tile of more
    than four times as many rows is mostly empty, and one of a sixteenth reads the weights too often."""
    tile = int(config.get("BLOCK_SIZE_M", 64))
    if not (tile <= max(16.0, 4.0 * rows) and (tile >= rows / 16.0 or tile >= _ROWS[-1])):
        return False
    # Scales are read once for each tile of the reduction.
    return block_shape is None or block_shape[1] % int(config.get("BLOCK_SIZE_K", 64)) == 0
