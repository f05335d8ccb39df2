"""In place of ``tpu_inference.kernels.quantized_matmul.tuned_block_sizes``."""

from __future__ import annotations

from typing import Any, NamedTuple

from ._tuned_data import row, tell_missing

#: tpu-inference's own functions, under `install`.
originals: dict[str, Any] = {}


class TunedValue(NamedTuple):
    batch_block_size: int
    out_block_size: int
    in_block_size: int


class TunedValueWithLanes(NamedTuple):
    """A row of the form with four numbers."""

    batch_block_size: int
    out_block_size: int
    in_block_size: int
    n_lane: int


def get_tuned_block_sizes(n_batch: int, n_out: int, n_in: int, x_q_dtype: str, w_q_dtype: str) -> Any:
    """Block sizes of batch, output and input for a quantised product. Without a row those of tpu-inference, else 128 each,
    and a warning names the key."""
    key = (("batch", str(n_batch)), ("out", str(n_out)), ("in", str(n_in)), ("x_dtype", str(x_q_dtype)),
           ("w_dtype", str(w_q_dtype)))
    found = row("quantized_matmul", "quantized_matmul", key)
    if found is None:
        if "get_tuned_block_sizes" in originals:
            return originals["get_tuned_block_sizes"](n_batch, n_out, n_in, x_q_dtype, w_q_dtype)
        tell_missing("quantized matmul", ",".join(value for _, value in key))
        return TunedValue(128, 128, 128)
    sizes = (found["batch_block_size"], found["out_block_size"], found["in_block_size"])
    return TunedValueWithLanes(*sizes, found["n_lane"]) if "n_lane" in found else TunedValue(*sizes)


__all__ = ["get_tuned_block_sizes"]
