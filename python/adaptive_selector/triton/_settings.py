"""What the whole module shares: how selectors are made, and who compiles."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Any

import adaptive_selector as ads

from ._pool import Compilers, WorkerPool

#: Where messages go: `logging.getLogger("adaptive_selector.triton")`.
log = logging.getLogger("adaptive_selector.triton")

#: Begins a launch of a site on a stream: the variant, or a launch to be ended (Site.begin).
Begin = Callable[[Any], Any]


def _default_selector(ordinal: int) -> ads.Selector:
    return ads.Selector(tables="standard", device=ordinal)


def _begin_of(site: ads.Site) -> Begin:
    return site.begin


class Settings:
    """One object for the process, ``settings``. Thread-safe."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.make_selector: Callable[[int], ads.Selector] = _default_selector
        self.begin_of: Callable[[ads.Site], Begin] = _begin_of
        self.workers = max(1, min(8, (os.cpu_count() or 2) // 2))
        self.selectors: dict[int, ads.Selector] = {}
        #: Held while a thread of the pool reads and loads a kernel. Several at once would leave the program little of
        #: Python's lock, and its GPU idle.
        self.loading = threading.Lock()
        self._compilers: Compilers | None = None
        self._own = False  # the program has said how selectors are made

    def configure(self, selector: Callable[[int], ads.Selector] | None, workers: int | None) -> None:
        with self.lock:
            if selector is not None:
                if self.selectors:
                    raise RuntimeError("configure(selector=...) comes before the first launch of an adaptive kernel")
                self.make_selector = selector
                self._own = True
            if workers is not None:
                if workers < 1:
                    raise ValueError("workers is at least 1")
                self.workers = workers

    def selector(self, ordinal: int) -> ads.Selector:
        with self.lock:
            if ordinal not in self.selectors:
                self.selectors[ordinal] = self.make_selector(ordinal)
            return self.selectors[ordinal]

    def compilers(self) -> Compilers:
        with self.lock:
            if self._compilers is None:
                self._compilers = WorkerPool(self.workers)
            return self._compilers

    def pending(self) -> int:
        with self.lock:
            compilers = self._compilers
        return 0 if compilers is None else compilers.pending()

    def use_compilers(self, compilers: Compilers | None) -> None:
        """For tests; None goes back to processes."""
        with self.lock:
            self._compilers = compilers

    def why_not(self) -> str:
        """Why launches cannot be timed here, so that Triton's own tuner has to do; empty if they can."""
        return "" if self._own else ads.why_no_gpu()

    def after_fork(self) -> None:
        """In a child: the parent's threads and processes are not here. Selectors may be used after a fork."""
        self.lock = threading.RLock()
        self.loading = threading.Lock()
        self._compilers = None


settings = Settings()
os.register_at_fork(after_in_child=settings.after_fork)
