"""What a launch of an engine computes: the key of an operation, and which launches are compiled alike.

Operations, dimensions and parameters have the names of the engines' own files (docs/formats.md), so that folders of such
files are tables, and what is learned is exported as such files.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, Protocol

_BLOCKS = ("none", "128x128", "64x64", "32x32", "128x64", "64x128")


def shape_of(n: int | None = None, k: int | None = None, *_: int) -> tuple[int, int] | None:
    """A block without an extent is none."""
    return (n, k) if n and k else None


def _block(shape: tuple[int, int] | None) -> str:
    return "none" if shape is None else f"{shape[0]}x{shape[1]}"


class Problem(Protocol):
    """Two problems that are equal run alike."""

    #: Of the operation that knows it.
    operation: ClassVar[str]
    dimensions: ClassVar[list[Any]]

    @property
    def block_shape(self) -> tuple[int, int] | None: ...
    @property
    def key(self) -> tuple[Any, ...]: ...
    @property
    def known(self) -> bool:
        """Whether the operation has its labels."""
        ...
    @property
    def rows(self) -> float:
        """Rows of one product, on average."""
        ...
    @property
    def kind(self) -> tuple[Any, ...]:
        """Triton distinguishes sizes that are 1 or multiples of 16: launches of one kind share their kernels."""
        ...


# Weights of 4 and 8 bits with groups are left out: there a configuration chooses among kernels.
_DTYPES = ("none", "fp8_w8a8", "int8_w8a8", "float32")


class _MoeFields(NamedTuple):
    m: int
    experts: int
    n: int
    top_k: int
    dtype: str = "none"
    block_shape: tuple[int, int] | None = None
    per_channel: bool = False


class Moe(_MoeFields):
    """The fused experts: ``m`` tokens; ``experts`` whose inner width is ``n``, both of this rank."""

    __slots__ = ()
    operation: ClassVar[str] = "fused_moe"
    dimensions: ClassVar[list[Any]] = [
        "m", "E", "N", {"name": "dtype", "labels": list(_DTYPES)}, {"name": "block_shape", "labels": list(_BLOCKS)},
        {"name": "per_channel_quant", "labels": ["False", "True"]}]

    @property
    def key(self) -> tuple[Any, ...]:
        return self.m, self.experts, self.n, self.dtype, _block(self.block_shape), str(self.per_channel)

    @property
    def known(self) -> bool:
        return self.m > 0 and self.dtype in _DTYPES and _block(self.block_shape) in _BLOCKS

    @property
    def rows(self) -> float:
        return self.m * self.top_k / max(1, self.experts)

    @property
    def kind(self) -> tuple[Any, ...]:
        pairs = self.m * self.top_k
        return (*self[1:], pairs == 1, pairs % 16, pairs * 4 <= self.experts, pairs < self.experts)


class _MatmulFields(NamedTuple):
    m: int
    n: int
    k: int
    block_shape: tuple[int, int]
    dtype: str = "fp8_w8a8"


class Matmul(_MatmulFields):
    """A product whose operands have a scale for each block: (m, k) by (n, k)."""

    __slots__ = ()
    operation: ClassVar[str] = "w8a8_block_matmul"
    dimensions: ClassVar[list[Any]] = ["m", "N", "K", {"name": "dtype", "labels": ["fp8_w8a8", "int8_w8a8"]},
                                       {"name": "block_shape", "labels": list(_BLOCKS[1:])}]

    @property
    def key(self) -> tuple[Any, ...]:
        return self.m, self.n, self.k, self.dtype, _block(self.block_shape)

    @property
    def known(self) -> bool:
        return self.m > 0 and _block(self.block_shape) in _BLOCKS

    @property
    def rows(self) -> float:
        return float(self.m)

    @property
    def kind(self) -> tuple[Any, ...]:
        return (*self[1:], self.m == 1, self.m % 16 == 0)
