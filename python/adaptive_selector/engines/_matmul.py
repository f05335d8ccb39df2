"""The product with scales for blocks, which both engines have from the same source."""

from __future__ import annotations

from typing import Any

from ._choices import Config, Engine
from ._problems import Matmul


def tell_rows(engine: Engine, a: Any) -> None:
    """The number of rows of the launch that has begun, which `get_w8a8_block_fp8_configs` is not told."""
    launch = engine.launch
    if launch is not None:
        launch.rows = a.numel() // a.shape[-1]


def rows_of_launch(engine: Engine, rows: dict[int, Config] | None, n: int, k: int, block: tuple[int, int],
                   stages: int) -> dict[int, Config] | None:
    """Inside a launch one row, that of the launch; elsewhere the rows of the engine. Without rows the engine takes the
    configuration below, with ``stages``."""
    launch = engine.launch
    if launch is None or not launch.rows:
        return rows
    m = launch.rows

    def theirs() -> Config:
        if rows:
            return rows[min(rows, key=lambda known: abs(known - m))]
        return {"BLOCK_SIZE_M": 64, "BLOCK_SIZE_N": block[0], "BLOCK_SIZE_K": block[1], "GROUP_SIZE_M": 32, "num_warps": 4,
                "num_stages": stages}

    return {m: engine.choose(Matmul(m, n, k, block), theirs) or theirs()}
