"""What stands behind a tuner: its keys, its kernels, and the launches that are not known yet."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from triton import knobs
from triton.runtime.autotuner import Autotuner
from triton.runtime.driver import driver
from triton.runtime.jit import MockTensor

import adaptive_selector as ads
from adaptive_selector._core import Launcher

from . import _fast, _jit
from ._entry import entry_of
from ._operation import TuningKey, define, middle, spread
from ._seeds import Seeds
from ._settings import log, settings
from ._specialisation import FAILED, NEW, READY, Kernel, Specialisation, kernel_of
from ._tuned import Tuned, candidates

# Bounds of one device; where there are as many, all are dropped, and what is in use comes back.
_BOUNDS_MAX = 65_536
# Orders of configurations that a tuner remembers, one for each set that pruning leaves.
_ORDERS_MAX = 1024
# After so many substitutions the best compiled configuration is looked up again.
_SUBSTITUTIONS = 256


class Bound:
    """One key in one specialisation: everything that a launch needs."""

    __slots__ = ("begin", "entries", "special", "configs", "site", "tuned", "values", "indices", "specialisation",
                 "first", "consistent", "_order", "_version", "_uses")

    def __init__(self, specialisation: Specialisation, configs: Sequence[Any], indices: Sequence[int]) -> None:
        self.specialisation = specialisation
        self.entries = specialisation.entries
        #: By index and values of heuristics, for kernels with heuristics.
        self.special: dict[tuple[Any, ...], Any] = {}
        self.configs = configs
        self.indices = indices
        self.begin: Callable[[Any], Any] = lambda stream: 0
        self.site: ads.Site | None = None
        self.tuned: Tuned | None = None
        self.values: tuple[int, ...] = ()
        self.first = True  # no launch has begun yet
        #: Every rank runs what the tables say, so no launch runs something else because it is compiled already.
        self.consistent = False
        self._order: list[int] = list(indices)
        self._version = -1
        self._uses = 0

    def learn(self, tuned: Tuned, key: TuningKey) -> None:
        self.tuned = tuned
        self.values = key.values
        self.site = tuned.site(key.values, self.indices)
        self.begin = settings.begin_of(self.site)
        self.consistent = tuned.consistent
        self.specialisation.serves(tuned)

    def incumbent(self) -> int:
        return self.site.variant() if self.site is not None else 0

    def order(self) -> Sequence[int]:
        """The configurations of the key, those that are known as the fastest first."""
        if self.tuned is None or self.consistent:
            return self.indices
        if self._version != self.specialisation.version or self._uses >= _SUBSTITUTIONS:
            self._order = self.tuned.ranking(self.values, self.indices)
            self._version, self._uses = self.specialisation.version, 0
        self._uses += 1
        return self._order

    def set_aside(self, index: int) -> None:
        """A configuration that cannot run: the key does not choose it again."""
        if self.tuned is not None and self.site is not None:
            pin = self.site.pin()
            if pin.variant == index:
                self.tuned.operation.fail(pin)


class _Device:
    """What a tuner has on one device."""

    def __init__(self, plan: _fast.Plan) -> None:
        self.kernels: dict[str, Kernel] = {}
        self.specialisations: dict[Any, Specialisation] = {}
        self.bounds: dict[Any, Bound] = {}
        self.tuned: dict[Any, Tuned] = {}
        self.table = plan.table() if plan.uniform else None


class Learner:
    """The launches of one tuner. Thread-safe."""

    def __init__(self, tuner: Autotuner) -> None:
        self.tuner = tuner
        self.made_for = tuner.configs
        #: Those of the tuner. Where nothing is known, the first is the best guess: the one in the middle of all.
        self.configs = list(tuner.configs)
        if tuner.perf_model is None:
            self.configs.insert(0, self.configs.pop(middle(self.configs, range(len(self.configs)))))
        self.heuristics, jit = _jit.chain_of(tuner.fn)
        assert jit is not None, "the caller has asked why_not"
        self.jit = jit
        self.plan = _fast.Plan(self.jit, tuner.keys, self.configs, self.heuristics)
        self._tuned_names = {name for config in self.configs for name in config.kwargs}
        self._option_names = {name for config in self.configs for name in config.all_kwargs()} - self._tuned_names
        self._parameters = set(self.jit.arg_names)
        self._orders: dict[tuple[int, ...], list[int]] = {}
        self._numbers = {id(config): index for index, config in enumerate(self.configs)}
        self._seeds = Seeds(self.jit, self.configs)
        self._latest: list[Any] = [None]  # the bound of the latest launch
        self._devices: dict[int, _Device] = {}
        self._tables: dict[int, Callable[..., Any]] = {}
        self._lock = threading.RLock()
        #: What `tuner[grid]` is, by the grid: a partial of it.
        self.launch: Callable[..., Any] = self._launch_unknown
        self._launcher: Launcher | None = None
        # A hook that hears of failures is called by Triton's own steps.
        if self.plan.uniform and not getattr(tuner, "user_defined_post_hook", False):
            self.launch = self._known_or_unknown(_fast.make(self.plan, self._tables, self._resume, self._latest))
            self._launcher = _fast.launcher(self.plan, self._resume, self.launch, self._latest)
            if self._launcher is not None:
                self.launch = self._launcher.launch

    @staticmethod
    def why_not(tuner: Autotuner) -> str:
        """Why launches of this tuner are left to Triton; empty if they are not."""
        if _jit.chain_of(tuner.fn)[1] is None:
            return f"it tunes a {type(tuner.fn).__name__}"
        why = _jit.supported() or settings.why_not()
        if not why and driver.active.get_current_target().backend != "cuda":
            why = "its GPU is none of NVIDIA's"
        return why

    def best_config(self) -> Any:
        """The incumbent of the latest launch's key; None before the first launch."""
        latest: Bound | None = self._latest[0]
        return None if latest is None else self.configs[latest.incumbent()]

    # --- launches -------------------------------------------------------------------------------------------------

    def _known_or_unknown(self, launch_known: Callable[..., Any]) -> Callable[..., Any]:
        launch_unknown, miss = self._launch_unknown, _fast.MISS

        def launch(grid: Any, /, *args: Any, **kwargs: Any) -> Any:
            found = launch_known(grid, *args, **kwargs)
            return launch_unknown(grid, *args, **kwargs) if found is miss else found

        return launch

    def _launch_unknown(self, grid: Any, /, *args: Any, **kwargs: Any) -> Any:
        """A launch by Triton's own steps, for arguments that are new or that no table can hold."""
        device = driver.active.get_current_device()
        bound = self._latest[0] = self._bound(device, grid, args, kwargs)
        return self._run(device, bound, bound.begin(driver.active.get_current_stream(device)), grid, args, kwargs)

    def _resume(self, bound: Bound, started: Any, grid: Any, arguments: dict[str, Any]) -> Any:
        """A launch whose configuration has been chosen and is not ready."""
        return self._run(driver.active.get_current_device(), bound, started, grid, (), arguments)

    def _run(self, device: int, bound: Bound, started: Any, grid: Any, args: tuple[Any, ...],
             kwargs: dict[str, Any]) -> Any:
        timed = None if type(started) is int else started
        index = started if timed is None else timed.variant
        begun = False
        try:
            kernel, call = self._prepared(device, bound, index, grid, args, kwargs)
            if kernel.status != READY:
                if timed is not None and not timed.captured:
                    timed.fail() if kernel.status == FAILED else timed.cancel()
                    timed = None
                elif kernel.status == FAILED:
                    bound.set_aside(index)
                if not bound.consistent:
                    kernel.request(-1.0)
                index, kernel, call = self._substitute(device, bound, index, kernel, call, grid, args, kwargs)
            self._remember(bound, index, kernel, call)
            for hook in self.jit.pre_run_hooks:
                hook(*args, **call.kwargs)
            size = grid(call.bound) if callable(grid) else grid
            begun = True
            launched = self._enqueue(device, kernel, call, size)
        except BaseException as error:
            if timed is not None:
                timed.fail() if begun and isinstance(error, Exception) else timed.cancel()
            if begun and isinstance(error, Exception) and getattr(self.tuner, "user_defined_post_hook", False):
                self.tuner.post_hook(self._full(args, kwargs, self.configs[index], grid), exception=error)
            raise
        if timed is not None:
            timed.end()
        return launched

    def _prepared(self, device: int, bound: Bound, index: int, grid: Any, args: tuple[Any, ...],
                  kwargs: dict[str, Any]) -> tuple[Kernel, _jit.Call]:
        """Triton's own steps for one configuration: its hook, the heuristics, the specialisation."""
        config = self.configs[index]
        known = bound.specialisation.kernels[index]
        if known is not None and known.status != READY and not self.heuristics and config.pre_hook is not None:
            # Its hook is for launches only.
            return known, _jit.Call({}, [], {}, {}, "")
        if config.pre_hook is not None:
            config.pre_hook(self._full(args, kwargs, config, grid))
        call = _jit.specialise(self.jit, device, args, self._merged(args, kwargs, config, grid))
        kernels = self._device(device).kernels
        kernel = kernels.get(call.key)
        if kernel is None:
            with self._lock:
                kernel = kernel_of(kernels, self.jit, device, call, self._name(config))
        if kernel.status == NEW and call.key in self.jit.device_caches[device][0]:
            kernel.compile_now()  # Triton has it compiled, as after a warm-up
        return kernel, call

    def _substitute(self, device: int, bound: Bound, chosen: int, kernel: Kernel, call: _jit.Call, grid: Any,
                    args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[int, Kernel, _jit.Call]:
        """The best configuration that is compiled; where none is, the chosen one or the first that can be."""
        others = [index for index in bound.order() if index != chosen]
        for index in () if bound.consistent else others:
            if bound.entries[index] is not None:
                other, other_call = self._prepared(device, bound, index, grid, args, kwargs)
                if other.status == READY:
                    return index, other, other_call
        error: BaseException | None = None
        for index in [chosen, *others]:
            if index != chosen or not call.key:
                kernel, call = self._prepared(device, bound, index, grid, args, kwargs)
            failed_before = kernel.status == FAILED
            try:
                kernel.compile_now()
            except Exception as unfit:
                if not failed_before and not _jit.is_unfit(unfit):
                    raise
                error = unfit
                bound.set_aside(index)
                continue
            if not call.key:  # its hook has not run
                kernel, call = self._prepared(device, bound, index, grid, args, kwargs)
            return index, kernel, call
        assert error is not None
        raise error

    def _remember(self, bound: Bound, index: int, kernel: Kernel, call: _jit.Call) -> None:
        if self.heuristics and kernel.status == READY and self.plan.uniform:
            values = [call.bound[name] for name, _ in self.heuristics]
            special = (index, *(part for value in values for part in (type(value), value)))
            entry = entry_of(kernel.compiled, kernel.run, self.configs[index], self.plan.tuned)
            bound.special[special] = entry

    def _enqueue(self, device: int, kernel: Kernel, call: _jit.Call, size: Sequence[int]) -> Any:
        _fast.check_globals(self.jit.used_global_vals)
        if kernel.compiled is None:
            return None  # a hook of the program forbids it
        stream = driver.active.get_current_stream(device)
        compiled = kernel.compiled
        x, y, z = (*size, 1, 1)[:3]
        metadata = compiled.launch_metadata(size, stream, *call.bound.values())
        compiled.run(x, y, z, stream, compiled.function, compiled.packed_metadata, metadata,
                     knobs.runtime.launch_enter_hook, knobs.runtime.launch_exit_hook, *call.bound.values())
        return compiled

    # --- arguments ------------------------------------------------------------------------------------------------

    def _named(self, args: tuple[Any, ...]) -> dict[str, Any]:
        return dict(zip(self.tuner.arg_names, args))

    def _full(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], config: Any, grid: Any) -> dict[str, Any]:
        """What hooks of Triton get."""
        return {**self._named(args), **kwargs, **config.all_kwargs(), "grid": grid, "warmup": False}

    def _merged(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], config: Any, grid: Any) -> dict[str, Any]:
        """The keyword arguments of a configuration, with what heuristics say."""
        merged = {**kwargs, **config.all_kwargs()}
        named = self._named(args)
        for name, function in self.heuristics:
            merged[name] = function({**named, **merged, "grid": grid, "warmup": False})
        return merged

    def _after_hook(self, args: tuple[Any, ...], kwargs: dict[str, Any], config: Any,
                    grid: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments as the configuration's hook leaves them, without letting it touch those of the program: hooks
        set the block shapes of tensor descriptors, on which the specialisation depends."""
        if config.pre_hook is None or not any(hasattr(v, "block_shape") for v in (*args, *kwargs.values())):
            return args, kwargs
        args = tuple(copy.copy(v) if hasattr(v, "block_shape") else v for v in args)
        kwargs = {k: copy.copy(v) if hasattr(v, "block_shape") else v for k, v in kwargs.items()}
        full = self._full(args, kwargs, config, grid)
        try:
            config.pre_hook({k: MockTensor(v.dtype) if hasattr(v, "data_ptr") else v for k, v in full.items()})
        except Exception:
            pass  # it does something to a tensor, which has to wait for a launch
        return args, kwargs

    def _name(self, config: Any) -> str:
        return f"{self.jit.__name__} with {config}"

    # --- what is made once ----------------------------------------------------------------------------------------

    def _device(self, ordinal: int) -> _Device:
        with self._lock:
            if ordinal not in self._devices:
                made = self._devices[ordinal] = _Device(self.plan)
                if made.table is not None:
                    self._tables[ordinal] = made.table.find
                    if self._launcher is not None:
                        self._launcher.add(ordinal, made.table)
            return self._devices[ordinal]

    def _bound(self, device: int, grid: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Bound:
        """What the launch needs. Compiles one configuration where none of this specialisation is compiled."""
        named = self._named(args)
        conflicts = (named.keys() | kwargs.keys()) & self._tuned_names
        if conflicts:
            raise ValueError(f"Conflicting meta-parameters: {', '.join(sorted(conflicts))}."
                             " Make sure that you don't re-define auto-tuned symbols.")
        arguments = {name: value for name, value in {**named, **kwargs}.items() if name in self._parameters}
        call = _jit.specialise(self.jit, device, args, self._merged(args, kwargs, self.configs[0], grid))
        decided = self._tuned_names | {name for name, _ in self.heuristics}
        identity = (
            tuple(part for name, part in zip(self.jit.arg_names, call.specialization) if name not in decided),
            tuple(sorted((k, str(v)) for k, v in call.options.items() if k not in self._option_names)),
        )
        key = TuningKey(self.tuner.keys, {n: arguments[n] for n in self.jit.arg_names if n in arguments})
        state = self._device(device)
        name = (identity, key.identity, key.values)
        with self._lock:
            bound = state.bounds.get(name)
            if bound is None:
                bound = self._made(device, state, identity, key, grid, args, kwargs)
                if len(state.bounds) >= _BOUNDS_MAX:
                    state.bounds.clear()
                    state.specialisations.clear()
                state.bounds[name] = bound
        if bound.first:
            self._prepare(bound, grid, args, kwargs)
        if state.table is not None and kwargs.keys() <= self._parameters:
            # Launches like this one are found by their arguments, unless the table cannot hold one of them.
            state.table.insert(bound, *(call.bound[name] for name in self.plan.given))
        return bound

    def _made(self, device: int, state: _Device, identity: Any, key: TuningKey, grid: Any, args: tuple[Any, ...],
              kwargs: dict[str, Any]) -> Bound:
        # What heuristics say may differ between keys, and with it the kernels.
        alike = (identity, key.identity, key.values) if self.heuristics else identity
        specialisation = state.specialisations.get(alike)
        if specialisation is None:
            specialisation = state.specialisations[alike] = Specialisation(self.configs, self.plan.tuned)
        pruned = self._pruned(grid, args, kwargs)
        indices = self._ordered(pruned)
        # What the program has decided beforehand, as libraries with configuration files do, is the best guess.
        triton_key = self._triton_key(args, kwargs)
        decided = self.tuner.cache.get(triton_key)
        if decided is not None:
            indices.sort(key=lambda index: bool(self.configs[index] != decided))
        for index in indices:
            if specialisation.kernels[index] is None:
                config = self.configs[index]
                after_hook = self._after_hook(args, kwargs, config, grid)
                call = _jit.specialise(self.jit, device, after_hook[0], self._merged(*after_hook, config, grid))
                kernel = kernel_of(state.kernels, self.jit, device, call, self._name(config))
                specialisation.use(index, kernel)
        usable = [i for i in indices if (k := specialisation.kernels[i]) is None or k.status != FAILED]
        bound = Bound(specialisation, self.configs, usable or indices)
        if len(self.configs) > 1:
            tuned = state.tuned.get(key.identity)
            if tuned is None:
                tuned = state.tuned[key.identity] = define(
                    settings.selector(device), f"{self.jit.__module__}.{self.jit.__qualname__}", self.jit.cache_key, key,
                    self.configs, candidates, Tuned,
                )
            if not tuned.consistent:  # other ranks may have other files
                self._seeds.load(tuned.operation, pruned, triton_key, key.values)
            bound.learn(tuned, key)
            self.tuner.cache[triton_key] = self.configs[bound.incumbent()]
        return bound

    def _triton_key(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
        """The key as Triton's tuner builds it."""
        given = {k: v for k, v in {**self._named(args), **kwargs}.items() if k in self.tuner.arg_names}
        key = [given[name] for name in self.tuner.keys if name in given]
        return tuple(key + [str(value.dtype) for value in given.values() if hasattr(value, "dtype")])

    def _pruned(self, grid: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[int]:
        """The configurations that pruning leaves, in its order; Triton's own functions prune."""
        if len(self.configs) == 1:
            return [0]
        self.tuner.nargs = self._named(args)
        try:
            kept = self.tuner.prune_configs({**kwargs, "grid": grid, "warmup": False})
        finally:
            self.tuner.nargs = None
        indices = [self._index(config) for config in kept]
        known = list(dict.fromkeys(index for index in indices if index is not None))
        if not known:
            log.warning("%s: pruning left no configuration that the tuner has; all are tried", self.jit.__name__)
            return list(range(len(self.configs)))
        return known

    def _ordered(self, indices: list[int]) -> list[int]:
        """The best guess first where nothing is known: the configuration in the middle, then always the one that is most
        unlike those before it, so that the first few hold something for every shape. A model of the program's has an
        order of its own."""
        if self.tuner.perf_model is not None:
            return indices
        known = tuple(sorted(indices))
        order = self._orders.get(known)
        if order is None:
            if len(self._orders) >= _ORDERS_MAX:
                self._orders.clear()
            order = self._orders[known] = spread(self.configs, known, middle(self.configs, known))
        return list(order)

    def _index(self, config: Any) -> int | None:
        """The number of a configuration; None for one that pruning has made itself. Comparing two takes microseconds, so
        the object itself is looked for first."""
        index = self._numbers.get(id(config))
        if index is None and config in self.configs:
            index = self.configs.index(config)
        return index

    def _prepare(self, bound: Bound, grid: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Before the first launch of a key: one configuration is compiled here where none is, the others elsewhere."""
        with bound.specialisation.lock:
            if not bound.first:
                return
            if getattr(self.tuner, "user_defined_pre_hook", False):
                # Triton calls it so before the launch that follows the measurement of a key.
                full = self._full(args, kwargs, self.configs[bound.incumbent()], grid)
                self.tuner.pre_hook(full, reset_only=True)
            compiles = not bound.specialisation.any_ready([bound.incumbent()] if bound.consistent else bound.indices)
            if bound.tuned is not None and not bound.consistent:
                # Workers begin before this thread compiles, which takes as long.
                self._request(bound, bound.incumbent() if compiles else None)
            if compiles:
                try:
                    self._compile_first(bound)
                except BaseException:
                    # What is wrong here is wrong in all configurations, or the program gives up.
                    for index in bound.indices:
                        if (kernel := bound.specialisation.kernels[index]) is not None:
                            kernel.withdraw()
                    raise
            if bound.tuned is not None and not bound.consistent:
                bound.tuned.gate()
            bound.first = False

    def _request(self, bound: Bound, here: int | None) -> None:
        """All configurations of a key, the best guesses first, but for the one that is compiled here."""
        kernels = bound.specialisation.kernels
        new = {i for i in bound.indices if i != here and (kernel := kernels[i]) is not None and kernel.status == NEW}
        if not new:
            return
        for rank, index in enumerate(bound.order()):
            kernel = kernels[index]
            if index in new and kernel is not None:
                # The library keeps its first variant in use, compiled or not.
                kernel.request(float(rank) if index > 0 else -0.5)

    def _compile_first(self, bound: Bound) -> None:
        error: Exception | None = None
        first = bound.incumbent()
        for index in [first, *(index for index in bound.order() if index != first)]:
            kernel = bound.specialisation.kernels[index]
            if kernel is None:
                continue
            failed_before = kernel.status == FAILED
            try:
                kernel.compile_now()
                return
            except Exception as unfit:
                if len(self.configs) == 1 or not failed_before and not _jit.is_unfit(unfit):
                    raise
                error = unfit
                bound.set_aside(index)
        if error is not None:
            raise error
