"""As much of PyTorch as the engines' functions around their Triton kernels use, without elements."""

from __future__ import annotations

import math
from typing import Any


class Tensor:
    """A contiguous tensor of some shape."""

    def __init__(self, *shape: int, dtype: str = "bf16") -> None:
        self.shape = tuple(shape)
        self.dtype = dtype
        self.device = "cuda:0"
        self.ndim = len(self.shape)

    def size(self, dimension: int | None = None) -> Any:
        return self.shape if dimension is None else self.shape[dimension]

    def stride(self, dimension: int) -> int:
        return math.prod(self.shape[dimension % self.ndim + 1:])

    def numel(self) -> int:
        return math.prod(self.shape)

    def dim(self) -> int:
        return self.ndim

    def is_contiguous(self) -> bool:
        return True

    def view(self, *shape: int) -> Tensor:
        known = math.prod(s for s in shape if s != -1)
        return Tensor(*(self.numel() // known if s == -1 else s for s in shape), dtype=self.dtype)

    def new_empty(self, shape: Any, dtype: str = "bf16") -> Tensor:
        return Tensor(*shape, dtype=dtype)

    def __getitem__(self, part: Any) -> Tensor:
        return Tensor(part.stop, *self.shape[1:], dtype=self.dtype) if isinstance(part, slice) else self

    def data_ptr(self) -> int:
        return 256

    def zero_(self) -> None:
        pass


def _shape(size: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else size


def empty(*size: Any, dtype: str = "bf16", device: Any = None) -> Tensor:
    return Tensor(*_shape(size), dtype=dtype)


def empty_like(tensor: Tensor) -> Tensor:
    return Tensor(*tensor.shape, dtype=tensor.dtype)


def full(size: Any, value: Any, dtype: str = "bf16", device: Any = None) -> Tensor:
    return Tensor(*size, dtype=dtype)


#: Members of the stub of `torch`. Types are called as Triton calls them.
MEMBERS = {
    "Tensor": Tensor, "empty": empty, "empty_like": empty_like, "full": full, "bfloat16": "bf16", "float16": "fp16",
    "float32": "fp32", "float": "fp32", "int32": "i32", "int64": "i64", "float8_e4m3fn": "fp8e4nv", "float8_e4m3fnuz": "fp8e4b8",
    "compile": lambda function: function,
}
