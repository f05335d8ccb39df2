"""From Triton's key and configurations to an operation of a selector."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import adaptive_selector as ads
from adaptive_selector._types import VariantFields

# The library's limit on the values of a key, less the one for the labels.
_SIZES_MAX = 11
_NAME_MAX = 100


def dtype_label(dtype: object) -> str:
    """`torch.float16` and `fp16` alike."""
    text = str(dtype).rpartition(".")[2]
    short = {"float16": "fp16", "bfloat16": "bf16", "float32": "fp32", "float64": "fp64", "bool": "i1"}
    if text.startswith("int") and text[3:].isdigit():
        return "i" + text[3:]
    if text.startswith("uint") and text[4:].isdigit():
        return "u" + text[4:]
    return short.get(text, text)


class TuningKey:
    """The key of one call as Triton's tuner builds it: the values of the named arguments and the dtypes of all.

    Integers are sizes, the values of an operation's key. Everything else is discrete: nothing is carried over from
    one such value to another, so each combination is an operation of its own and has the combination as its label.
    """

    __slots__ = ("names", "values", "label")

    def __init__(self, keys: Iterable[str], arguments: Mapping[str, Any]) -> None:
        names: list[str] = []
        values: list[int] = []
        labels = [dtype_label(value.dtype) for value in arguments.values() if hasattr(value, "dtype")]
        for name in keys:
            if name not in arguments:
                continue
            value = arguments[name]
            if type(value) is int and 0 <= value < 2**62 and len(names) < _SIZES_MAX and name not in names:
                names.append(name)
                values.append(value)
            elif hasattr(value, "data_ptr"):
                labels.append(f"{name}={'x'.join(map(str, getattr(value, 'shape', ())))}")
            else:
                labels.append(f"{name}={value}")
        self.names = tuple(names)
        self.values = tuple(values)
        self.label = ",".join(labels) or "none"

    @property
    def identity(self) -> tuple[tuple[str, ...], str]:
        """What the operation depends on."""
        return self.names, self.label


def config_name(config: Any) -> str:
    """`BLOCK_M=128,BLOCK_N=64,num_warps=4,num_stages=3`."""
    return ",".join(f"{name}={getattr(value, '__name__', value)}" for name, value in config.all_kwargs().items())


def parameters_of(config: Any) -> dict[str, bool | int | float | str]:
    """The parameters of a configuration by which variants predict each other."""
    plain: dict[str, bool | int | float | str] = {}
    for name, value in config.all_kwargs().items():
        if type(value) in (bool, str) or type(value) is int and -(2**63) <= value < 2**63:
            plain[name] = value
        elif type(value) is float and math.isfinite(value):
            plain[name] = value
        else:
            plain[name] = str(getattr(value, "__name__", value))
    return plain


class _Likeness:
    """How unlike configurations are, by their parameters: from 0 for equal ones to the number of parameters."""

    def __init__(self, configs: Sequence[Any], indices: Sequence[int]) -> None:
        self._points = {i: {name: _place(value) for name, value in parameters_of(configs[i]).items()} for i in indices}
        self._ranges: dict[str, float] = {}
        for name in {name for point in self._points.values() for name in point}:
            places = [place for point in self._points.values() if isinstance(place := point.get(name), float)]
            self._ranges[name] = max(places) - min(places) if places else 0.0

    def between(self, a: int, b: int) -> float:
        total = 0.0
        for name, width in self._ranges.items():
            here, there = self._points[a].get(name), self._points[b].get(name)
            if isinstance(here, float) and isinstance(there, float):
                total += ((here - there) / width) ** 2 if width else 0.0
            else:
                total += here != there
        return total


def middle(configs: Sequence[Any], indices: Sequence[int]) -> int:
    """The configuration that is least unlike all others: surely not the best for every shape, nor the worst for any."""
    likeness = _Likeness(configs, indices)
    return min(indices, key=lambda index: sum(math.sqrt(likeness.between(index, other)) for other in indices))


def spread(configs: Sequence[Any], indices: Sequence[int], first: int) -> list[int]:
    """``first``, then always the one of ``indices`` that is most unlike those before it; of equally unlike ones the
    earlier."""
    likeness = _Likeness(configs, indices)
    order = [first]
    left = [index for index in indices if index != first]
    nearest = {index: likeness.between(index, first) for index in left}
    while left:
        farthest = max(left, key=lambda index: nearest[index])
        left.remove(farthest)
        order.append(farthest)
        for index in left:
            nearest[index] = min(nearest[index], likeness.between(index, farthest))
    return order


def _place(value: bool | int | float | str) -> float | str:
    """Where a parameter lies: sizes double, and a warp more counts for less the more there are."""
    if isinstance(value, (bool, str)):
        return str(value)
    return float(value) if abs(value) < 1.0 else math.copysign(1.0 + math.log2(abs(value)), value)


def variants_of(configs: Sequence[Any]) -> list[VariantFields]:
    """One variant for each configuration, in their order."""
    seen: dict[str, int] = {}
    variants: list[VariantFields] = []
    for config in configs:
        name = config_name(config) or "default"
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            name += f"#{seen[name]}"
        variants.append({"name": name, "parameters": parameters_of(config)})
    return variants


def operation_name(kernel: str, label: str) -> str:
    """`matmul.fp16.fp16.fp32`: letters, digits, `_`, `-` and `.`; a long one ends with a hash of all of it."""
    text = re.sub(r"[^A-Za-z0-9_.-]+", ".", f"{kernel}.{label}").strip(".")
    if len(text) <= _NAME_MAX:
        return text
    return f"{text[: _NAME_MAX - 9]}.{hashlib.sha256(f'{kernel}.{label}'.encode()).hexdigest()[:8]}"


def dimension_name(parameter: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", parameter)


_owners: dict[tuple[int, str], tuple[str, Any]] = {}


def define(selector: ads.Selector, kernel: str, source: str, key: TuningKey, configs: Sequence[Any], candidates: Any,
           make: Callable[[ads.Operation], Any]) -> Any:
    """What ``make`` makes of the operation of this key, once for each operation.

    source: a hash of the kernel's source. Another kernel of the same name, or the same with other configurations, is
    another operation: its name gets a number. Equal ones share an operation.
    """
    name = operation_name(kernel, key.label)
    text_max = 200
    label = key.label if len(key.label) <= text_max else operation_name("types", key.label)
    dimensions: list[Any] = [dimension_name(parameter) for parameter in key.names]
    dimensions.append({"name": "types", "labels": [label]})
    for number in range(1, 1000):
        numbered = name if number == 1 else f"{name}-{number}"
        owner = _owners.get((id(selector), numbered))
        if owner is not None and owner[0] != source:
            continue
        try:
            operation = selector.define(numbered, dimensions, variants_of(configs), candidates=candidates)
        except ads.Error as error:
            if error.code != "mismatch":
                raise
            continue
        if owner is None:
            # The selector lives as long as the process, so that its address names it.
            owner = _owners[(id(selector), numbered)] = (source, make(operation))
        return owner[1]
    raise RuntimeError(f"there are 1000 kernels that are named {name}")
