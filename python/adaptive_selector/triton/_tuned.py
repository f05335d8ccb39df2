"""An operation of a selector, and which of its variants are compiled."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import adaptive_selector as ads

#: The configurations that are left for the key whose state is being made, on this thread.
_pending = threading.local()


def candidates(*key: int) -> Sequence[int]:
    """What the library asks for a new key: the configurations that pruning leaves, the best guess first."""
    return list(getattr(_pending, "indices", ()))


class Tuned:
    """An operation whose variants are the configurations of a kernel, by their indices."""

    __slots__ = ("operation", "consistent", "_names", "_compiled", "_gated", "_lock", "__weakref__")

    def __init__(self, operation: ads.Operation) -> None:
        self.operation = operation
        self.consistent = operation.selector.rank_consistent
        self._names = operation.variants
        self._compiled: set[int] = set()
        self._gated = False
        self._lock = threading.Lock()

    def site(self, values: Sequence[int], indices: Sequence[int]) -> ads.Site:
        """Binds a key whose configurations are ``indices``. Its first label is that of the operation."""
        _pending.indices = indices
        try:
            return self.operation.site(*values, 0)
        finally:
            _pending.indices = ()

    def compiled(self, index: int) -> None:
        """The variant may be chosen from now on."""
        with self._lock:
            if index not in self._compiled:
                self._compiled.add(index)
                if self._gated:
                    self.operation.enable(self._names[index], True)

    def gate(self) -> None:
        """Only compiled variants are chosen from now on: for all keys, the variants that are not compiled in any
        specialisation are out of use. The library keeps its first variant in use; a launcher passes over that."""
        with self._lock:
            if not self._gated:
                self._gated = True
                for index, name in enumerate(self._names):
                    if index > 0 and index not in self._compiled:
                        self.operation.enable(name, False)

    def known(self, values: Sequence[int]) -> dict[int, float]:
        """The configurations of a key of whose latency something is known, measured or expected."""
        indices = {name: index for index, name in enumerate(self._names)}
        candidates = self.operation.explain(*values, 0).candidates
        latencies = {indices[c.name]: c.location if c.count > 0 else c.seed for c in candidates}
        return {index: latency for index, latency in latencies.items() if latency}

    def ranking(self, values: Sequence[int], indices: Sequence[int]) -> list[int]:
        """The configurations of a key, the fastest by what is known first; the unknown ones come last, in order."""
        known = self.known(values)
        return sorted(indices, key=lambda index: known.get(index, float("inf")))
