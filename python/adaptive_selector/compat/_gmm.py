"""What tpu-inference and sgl-jax have in common: block sizes of the grouped product, asked when it is traced."""

from __future__ import annotations

import os
from typing import Any

from .megablox import get_default_cache_dir, get_tiling_manager

#: Types of which the files of tilings speak; their names say nothing of quantised ones.
_PLAIN = ("bfloat16", "float16", "float32")


def tiling_of(m: int, k: int, n: int, groups: int, lhs_dtype: object, rhs_dtype: object) -> tuple[int, int, int] | None:
    """The tiling that a file in the folder has for the shape, or for a near one; None without any."""
    if str(lhs_dtype) not in _PLAIN or str(lhs_dtype) != str(rhs_dtype) or not os.path.isdir(get_default_cache_dir()):
        return None
    return get_tiling_manager(get_default_cache_dir()).find(m, k, n, groups)


def known_tiles(
    key: tuple[int, int, int, int, int, str, str, int], originals: dict[str, Any]
) -> tuple[int, int, int] | None:
    """The same for the arguments of `get_tuned_block_sizes`: m, k, n, the groups of all shards, those of this one, the types
    of both sides, and the block of the quantisation. Without a tiling of ours, what the function that `install` replaced
    answers; None where there is none either."""
    m, k, n, _, groups, lhs_dtype, rhs_dtype, _ = key
    found = tiling_of(m, k, n, groups, lhs_dtype, rhs_dtype)
    if found is None and "get_tuned_block_sizes" in originals:
        found = originals["get_tuned_block_sizes"](*key)
    return found
