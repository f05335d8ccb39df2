"""What Triton does between a call and a launch, step by step: binding, specialisation, look-up, compilation.

Triton's own functions do each step, so that a specialisation is exactly Triton's. ``supported`` says whether the
installed Triton has these functions in the form that this module knows.
"""

from __future__ import annotations

import ctypes
import hashlib
import inspect
import os
import threading
from collections import namedtuple
from collections.abc import Mapping
from typing import Any, NamedTuple

import triton
from triton import knobs
from triton._C.libtriton import get_cache_invalidating_env_vars
from triton.runtime import jit as triton_jit
from triton.runtime.autotuner import Heuristics
from triton.runtime.cache import get_cache_manager
from triton.runtime.driver import driver
from triton.runtime.jit import JITFunction

from ._portable import Encoder

try:
    from triton.runtime.cache import get_cache_key
except ImportError:  # a Triton that names what it has compiled in another way
    get_cache_key = None

#: Errors that say a configuration does not fit the device. Triton's tuner leaves it out as well.
UNFIT_NAMES = ("OutOfResources", "PTXASError", "CompileTimeAssertionFailure")


#: What the function that names a kernel gets.
_Proxy = namedtuple("_Proxy", ["constants", "signature"])


def supported() -> str:
    """Why the installed Triton cannot be used; empty if it can."""
    try:
        compile_parameters = list(inspect.signature(JITFunction._do_compile).parameters)[1:]
        pack_parameters = list(inspect.signature(JITFunction._pack_args).parameters)[1:]
    except AttributeError:
        return f"Triton {triton.__version__} has another JITFunction"
    if compile_parameters != ["key", "signature", "device", "constexprs", "options", "attrs", "warmup"] or (
        pack_parameters != ["backend", "kwargs", "bound_args", "specialization", "options"]
    ):
        return f"Triton {triton.__version__} compiles with other arguments"
    if not hasattr(triton_jit, "compute_cache_key") or not hasattr(JITFunction, "create_binder"):
        return f"Triton {triton.__version__} looks kernels up in another way"
    return ""


def is_unfit(error: BaseException) -> bool:
    """Whether a configuration failed because it does not fit, rather than because the kernel is wrong."""
    return type(error).__name__ in UNFIT_NAMES


class Call(NamedTuple):
    """A call of a kernel with one configuration, bound and specialised."""

    bound: dict[str, Any]  # every parameter in its order
    specialization: list[Any]
    options: dict[str, Any]
    kwargs: dict[str, Any]
    key: str  # Triton's key of the compiled kernel


def chain_of(fn: Any) -> tuple[list[tuple[str, Any]], JITFunction[Any] | None]:
    """The heuristics between a tuner and its kernel in the order in which they are evaluated, and the kernel. None
    where something else is in between, such as the interpreter's function."""
    heuristics: list[tuple[str, Any]] = []
    while type(fn) is Heuristics:
        heuristics.extend(fn.values.items())
        fn = fn.fn
    return heuristics, fn if type(fn) is JITFunction else None


def run_options(jit: JITFunction[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments with those that JITFunction.run adds to every call."""
    merged = dict(kwargs)
    merged["debug"] = merged.get("debug", jit.debug) or knobs.runtime.debug
    merged["instrumentation_mode"] = knobs.compilation.instrumentation_mode
    if hasattr(knobs.compilation, "fpsan_homomorphic_casts"):
        merged["fpsan_homomorphic_casts"] = knobs.compilation.fpsan_homomorphic_casts
    return merged


def specialise(jit: JITFunction[Any], device: int, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call:
    """Binds a call as JITFunction.run does. Raises what it raises, such as TypeError for a missing argument."""
    merged = run_options(jit, kwargs)
    _, keys, _, _, binder = jit.device_caches[device]
    bound, specialization, options = binder(*args, **merged)
    inspection = knobs.runtime.add_stages_inspection_hook
    if inspection is not None and hasattr(triton_jit, "_replace_jit_callables"):
        specialization.append(f'("custom_pipeline", {inspection()[1]})')
    key = triton_jit.compute_cache_key(keys, specialization, options)
    return Call(bound, specialization, options, merged, key)


class Source:
    """What a kernel is compiled from: one configuration in one specialisation."""

    __slots__ = ("jit", "device", "key", "signature", "constants", "options", "attributes")

    def __init__(self, jit: JITFunction[Any], device: int, call: Call) -> None:
        self.jit = jit
        self.device = device
        self.key = call.key
        backend = jit.device_caches[device][3]
        self.options, self.signature, self.constants, self.attributes = jit._pack_args(
            backend, call.kwargs, call.bound, call.specialization, call.options
        )

    def compile(self, warmup: bool) -> Any:
        """Triton's compilation: from its cache on disk where the kernel is there. None where a hook of the program
        forbids it. ``warmup`` is what hooks are told: whether no launch follows."""
        known = self.jit.device_caches[self.device][0].get(self.key)
        if known is None:
            known = self.jit._do_compile(
                self.key, self.signature, self.device, self.constants, self.options, self.attributes, warmup
            )
        return known.result() if hasattr(known, "result") else known

    def is_on_disk(self) -> bool:
        """Whether Triton's cache on disk has the kernel, so that ``compile`` only reads it."""
        if get_cache_key is None or knobs.compilation.always_compile:
            return False
        _, _, _, backend, _ = self.jit.device_caches[self.device]
        source = self.jit.ASTSource(self.jit, self.signature, self.constants, self.attributes)
        key = get_cache_key(source, backend, self.options, env_vars=get_cache_invalidating_env_vars())
        file = f"{source.name[:150]}.json"
        return file in (get_cache_manager(hashlib.sha256(key.encode()).hexdigest()).get_group(file) or {})

    def job(self) -> dict[str, Any] | None:
        """The same as data for a worker process; None where there is nothing to compile. Raises NotPortable."""
        if self.is_on_disk():
            return None
        encoder = Encoder(_encoded(self.jit))
        constants = [(path, encoder.value(value)) for path, value in self.constants.items()]
        name = None
        if self.jit._repr is not None:
            plain = {self.jit.arg_names[path[0]]: v for path, v in self.constants.items() if len(path) == 1}
            name = self.jit.repr(_Proxy(plain, self.signature))
        target = self.jit.device_caches[self.device][2]
        return {
            "functions": encoder.functions,
            "constants": constants,
            "signature": self.signature,
            "attributes": self.attributes,
            "options": dict(self.options.__dict__),
            "name": name,
            "target": (target.backend, target.arch, target.warp_size),
            "environment": dict(os.environ),
            "knobs": {
                group: {name: value for name, value in vars(getattr(knobs, group)).items() if _is_plain(value)}
                for group in ("build", "cache", "compilation", "language", "nvidia", "runtime")
                if hasattr(knobs, group)
            },
        }


# The kernels that were encoded latest: their configurations differ in constants alone. Each entry keeps its kernel.
_recent: dict[int, tuple[JITFunction[Any], str, Encoder]] = {}
_recent_lock = threading.Lock()
_RECENT_MAX = 64


def _encoded(jit: JITFunction[Any]) -> Encoder:
    """An encoder that has the kernel as its first function. It takes some milliseconds the first time."""
    with _recent_lock:
        known = _recent.get(id(jit))
        if known is None or known[1] != jit.cache_key:
            encoder = Encoder()
            encoder.function(jit)
            if len(_recent) >= _RECENT_MAX:
                _recent.clear()
            known = _recent[id(jit)] = (jit, jit.cache_key, encoder)
        return known[2]


def _is_plain(value: object) -> bool:
    return value is None or type(value) in (bool, int, float, str)


_thread = threading.local()


def relax_capture() -> None:
    """Loading a kernel on this thread must not disturb a graph that another thread captures. For threads of our own."""
    if getattr(_thread, "relaxed", False):
        return
    _thread.relaxed = True
    try:
        exchange = ctypes.CDLL("libcuda.so.1").cuThreadExchangeStreamCaptureMode
    except (OSError, AttributeError):
        return  # no NVIDIA GPU
    exchange(ctypes.byref(ctypes.c_int(2)))  # CU_STREAM_CAPTURE_MODE_RELAXED


def load(compiled: Any, device: int) -> Any:
    """Loads a compiled kernel on the device of this ordinal, so that its first launch does not; returns what runs it.
    Raises OutOfResources where the kernel does not fit."""
    active = driver.active
    if active.get_current_device() != device:
        active.set_current_device(device)
    return compiled.run
