"""The launch of a known specialisation, generated for each kernel.

`kernel[grid](...)` of Triton binds the arguments, computes a specialisation, turns the options into a string, hashes
both and looks the kernel up, at every launch. The function made here does that once: afterwards one look-up by what
the specialisation can depend on finds everything (LaunchTable of the extension).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter
from typing import Any

import triton.language as tl
from triton import knobs
from triton.runtime.driver import driver
from triton.runtime.jit import JITFunction

from adaptive_selector._core import Launcher, LaunchTable

#: What the function returns where it has done nothing: Triton's way has to be taken.
MISS: Any = type("Miss", (), {"__repr__": lambda self: "MISS"})()
#: The value of a parameter that was not given.
ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "ABSENT"})()


def _identity_types() -> tuple[type, ...]:
    """Types whose objects are constants of their own, and immutable."""
    torch = sys.modules.get("torch")
    return (tl.dtype, torch.dtype) if torch is not None and hasattr(torch, "dtype") else (tl.dtype,)


class Plan:
    """Which parameters of a kernel come from where."""

    def __init__(self, jit: JITFunction[Any], keys: Sequence[str], configs: Sequence[Any],
                 heuristics: Sequence[tuple[str, Any]]) -> None:
        self.jit = jit
        self.names = list(jit.arg_names)
        own = [set(config.kwargs) & set(self.names) for config in configs]
        self.tuned = [name for name in self.names if name in own[0]]
        self.heuristics = list(heuristics)
        self.hooked = any(config.pre_hook is not None for config in configs)
        decided = set(self.tuned) | {name for name, _ in heuristics}
        #: The parameters that the program gives.
        self.given = [name for name in self.names if name not in decided]
        by_name = {parameter.name: parameter for parameter in jit.params}
        self.kinds = [
            "value" if by_name[name].is_constexpr or name in keys else "properties" for name in self.given
        ]
        # Where configurations set different parameters, the others come from the program or from defaults.
        self.uniform = all(names == own[0] for names in own) and len(self.given) <= 64 and all(
            p.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY) for p in jit.signature.parameters.values()
        )

    def table(self) -> LaunchTable:
        return LaunchTable(self.kinds, identity_types=_identity_types())


def make(plan: Plan, tables: Mapping[int, Callable[..., Any]], resume: Callable[..., Any],
         latest: list[Any]) -> Callable[..., Any]:
    """`launch(grid, *args, **kwargs)`: launches, or returns MISS without having done anything.

    tables: for each device the look-up of its table, whose values have `begin` and `entries`.
    latest: its only element becomes what the table has for the latest launch.
    resume(bound, started, grid, arguments): launches where the chosen configuration is not ready.
    """
    jit = plan.jit
    namespace: dict[str, Any] = {
        "_find_on": tables.get,
        "_device": device_function(),
        "_stream_of": driver.active.get_current_stream,
        "_resume": resume,
        "_latest": latest,
        "_MISS": MISS,
        "_ABSENT": ABSENT,
        "_jit": jit,
        "_runtime": knobs.runtime,
        "_compilation": knobs.compilation,
        "_HookChain": getattr(knobs, "HookChain", None),
        "_check_globals": check_globals,
        "_debug": knobs.runtime.debug,
        "_jit_debug": jit.debug,
        "_mode": knobs.compilation.instrumentation_mode,
        "_fpsan": getattr(knobs.compilation, "fpsan_homomorphic_casts", None),
    }
    parameters = []
    star = False
    for name, parameter in jit.signature.parameters.items():
        if parameter.kind is Parameter.KEYWORD_ONLY and not star:
            parameters.append("*")
            star = True
        default = "_ABSENT"
        if name in plan.given and parameter.default is not Parameter.empty:
            default = f"_default_{name}"
            namespace[default] = parameter.default
        parameters.append(f"{name}={default}")
    given_twice = " or ".join(["_options"] + [f"{name} is not _ABSENT" for name in plan.names if name not in plan.given])
    arguments = ", ".join(plan.given)
    everything = "{" + ", ".join(f"'{name}': {name}" for name in plan.names) + "}"
    given = "{" + ", ".join(f"'{name}': {name}" for name in plan.given) + "}"
    values = "".join(f", {name}" for name in plan.tuned)
    changed = ["_jit.pre_run_hooks", "_runtime.debug != _debug", "_compilation.instrumentation_mode != _mode",
               "_jit.debug != _jit_debug", "_runtime.add_stages_inspection_hook is not None"]
    if hasattr(knobs.compilation, "fpsan_homomorphic_casts"):
        changed.append("_compilation.fpsan_homomorphic_casts != _fpsan")
    source = f"""
def launch(_grid, /, {', '.join(parameters)}, **_options):
    if {given_twice}:
        return _MISS
    device = _device()
    find = _find_on(device)
    if find is None:
        return _MISS
    bound = find({arguments})
    if bound is None or {' or '.join(changed)}:
        return _MISS
    if _jit.used_global_vals:
        _check_globals(_jit.used_global_vals)
    _latest[0] = bound
    _stream = _stream_of(device)
    started = bound.begin(_stream)
    timed = None
    index = started
    if started.__class__ is not int:
        timed = started
        index = started.variant
"""
    if plan.heuristics:
        source += f"""
    try:
        _meta = {{**{given}, **bound.configs[index].all_kwargs()}}
        _meta['grid'] = _grid
        _meta['warmup'] = False
"""
        for number, (name, function) in enumerate(plan.heuristics):
            namespace[f"_heuristic_{number}"] = function
            source += f"        {name} = _meta['{name}'] = _heuristic_{number}(_meta)\n"
        names = [name for name, _ in plan.heuristics]
        special = "(index" + "".join(f", {name}.__class__, {name}" for name in names) + ")"
        source += f"""        entry = bound.special.get({special})
    except BaseException:
        if timed is not None:
            timed.cancel()
        raise
"""
    else:
        source += "    entry = bound.entries[index]\n"
    source += f"""
    if entry is None:
        return _resume(bound, started, _grid, {given})
    _begun = False
    _launch, _function, _cooperative, _dependent, _packed, _pre_hook, _kernel{values} = entry
    try:
        if _pre_hook is not None:
            _pre_hook({{**{everything}, **bound.configs[index].all_kwargs(), 'grid': _grid, 'warmup': False}})
        _size = _grid({everything}) if callable(_grid) else _grid
        _n = len(_size)
        _enter = _runtime.launch_enter_hook
        _leave = _runtime.launch_exit_hook
        if _enter.__class__ is _HookChain and not _enter.calls:
            _enter = None
        if _leave.__class__ is _HookChain and not _leave.calls:
            _leave = None
        _metadata = None
        if _enter is not None or _leave is not None:
            _metadata = _kernel.launch_metadata(_size, _stream, {', '.join(plan.names)})
        _begun = True
        _launch(_size[0], _size[1] if _n > 1 else 1, _size[2] if _n > 2 else 1, _stream, _function, _cooperative,
                _dependent, None, None, _packed, _metadata, _enter, _leave, {', '.join(plan.names)})
    except BaseException as error:
        if timed is not None:
            if _begun and isinstance(error, Exception):
                timed.fail()
            else:
                timed.cancel()
        raise
    if timed is not None:
        timed.end()
    return _kernel
"""
    exec(compile(source, f"<adaptive launch of {jit.__name__}>", "exec"), namespace)
    made: Callable[..., Any] = namespace["launch"]
    return made


def device_function() -> Callable[[], int]:
    """Says the current device. Triton's own asks PyTorch each time whether CUDA is initialised, which it is where a
    kernel has been loaded."""
    asks: Callable[[], int] = driver.active.get_current_device
    torch = sys.modules.get("torch")
    if torch is not None and asks is getattr(getattr(torch, "cuda", None), "current_device", None):
        asks = getattr(torch._C, "_cuda_getDevice", asks)
    return asks


def launcher(plan: Plan, resume: Callable[..., Any], otherwise: Callable[..., Any], latest: list[Any]) -> Launcher | None:
    """What `make` makes, compiled, and for the usual settings alone; anything else goes to ``otherwise``. None where
    the kernel needs more: heuristics, or hooks of configurations."""
    jit = plan.jit
    if plan.heuristics or plan.hooked:
        return None
    watched: list[tuple[object, str, object]] = [
        (jit, "pre_run_hooks", []),
        (jit, "used_global_vals", {}),
        (jit, "debug", jit.debug),
        (knobs.runtime, "debug", knobs.runtime.debug),
        (knobs.runtime, "add_stages_inspection_hook", None),
        (knobs.compilation, "instrumentation_mode", knobs.compilation.instrumentation_mode),
    ]
    if hasattr(knobs.compilation, "fpsan_homomorphic_casts"):
        watched.append((knobs.compilation, "fpsan_homomorphic_casts", knobs.compilation.fpsan_homomorphic_casts))
    for name in ("launch_enter_hook", "launch_exit_hook"):
        hook = getattr(knobs.runtime, name)
        watched.append((knobs.runtime, name, hook))
        if hook is not None:
            if type(hook) is not getattr(knobs, "HookChain", None):
                return None
            watched.append((hook, "calls", []))
    parameters = jit.signature.parameters
    defaults = tuple(() if parameters[name].default is Parameter.empty else parameters[name].default for name in plan.given)
    return Launcher(
        plan.names, [plan.names.index(name) for name in plan.given], defaults, tuple(watched), device_function(),
        driver.active.get_current_stream, latest, resume, otherwise,
    )


def check_globals(used: Mapping[tuple[str, int], tuple[Any, Mapping[str, Any]]]) -> None:
    """As JITFunction.run: a kernel must not run with other globals than those that it was compiled with."""
    absent = object()
    for (name, _), (value, scope) in used.items():
        now = scope.get(name, absent)
        if now != value:
            raise RuntimeError(f"Global variable {name} has changed since we compiled this kernel, from {value} to {now}")
