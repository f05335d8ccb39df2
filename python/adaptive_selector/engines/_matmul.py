"""The products with scales for blocks, which both engines have from the same source."""

from __future__ import annotations

from typing import Any, NamedTuple

from ._choices import Config, Engine
from ._problems import Matmul


def tell_rows(engine: Engine, a: Any) -> None:
    """The number of rows of the launch that has begun, which the function that is asked for rows is not told."""
    launch = engine.launch
    if launch is not None:
        launch.rows = a.numel() // a.shape[-1]


class Kind(NamedTuple):
    """One of these products in an engine."""

    module: str
    rows: str  # the function that is asked for rows
    product: str
    kernels: tuple[str, ...]
    dtype: str
    stages: int  # of the configuration that the engine takes without rows


def rows_of_launch(engine: Engine, kind: Kind, rows: dict[int, Config] | None, n: int, k: int,
                   block: tuple[int, int]) -> dict[int, Config] | None:
    """Inside a launch one row, that of the launch; elsewhere the rows of the engine."""
    launch = engine.launch
    if launch is None or not launch.rows:
        return rows
    m = launch.rows

    def theirs() -> Config:
        if rows:
            return rows[min(rows, key=lambda known: abs(known - m))]
        return {"BLOCK_SIZE_M": 64, "BLOCK_SIZE_N": block[0], "BLOCK_SIZE_K": block[1], "GROUP_SIZE_M": 32, "num_warps": 4,
                "num_stages": kind.stages}

    return {m: engine.choose(Matmul(m, n, k, block, kind.dtype), theirs) or theirs()}
