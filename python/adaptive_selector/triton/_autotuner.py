"""The tuner that learns from the program's own launches."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from triton.runtime.autotuner import Autotuner as TritonAutotuner

from ._learner import Learner
from ._settings import log

_KEY = "_adaptive_learner"
_LEFT = "_adaptive_left"  # why Triton's tuner stays
_said: set[str] = set()


def is_interpreted(tuner: TritonAutotuner) -> bool:
    """Whether the kernel runs in Triton's interpreter, whose module needs numpy and is not imported for the question."""
    return type(tuner.fn).__name__ == "InterpretedFunction"


def learner_of(tuner: TritonAutotuner) -> Learner | None:
    """What stands behind a tuner, made at its first use; None where its launches are left to Triton."""
    learner: Learner | None = tuner.__dict__.get(_KEY)
    if learner is None or learner.made_for is not tuner.configs:
        if _LEFT in tuner.__dict__:
            return None
        why = Learner.why_not(tuner)
        if why:
            tuner.__dict__[_LEFT] = why
            if why not in _said and not is_interpreted(tuner):
                _said.add(why)
                log.warning("%s keeps Triton's tuner: %s", getattr(tuner.base_fn, "__name__", "a kernel"), why)
            return None
        learner = tuner.__dict__[_KEY] = Learner(tuner)
    return learner


def launcher(tuner: TritonAutotuner, grid: Any, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """What `tuner[grid]` is."""
    learner = learner_of(tuner)
    if learner is None:
        return lambda *args, **kwargs: otherwise(*args, grid=grid, warmup=False, **kwargs)
    return partial(learner.launch, grid)


def run(tuner: TritonAutotuner, otherwise: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`tuner.run(*args, grid=..., warmup=..., **kwargs)`."""
    if kwargs.get("warmup"):
        return otherwise(*args, **kwargs)
    if is_interpreted(tuner):
        # Nothing is measured where the interpreter runs: the first configuration that pruning leaves.
        tuner.nargs = dict(zip(tuner.arg_names, args))
        config = tuner.prune_configs(kwargs)[0] if len(tuner.configs) > 1 else tuner.configs[0]
        tuner.best_config = config
        if config.pre_hook is not None:
            config.pre_hook({**tuner.nargs, **kwargs, **config.all_kwargs()})
        tuner.nargs = None
        return tuner.fn.run(*args, **kwargs, **config.all_kwargs())
    rest = {name: value for name, value in kwargs.items() if name not in ("grid", "warmup")}
    return launcher(tuner, kwargs["grid"], otherwise)(*args, **rest)


def _best_config(tuner: TritonAutotuner) -> Any:
    learner = tuner.__dict__.get(_KEY)
    best = learner.best_config() if learner is not None else None
    if best is None:
        try:
            best = tuner.__dict__["best_config"]
        except KeyError:
            raise AttributeError("best_config is known after the first launch") from None
    return best


def _set_best_config(tuner: TritonAutotuner, config: Any) -> None:
    tuner.__dict__["best_config"] = config


#: In place of the attribute that Triton's tuner sets: the incumbent changes after the launch.
best_config = property(_best_config, _set_best_config, doc="The configuration that the key of the latest launch prefers.")


class Autotuner(TritonAutotuner):  # type: ignore[misc]
    """Triton's tuner, except that it never measures ahead: each launch of the program runs one configuration, a few of
    them timed, and the choice follows from these. Made by :func:`autotune`; any number of threads may launch."""

    best_config = best_config

    def run(self, *args: Any, **kwargs: Any) -> Any:
        return run(self, super().run, args, kwargs)

    def __getitem__(self, grid: Any) -> Callable[..., Any]:
        learner = self.__dict__.get(_KEY)
        if learner is not None and learner.made_for is self.configs:
            return partial(learner.launch, grid)
        if is_interpreted(self):
            return lambda *args, **kwargs: self.run(*args, grid=grid, warmup=False, **kwargs)
        return launcher(self, grid, super().run)


def autotune(
    configs: list[Any],
    key: list[str],
    prune_configs_by: dict[str, Any] | None = None,
    reset_to_zero: list[str] | None = None,
    restore_value: list[str] | None = None,
    pre_hook: Callable[..., Any] | None = None,
    post_hook: Callable[..., Any] | None = None,
    warmup: int | None = None,
    rep: int | None = None,
    use_cuda_graph: bool = False,
    do_bench: Callable[..., Any] | None = None,
    cache_results: bool = False,
) -> Callable[[Any], Autotuner]:
    """In place of ``triton.autotune``, with the same arguments. The first call of a specialisation compiles one
    configuration, as a kernel without a tuner does; the others are compiled in worker processes and tried in the
    program's own launches. No kernel runs twice.

    ``configs``, ``key``, ``prune_configs_by`` and the hooks of configurations mean what they mean to Triton.
    ``reset_to_zero`` and ``restore_value`` are not needed and do nothing. ``pre_hook`` is called with
    ``reset_only=True`` before the first launch of a key, ``post_hook`` with the exception of a launch that failed.
    ``warmup``, ``rep``, ``use_cuda_graph``, ``do_bench`` and ``cache_results`` concern measurements ahead, of which
    there are none; timings that Triton has cached are starting points.

    Where launches cannot be timed (no NVIDIA GPU, a Triton that is not supported) it is ``triton.autotune``; the logger
    ``adaptive_selector.triton`` says so once. Raises what ``triton.autotune`` raises.
    """

    def decorator(fn: Any) -> Autotuner:
        return Autotuner(
            fn, fn.arg_names, configs, key, reset_to_zero, restore_value, pre_hook=pre_hook, post_hook=post_hook,
            prune_configs_by=prune_configs_by, warmup=warmup, rep=rep, use_cuda_graph=use_cuda_graph,
            do_bench=do_bench, cache_results=cache_results,
        )

    return decorator
