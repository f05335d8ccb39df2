"""In place of ``sgl_jax.srt.kernels.gmm.megablox_gmm_kernel.tuned_block_sizes``."""

from __future__ import annotations

import logging
from typing import Any

from ._gmm import known_tiles
from .megablox import get_optimal_tiling_for_gmm

log = logging.getLogger(__name__)

#: sgl-jax' own functions, under `install`.
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
    sgl-jax' own, else the default of its tiling manager. `gmm` asks when it is traced and has no tiling."""
    key = (m, k, n, num_total_groups, num_current_groups, lhs_dtype, rhs_dtype, quant_block_size)
    found = known_tiles(key, originals)
    if found is not None:
        return found
    log.info("no tuned block sizes for the grouped product %s", key)
    return get_optimal_tiling_for_gmm(m, k, n, num_current_groups)


__all__ = ["get_tuned_block_sizes"]
