"""In place of ``tpu_inference.kernels.megablox.tuned_block_sizes``."""

from __future__ import annotations

from typing import Any

from .._gmm import known_tiles
from ._tuned_data import tell_missing

#: tpu-inference's own functions, under `install`.
originals: dict[str, Any] = {}


def get_tuned_block_sizes(
    m: int,
    k: int,
    n: int,
    num_total_groups: int,
    num_current_groups: int,
    lhs_dtype: str,
    rhs_dtype: str,
    quant_block_size: int,
) -> tuple[int, int, int]:
    """Tiles of m, k and n: those that `adaptive_selector.compat.megablox` has measured for the groups of this shard, else
    tpu-inference's own, else (128, 128, 128) with the first cut to m, and a warning names the key."""
    key = (m, k, n, num_total_groups, num_current_groups, lhs_dtype, rhs_dtype, quant_block_size)
    found = known_tiles(key, originals)
    if found is not None:
        return found
    tell_missing("GMM", key)
    return min(m, 128), 128, 128


__all__ = ["get_tuned_block_sizes"]
