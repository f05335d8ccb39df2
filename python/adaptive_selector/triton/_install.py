"""Makes the tuners of a program learn without an edit of the program."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

from triton.runtime.autotuner import Autotuner as TritonAutotuner

from . import _autotuner

_lock = threading.Lock()
_original_run: Any = None


def install() -> None:
    """From now on every ``@triton.autotune`` of the process learns from the program's launches, those that were
    decorated before as well. Again has no effect."""
    global _original_run
    with _lock:
        if _original_run is not None:
            return
        original = _original_run = TritonAutotuner.run

        def run(self: TritonAutotuner, *args: Any, **kwargs: Any) -> Any:
            return _autotuner.run(self, original.__get__(self), args, kwargs)

        def getitem(self: TritonAutotuner, grid: Any) -> Any:
            learner = self.__dict__.get(_autotuner._KEY)
            if learner is not None and learner.made_for is self.configs and type(self).run is run:
                return partial(learner.launch, grid)
            # A subclass with a way of its own keeps it, and comes to `run` from there.
            if type(self).run is not run or _autotuner.is_interpreted(self):
                return lambda *args, **kwargs: self.run(*args, grid=grid, warmup=False, **kwargs)
            return _autotuner.launcher(self, grid, original.__get__(self))

        TritonAutotuner.run = run
        TritonAutotuner.__getitem__ = getitem
        TritonAutotuner.best_config = _autotuner.best_config


def uninstall() -> None:
    """Gives ``@triton.autotune`` back to Triton; what was learned stays in the selectors. Kernels of
    :func:`autotune` keep learning."""
    global _original_run
    with _lock:
        if _original_run is None:
            return
        TritonAutotuner.run = _original_run
        del TritonAutotuner.__getitem__, TritonAutotuner.best_config
        _original_run = None
