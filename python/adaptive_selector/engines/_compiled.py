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

from . import log

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
    # A launch of an engine is several kernels, which its host enqueues more slowly than the GPU runs those of few tokens.
    selector.hold_on_idle_streams(_HOLD_MAX)
    save = os.environ.get("ADAPTIVE_ENGINES_SAVE")
    if save and not selector.rank_consistent and not any(saver.selector is selector for saver in _savers):
        _savers.append(_Saver(selector, ads.Saver(selector, save)))
    return selector


# Seconds. Engines need some 0.3 ms for a launch.
_HOLD_MAX = 2e-3


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


class Recorded(NamedTuple):
    """One kernel of a launch, with what Triton specialises its arguments by."""

    jit: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def record(jit: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Recorded:
    return Recorded(jit, tuple(map(_outline, args)), {name: _outline(value) for name, value in kwargs.items()})


class Kernels:
    """The kernels of every configuration for launches that Triton does not tell apart.

    known: all kernels of the operation, by their function and Triton's key.
    """

    def __init__(self, derive: Derive, known: dict[int, dict[str, Kernel]]) -> None:
        self._derive = derive
        self._known = known
        self._configs: dict[int, dict[str, Any]] = {}
        self._of: dict[int, list[Kernel]] = {}  # by configuration, in the order of a launch
        self._launch: list[Recorded] = []
        self._problem: Any = None
        self._lock = threading.RLock()
        self.complete = False  # a whole launch has been recorded

    def wanted(self, indices: Sequence[int], configs: Sequence[dict[str, Any]]) -> None:
        """Configurations that problems of this kind try."""
        with self._lock:
            new = {index: configs[index] for index in indices if index not in self._configs}
            self._configs.update(new)
            if self.complete:
                self._request(new)

    def ready(self, index: int) -> bool:
        kernels = self._of.get(index)
        return kernels is not None and all(kernel.status == READY for kernel in kernels)

    def failed(self, index: int) -> bool:
        return any(kernel.status == FAILED for kernel in self._of.get(index, ()))

    def finish(self, launch: list[Recorded], problem: Any, now: int | None) -> None:
        """A whole launch, the first of its kind: from now on the other configurations are compiled elsewhere, and ``now``
        on this thread, as the engine compiles its own."""
        with self._lock:
            if self.complete or not launch:
                return
            self._launch, self._problem = launch, problem
            self._request(self._configs)
            self.complete = True
        if now is not None:
            try:
                for kernel in self._of[now]:
                    kernel.compile_now()
            except Exception as error:  # it does not fit this device, and fails as in a worker
                log.info("configuration %s is left out: %s", self._configs[now], error)

    def _request(self, configs: dict[int, dict[str, Any]]) -> None:
        device = current_device()
        for rank, (index, config) in enumerate(configs.items()):
            kernels: list[Kernel] = []
            for jit, args, kwargs in self._launch:
                changed = self._derive(jit, args, kwargs, config, self._problem)
                args, kwargs = _placed(jit, args, kwargs, changed)
                call = _jit.specialise(jit, device, args, kwargs)
                kernel = kernel_of(self._known.setdefault(id(jit), {}), jit, device, call, f"{jit.__name__} with {config}")
                if kernel.status == NEW and call.key in jit.device_caches[device][0]:
                    kernel.compile_now()  # Triton has it, from the launch that was recorded
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
