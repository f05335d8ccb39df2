"""Whole functions as variants, where a choice inside a compiled function would fall once, when it is traced."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec, TypeVar

from ._core import Operation

_P = ParamSpec("_P")
_R = TypeVar("_R")

# Pairs of variant and key that are known to be compiled; where there are as many, all are forgotten, at the price of one
# untimed call each. Sizes that change at every call would fill the memory.
_CALLED_MAX = 65_536


class Choice(Generic[_P, _R]):
    """A function that runs the fastest of several that do the same. Made by :func:`jit_choice`."""

    def __init__(
        self,
        operation: Operation,
        functions: Sequence[Callable[_P, _R]],
        key: Callable[_P, Sequence[Any]],
        sync: Callable[[_R], object] | None,
    ) -> None:
        if len(functions) != len(operation.variants):
            raise ValueError(f"there are {len(functions)} functions for {len(operation.variants)} variants")
        self.operation = operation
        self._functions = list(functions)
        self._key = key
        self._sync = sync
        self._called: set[tuple[int, tuple[Any, ...]]] = set()

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        key = tuple(self._key(*args, **kwargs))
        decision = self.operation.select(*key)
        variant = decision.variant
        # The first call of a function for a key compiles it.
        compiled = (variant, key) in self._called
        timed = decision.timed and compiled
        begin = time.perf_counter()
        try:
            result = self._functions[variant](*args, **kwargs)
            if timed and self._sync is not None:
                self._sync(result)
        except Exception:
            self.operation.fail(decision)
            raise
        if timed:
            self.operation.record(decision, seconds=time.perf_counter() - begin)
        if not compiled:
            if len(self._called) >= _CALLED_MAX:
                self._called.clear()
            self._called.add((variant, key))
        return result


def jit_choice(
    operation: Operation,
    functions: Sequence[Callable[_P, _R]],
    *,
    key: Callable[_P, Sequence[Any]],
    sync: Callable[[_R], object] | None = None,
) -> Choice[_P, _R]:
    """A function that calls, each time, the one of ``functions`` that the operation selects.

    For functions that a framework compiles, such as those of ``jax.jit``: a choice inside them would fall once, when they
    are traced, so the choice is between whole functions.

    operation: its variants are the functions, in their order.
    key: called with the arguments; the values of the operation's dimensions, such as
    ``lambda x, w: (x.shape[0], w.shape[1])``.
    sync: called with the result of a call that is timed, and only then; comes back when the result is there, as
    ``jax.block_until_ready`` does. Such calls wait, about one in a thousand once a key is settled. Without it the functions must
    have done their work when they return.

    The first call of each function for a key, which compiles it, is not timed. Where a function raises an Exception it is
    set aside for the key, and the exception goes on. Raises ValueError where the numbers of functions and variants differ.
    """
    return Choice(operation, functions, key, sync)
