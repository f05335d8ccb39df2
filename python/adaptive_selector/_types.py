"""Types that signatures name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, SupportsIndex, TypedDict, Union

from ._core import Dimension, Variant

if TYPE_CHECKING:  # a package without the tool `adaptive` has no replays, and not these
    from ._core import PolicyKey, PolicyRandom

#: A size, a label, or the labels of a set.
KeyValue = Union[SupportsIndex, str, Iterable[str]]


class DimensionFields(TypedDict, total=False):
    name: str
    kind: str
    labels: Sequence[str]
    weight: float
    rounding: str


class VariantFields(TypedDict, total=False):
    name: str
    parameters: Mapping[str, Union[bool, int, float, str]]
    numeric_class: str
    supports: Union[Callable[..., bool], None]
    memory: Union[int, Callable[..., int], None]


DimensionLike = Union[str, DimensionFields, Dimension]
VariantLike = Union[str, VariantFields, Variant]


class ReplayPolicy(Protocol):
    """Decides which candidate of a key a replayed call runs. Each key has one. It may also have
    ``observe(key: PolicyKey, candidate: int, seconds: float)``, which hears of every result."""

    def choose(self, key: PolicyKey, random: PolicyRandom, /) -> int | tuple[int, bool]:
        """The number of a candidate that is available, or (candidate, whether the call is timed)."""
        ...


class CudaStream(Protocol):
    """What CUDA's Python packages agreed on: (version, handle)."""

    def __cuda_stream__(self) -> tuple[int, int]: ...


class TorchStream(Protocol):
    """A stream of PyTorch."""

    @property
    def cuda_stream(self) -> Any: ...


Stream = Union[int, CudaStream, TorchStream]
