"""Which configuration an engine's kernel runs: asked before a launch, learned from the launches that are timed.

A *launch* here is all that the engine does with one configuration, for example the fused experts from the alignment of
tokens to the sum over experts. It begins where the engine asks for the configuration and ends where its function returns.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import adaptive_selector as ads

from . import _space, log
from ._compiled import Derive, Kernels, Recorded, begin_of, current_device, current_stream, record, selector_of
from ._problems import Problem

# Problems that are bound; where there are as many, all are dropped, and what is in use comes back.
_BOUND_MAX = 16_384

Config = dict[str, Any]


class Launch:
    """A launch that has begun on this thread."""

    __slots__ = ("timed", "kernels", "recorded", "now", "problem", "choices", "rows")

    def __init__(self) -> None:
        self.timed: Any = None
        self.kernels: Kernels | None = None
        self.recorded: list[Recorded] = []  # its kernels, if it is the first of its kind
        self.now: int | None = None  # a configuration that is compiled next, on this thread
        self.problem: Any = None
        self.choices: Choices | None = None
        self.rows = 0  # of the product, for functions that are not told


class _Bound:
    """A problem: everything that a launch needs."""

    __slots__ = ("begin", "site", "indices", "theirs", "kernels")

    def __init__(self, site: ads.Site, indices: Sequence[int], theirs: int, kernels: Kernels) -> None:
        self.site, self.indices, self.theirs, self.kernels = site, indices, theirs, kernels
        self.begin = begin_of(site)


class _Pending(threading.local):
    """What the library asks for the key whose state is being made, on this thread."""

    indices: Sequence[int] = ()
    theirs = 0


class Choices:
    """An operation of one device. Any number of threads may use it."""

    def __init__(self, selector: ads.Selector, problem: Problem, derive: Derive) -> None:
        self._lock = threading.RLock()
        self._pending = _Pending()
        self._derive = derive
        self._configs: list[Config] = []
        self._names: dict[str, int] = {}
        self._bound: dict[Any, _Bound] = {}
        self._kernels: dict[Any, Kernels] = {}
        self._known: dict[int, dict[str, Any]] = {}
        self.consistent = selector.rank_consistent
        known = {_space.name_of(config): config for config in _space.tried()}

        def parse(name: str, parameters: Config) -> ads.Variant:
            known[name] = dict(parameters)
            return ads.Variant(name, parameters=parameters)

        self.operation = selector.define(
            problem.operation, problem.dimensions, [_space.variant_of(config) for config in known.values()], parse=parse,
            candidates=lambda *key: list(self._pending.indices), default_variant=lambda *key: self._pending.theirs)
        for name in self.operation.variants:
            self._add(name, known[name])

    def choose(self, problem: Any, theirs: Callable[[], Config], launch: Launch) -> Config | None:
        """The configuration of a launch; None for the engine's own. ``theirs`` is that one, asked once for each problem."""
        bound = self._bound.get(problem)
        if bound is None:
            bound = self._bind(problem, theirs)
        launch.problem, launch.kernels, launch.choices = problem, bound.kernels, self
        started = bound.begin(current_stream())
        timed = None if type(started) is int else started
        index = started if timed is None else timed.variant
        if not self.consistent and not bound.kernels.ready(index):
            failed = bound.kernels.failed(index)
            if timed is not None and not timed.captured:
                timed.fail() if failed else timed.cancel()
                timed = None
            elif failed:
                self._set_aside(bound, index)
            index = self._ready(bound)
            if not bound.kernels.complete:
                launch.now = self._of_a_table(bound, problem)
        launch.timed = timed
        return None if index == bound.theirs else dict(self._configs[index])

    def rows(self, wanted: Callable[[tuple[Any, ...]], bool]) -> dict[int, Config]:
        """The incumbents of the keys that have been met, by their first dimension."""
        with self._lock:
            return {int(str(key[0])): dict(self._configs[self.operation.pin(*key).variant])
                    for key in self.operation.keys() if wanted(key)}

    def _ready(self, bound: _Bound) -> int:
        """The best configuration that is compiled. Where nothing of this kind has run, the engine's own: it is compiled at
        its first launch, as without this plugin, and it is known to fit."""
        for index in (bound.site.variant(), bound.theirs, *bound.indices):
            if bound.kernels.ready(index):
                return index
        return bound.theirs

    def _of_a_table(self, bound: _Bound, problem: Any) -> int | None:
        """The configuration that a table has for this very problem, if it is another than the engine's: graphs are captured
        soon, and should have it."""
        incumbent = bound.site.variant()
        if incumbent == bound.theirs or self.operation.explain(*problem.key).match != "exact":
            return None
        return incumbent

    def _set_aside(self, bound: _Bound, index: int) -> None:
        pin = bound.site.pin()
        if pin.variant == index:
            self.operation.fail(pin)

    def _bind(self, problem: Any, theirs: Callable[[], Config]) -> _Bound:
        with self._lock:
            bound = self._bound.get(problem)
            if bound is not None:
                return bound
            own = self._number(theirs())
            indices = [own, *(i for i, config in enumerate(self._configs)
                              if i != own and _space.suits(config, problem.rows, problem.block_shape))]
            self._pending.indices, self._pending.theirs = indices, own
            try:
                site = self.operation.site(*problem.key)
            finally:
                self._pending.indices, self._pending.theirs = (), 0
            kernels = self._kernels.setdefault(problem.kind, Kernels(self._derive, self._known))
            if len(self._bound) >= _BOUND_MAX:
                self._bound.clear()
            bound = self._bound[problem] = _Bound(site, indices, own, kernels)
            if not self.consistent:
                kernels.wanted(indices, self._configs)
            return bound

    def _number(self, config: Config) -> int:
        """The variant of a configuration, a new one for one that has none."""
        if config.get("SPLIT_K") == 1:  # what the kernels have without it
            config = {name: value for name, value in config.items() if name != "SPLIT_K"}
        name = _space.name_of(config)
        if name not in self._names:
            index = next((i for i, known in enumerate(self._configs) if known == config), -1)
            if index >= 0:
                self._names[name] = index
            else:
                self.operation.add_variant(_space.variant_of(config))
                self._add(name, config)
        return self._names[name]

    def _add(self, name: str, config: Config) -> None:
        self._names[name] = len(self._configs)
        self._configs.append(dict(config))


class Engine:
    """One engine of this process: what it chooses for each device, and the launches of each thread."""

    def __init__(self, derive: Derive) -> None:
        self._derive = derive
        self._choices: dict[tuple[int, str], Choices] = {}
        self._lock = threading.Lock()
        self._thread = threading.local()
        #: Why the engine has its own configurations; empty while the plugin works.
        self.off = ""

    @property
    def launch(self) -> Launch | None:
        """The one that has begun on this thread."""
        return getattr(self._thread, "launch", None)

    def begin(self) -> None:
        """Begins a launch, in place of one that has not ended."""
        if not self.off and not is_traced():
            self.end(cancelled=True)
            self._thread.launch = Launch()

    def end(self, error: BaseException | None = None, *, cancelled: bool = False) -> None:
        launch, self._thread.launch = self.launch, None
        if launch is None or launch.choices is None:
            return
        try:
            if launch.timed is not None:
                if cancelled or error is not None and not isinstance(error, Exception):
                    launch.timed.cancel()
                elif error is not None:
                    launch.timed.fail()
                else:
                    launch.timed.end()
            if error is None and not cancelled and launch.kernels is not None and launch.recorded:
                launch.kernels.finish(launch.recorded, launch.problem, launch.now)
        except Exception as fault:
            self.fail(fault)

    def choose(self, problem: Any, theirs: Callable[[], Config]) -> Config | None:
        """The configuration for what a launch asks first; None where the engine's own is right or the plugin has no say.
        What else asks, such as kernels of adapters, gets the engine's own: nothing of it is compiled or measured."""
        launch = self.launch
        if launch is None or launch.choices is not None or self.off or not problem.known:
            return None
        try:
            choices = self._choices_of(problem)
            return None if choices is None else choices.choose(problem, theirs, launch)
        except Exception as fault:
            self.fail(fault)
            return None

    def asked(self, ask: Callable[[], Config]) -> Callable[[], Config]:
        """Asks the engine for its own configuration, without what :meth:`rows` adds."""

        def theirs() -> Config:
            self._thread.asking = True
            try:
                return ask()
            finally:
                self._thread.asking = False

        return theirs

    def rows(self, theirs: dict[int, Config] | None, like: Any) -> dict[int, Config] | None:
        """The rows of a file of the engine, with what has been learned for problems like this one."""
        if self.off or getattr(self._thread, "asking", False):
            return theirs
        try:
            choices = self._choices.get((current_device(), like.operation))
            learned = {} if choices is None else choices.rows(lambda key: key[1:] == like.key[1:])
        except Exception as fault:
            self.fail(fault)
            return theirs
        return {**(theirs or {}), **learned} if learned else theirs

    def launched(self, jit: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A hook of Triton: a kernel of a launch is about to be enqueued."""
        launch = self.launch
        if launch is None or launch.kernels is None or launch.kernels.complete:
            return
        try:
            if launch.choices is not None and not launch.choices.consistent:
                launch.recorded.append(record(jit, args, kwargs))
        except Exception as fault:
            self.fail(fault)

    def fail(self, fault: Exception) -> None:
        """Something in the plugin is wrong: from now on the engine runs as without it."""
        self.off = f"{type(fault).__name__}: {fault}"
        log.warning("the engine has its own configurations again: %s", self.off, exc_info=fault)

    def _choices_of(self, problem: Any) -> Choices | None:
        place = (current_device(), problem.operation)
        found = self._choices.get(place)
        if found is None:
            with self._lock:
                found = self._choices.get(place)
                if found is None:
                    selector = selector_of(place[0])
                    if isinstance(selector, str):
                        self.off = selector
                        log.warning("the engine has its own configurations: %s", selector)
                        return None
                    found = self._choices[place] = Choices(selector, problem, self._derive)
        return found


def is_traced() -> bool:
    """Whether PyTorch compiles the calling function: what is chosen now would be chosen for ever."""
    compiler = getattr(sys.modules.get("torch"), "compiler", None)
    return compiler is not None and compiler.is_compiling() is True


def around(engine: Engine, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the engine that is one launch."""

    @functools.wraps(function)
    def launch(*args: Any, **kwargs: Any) -> Any:
        if engine.launch is not None:  # inside another one
            return function(*args, **kwargs)
        engine.begin()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            engine.end(error)
            raise
        engine.end()
        return result

    return launch


def listen(engine: Engine, module: Any, *names: str) -> None:
    """The engine hears of every launch of some kernels."""

    def listen_to(kernel: Any) -> None:
        kernel.add_pre_run_hook(lambda *args, **kwargs: engine.launched(kernel, args, kwargs))

    for name in names:
        listen_to(getattr(module, name))


def guarded(rebinding: Callable[[Any], None]) -> Callable[[Any], None]:
    """A rebinding that leaves a module as it is where it fails."""

    def then(module: Any) -> None:
        try:
            rebinding(module)
        except Exception as error:
            log.warning("%s is left as it is: %s: %s", module.__name__, type(error).__name__, error)

    return then
