"""Which configurations are compiled. The others are compiled by the worker processes of `adaptive_selector.triton`, so
that no launch waits for a compiler."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import adaptive_selector as ads
from adaptive_selector.triton import _jit
from adaptive_selector.triton._settings import settings
from adaptive_selector.triton._specialisation import FAILED, NEW, READY, Kernel, kernel_of

#: The arguments of a kernel that depend on the configuration: called with the kernel, the arguments of a launch, the
#: configuration and the problem.
Derive = Callable[[Any, tuple[Any, ...], dict[str, Any], dict[str, Any], Any], dict[str, Any]]


def current_device() -> int:
    from triton.runtime.driver import driver

    return int(driver.active.get_current_device())


def current_stream() -> Any:
    from triton.runtime.driver import driver

    return driver.active.get_current_stream(driver.active.get_current_device())


def begin_of(site: ads.Site) -> Callable[[Any], Any]:
    return settings.begin_of(site)


def selector_of(device: int) -> ads.Selector | str:
    """The selector of a device, which `adaptive_selector.triton` shares, or why there is none. The ranks of one model run
    what the tables say, so that they run alike."""
    why = _jit.supported() or settings.why_not()
    if why:
        return why
    if _ranks() > 1 and not settings._own:
        settings.configure(lambda ordinal: ads.Selector(device=ordinal, rank_consistent=True), None)
    selector = settings.selector(device)
    save = os.environ.get("ADAPTIVE_ENGINES_SAVE")
    if save and not selector.rank_consistent and not any(saver.selector is selector for saver in _savers):
        _savers.append(_Saver(selector, ads.Saver(selector, save)))
    return selector


class _Saver(NamedTuple):
    selector: ads.Selector
    saver: ads.Saver


_savers: list[_Saver] = []


def _ranks() -> int:
    import sys

    distributed = getattr(sys.modules.get("torch"), "distributed", None)
    try:
        return int(distributed.get_world_size()) if distributed is not None and distributed.is_initialized() else 1
    except Exception:
        return 1


class Kernels:
    """The kernels of every configuration for launches that Triton does not tell apart."""

    def __init__(self, derive: Derive) -> None:
        self._derive = derive
        self._configs: dict[int, dict[str, Any]] = {}
        self._of: dict[int, list[Kernel]] = {}  # by configuration, in the order of a launch
        self._known: dict[int, dict[str, Kernel]] = {}  # by kernel function and Triton's key
        self._recorded: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []
        self._lock = threading.Lock()
        self.complete = False  # a whole launch has been recorded

    def wanted(self, indices: Sequence[int], configs: Sequence[dict[str, Any]]) -> None:
        """Configurations that keys of this kind try."""
        with self._lock:
            new = {index: configs[index] for index in indices if index not in self._configs}
            self._configs.update(new)
            recorded = list(self._recorded) if self.complete else []
        if recorded and new:
            self._request(recorded, new)

    def ready(self, index: int) -> bool:
        kernels = self._of.get(index)
        return kernels is not None and self.complete and all(kernel.status == READY for kernel in kernels)

    def failed(self, index: int) -> bool:
        return any(kernel.status == FAILED for kernel in self._of.get(index, ()))

    def record(self, jit: Any, number: int, args: tuple[Any, ...], kwargs: dict[str, Any], problem: Any) -> None:
        """One kernel of the first launch, and what it would be with every other configuration."""
        with self._lock:
            if number == len(self._recorded) and not self.complete:
                # Only what Triton specialises by: the arguments of a launch must not be kept alive.
                self._recorded.append((jit, tuple(map(_outline, args)), {k: _outline(v) for k, v in kwargs.items()}, problem))

    def finish(self, count: int) -> None:
        """The launch is over: it has ``count`` kernels."""
        if self.complete or count == 0:
            return
        with self._lock:
            if self.complete or count != len(self._recorded):
                return
            recorded, configs = list(self._recorded), dict(self._configs)
        self._request(recorded, configs)
        self.complete = True

    def _request(self, recorded: Sequence[tuple[Any, tuple[Any, ...], dict[str, Any], Any]],
                 configs: dict[int, dict[str, Any]]) -> None:
        device = current_device()
        for rank, (index, config) in enumerate(configs.items()):
            kernels: list[Kernel] = []
            for jit, args, kwargs, problem in recorded:
                changed = self._derive(jit, args, kwargs, config, problem)
                args, kwargs = _placed(jit, args, kwargs, changed)
                call = _jit.specialise(jit, device, args, kwargs)
                kernel = kernel_of(self._known.setdefault(id(jit), {}), jit, device, call, f"{jit.__name__} with {config}")
                if kernel.status == NEW and call.key in jit.device_caches[device][0]:
                    kernel.compile_now()
                kernels.append(kernel)
            self._of[index] = kernels
            for kernel in kernels:
                kernel.request(float(rank))


class _Outline:
    """What Triton specialises a tensor by."""

    __slots__ = ("dtype", "_address", "shape")

    def __init__(self, tensor: Any) -> None:
        self.dtype = tensor.dtype
        self._address = tensor.data_ptr()
        self.shape = tuple(getattr(tensor, "shape", ()))

    def data_ptr(self) -> int:
        return int(self._address)


def _outline(value: Any) -> Any:
    return _Outline(value) if hasattr(value, "data_ptr") else value


def _placed(jit: Any, args: tuple[Any, ...], kwargs: dict[str, Any],
            changed: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with some replaced, which may stand by position or by name. The options are those of the configuration,
    in its order, which is a part of Triton's key; the ones that Triton itself adds to a call come after them."""
    placed = list(args)
    rest = {name: value for name, value in kwargs.items() if name in jit.arg_names}
    names = list(jit.arg_names)
    for name, value in changed.items():
        position = names.index(name) if name in names else len(placed)
        if position < len(placed):
            placed[position] = value
        else:
            rest[name] = value
    return tuple(placed), rest
