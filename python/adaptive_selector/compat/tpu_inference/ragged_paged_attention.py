"""In place of ``tpu_inference.kernels.ragged_paged_attention.v3.tuned_block_sizes``."""

from __future__ import annotations

from typing import Any

from ._tuned_data import device, row, tell_missing

#: tpu-inference's own functions, under `install`.
originals: dict[str, Any] = {}


def get_tuned_block_sizes(
    q_dtype: Any,
    kv_dtype: Any,
    actual_num_q_heads: int,
    actual_num_kv_heads: int,
    head_dim: int,
    page_size: int,
    max_num_tokens: int,
    pages_per_seq: int,
    sliding_window: int | None = None,
) -> tuple[int, int]:
    """Pages and queries of a block, at most those that there are. Without a row those of tpu-inference, else the default
    of the device, and a warning names the key."""
    key = (
        ("page_size", str(page_size)), ("q_dtype", _name(q_dtype)), ("kv_dtype", _name(kv_dtype)),
        ("q_heads", str(actual_num_q_heads)), ("kv_heads", str(actual_num_kv_heads)), ("head_dim", str(head_dim)),
        ("max_model_len", str(page_size * pages_per_seq)), ("sliding_window", str(sliding_window)),
    )
    found = row("ragged_paged_attention/v3", "ragged_paged_attention", key)
    if found is None:
        if "get_tuned_block_sizes" in originals:
            answer: tuple[int, int] = originals["get_tuned_block_sizes"](
                q_dtype, kv_dtype, actual_num_q_heads, actual_num_kv_heads, head_dim, page_size, max_num_tokens,
                pages_per_seq, sliding_window)
            return answer
        tell_missing("RPA v3", ", ".join(f"{name}={value}" for name, value in key))
        tokens = {"tpu_v4": 512, "tpu_v7": 4096}.get(device(), 2048)
        pages, queries = max(1, tokens // page_size), 32
    else:
        pages, queries = found["num_kv_pages_per_block"], found["num_q_per_block"]
    return min(pages_per_seq, pages), min(max_num_tokens, queries)


def _name(dtype: Any) -> str:
    """"bfloat16" for it, for `jnp.bfloat16` and for a dtype."""
    return str(getattr(dtype, "name", None) or getattr(dtype, "__name__", dtype))


__all__ = ["get_tuned_block_sizes"]
