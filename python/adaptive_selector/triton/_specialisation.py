"""Compiled kernels: one for each configuration in each specialisation, and where they are in their life."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from logging import INFO, WARNING
from typing import TYPE_CHECKING, Any

from triton.runtime.jit import JITFunction

from . import _jit
from ._entry import Entry, entry_of
from ._pool import WORKER_DIED, Answer, Ticket
from ._settings import log, settings

if TYPE_CHECKING:
    from ._tuned import Tuned

NEW, QUEUED, READY, FAILED = range(4)


class Kernel:
    """One kernel of Triton's cache in memory. READY means loaded; READY and FAILED are final."""

    __slots__ = ("source", "name", "status", "compiled", "run", "error", "ticket", "users", "lock", "_state")

    def __init__(self, source: _jit.Source, name: str) -> None:
        self.source = source
        self.name = name
        self.status = NEW
        self.compiled: Any = None
        self.run: Any = None
        self.error: BaseException | None = None
        self.ticket: Ticket | None = None
        #: Who is told when it is ready.
        self.users: list[tuple[Specialisation, int]] = []
        self.lock = threading.Lock()  # held while it is compiled
        self._state = threading.Lock()  # of `users` and of becoming ready; never held for long

    def compile_now(self, warmup: bool = False) -> None:
        """Compiles and loads on this thread, unless that has been done. Raises what Triton raises."""
        with self.lock:
            if self.status == READY:
                return
            if self.status == FAILED and self.error is not None:
                raise self.error
            try:
                compiled = self.source.compile(warmup)
                run = None if compiled is None else _jit.load(compiled, self.source.device)
            except BaseException as error:
                if isinstance(error, Exception):
                    self._failed(error)
                raise
            if compiled is None:
                return  # a hook of the program forbids it; Triton launches nothing then
            with self._state:
                self.compiled, self.run, self.status = compiled, run, READY
                users, self.users = self.users, []
        for specialisation, index in users:
            specialisation.ready(index, self)

    def tell(self, specialisation: Specialisation, index: int) -> None:
        """Calls ``specialisation.ready`` once the kernel is, perhaps now."""
        with self._state:
            if self.status != READY:
                self.users.append((specialisation, index))
                return
        specialisation.ready(index, self)

    def request(self, priority: float) -> None:
        """Compiles in another process; never waits. A job that waits already is hastened by a negative priority."""
        if self.status == NEW:
            self.status = QUEUED
            self.ticket = settings.compilers().submit(self.source.job, self._answered, priority)
        elif self.status == QUEUED and priority < 0 and self.ticket is not None:
            settings.compilers().hasten(self.ticket)

    def withdraw(self) -> None:
        """Undoes ``request`` where no worker has begun."""
        if self.ticket is not None and settings.compilers().withdraw(self.ticket):
            self.ticket = None
            if self.status == QUEUED:
                self.status = NEW

    def _answered(self, answer: Answer) -> None:
        """On a thread of the pool: what the worker compiled is read from Triton's cache and loaded."""
        if answer[0] == "failed" and answer[1] in (*_jit.UNFIT_NAMES, WORKER_DIED):
            level = INFO if answer[1] in _jit.UNFIT_NAMES else WARNING
            log.log(level, "%s is left out: %s: %s", self.name, answer[1], answer[2])
            with self.lock:
                if self.status != READY:
                    self._failed(RuntimeError(f"{answer[1]}: {answer[2]}"))
            return
        if answer[0] != "done":
            # An error that the compiler of a worker has may be the worker's: something that its copy of the kernel
            # lacks. The kernel itself decides.
            log.info("%s is compiled in this process: %s", self.name, ": ".join(answer[1:]))
        try:
            _jit.relax_capture()
            with settings.loading:
                self.compile_now(warmup=True)
        except Exception as error:
            log.log(INFO if _jit.is_unfit(error) else WARNING, "%s is left out: %s", self.name, error)

    def _failed(self, error: Exception) -> None:
        self.error = error.with_traceback(None)
        self.status = FAILED

    def __repr__(self) -> str:
        return f"<Kernel {self.name} {('new', 'queued', 'ready', 'failed')[self.status]}>"


class Specialisation:
    """The kernels of all configurations for arguments that Triton does not tell apart."""

    __slots__ = ("kernels", "entries", "version", "lock", "tuned", "_configs", "_names", "__weakref__")

    def __init__(self, configs: Sequence[Any], names: Sequence[str]) -> None:
        self._configs = configs
        self._names = names
        self.kernels: list[Kernel | None] = [None] * len(configs)
        #: What launches each configuration; None where it cannot run yet.
        self.entries: list[Entry | None] = [None] * len(configs)
        self.version = 0  # rises with every entry
        self.lock = threading.Lock()  # held while the first configuration is compiled
        self.tuned: weakref.WeakSet[Tuned] = weakref.WeakSet()

    def use(self, index: int, kernel: Kernel) -> None:
        """``kernel`` is the configuration of this index."""
        self.kernels[index] = kernel
        kernel.tell(self, index)

    def ready(self, index: int, kernel: Kernel) -> None:
        if self.entries[index] is None:
            self.entries[index] = entry_of(kernel.compiled, kernel.run, self._configs[index], self._names)
            self.version += 1
        for tuned in list(self.tuned):
            tuned.compiled(index)

    def serves(self, tuned: Tuned) -> None:
        """Keys of this operation have launches of this specialisation."""
        if tuned not in self.tuned:
            self.tuned.add(tuned)
            for index, entry in enumerate(self.entries):
                if entry is not None:
                    tuned.compiled(index)

    def any_ready(self, indices: Sequence[int]) -> bool:
        return any(self.entries[index] is not None for index in indices)


def kernel_of(kernels: dict[str, Kernel], jit: JITFunction[Any], device: int, call: _jit.Call, name: str) -> Kernel:
    """The kernel of a call. One that Triton has compiled already, as in a warm-up, is ready soon."""
    kernel = kernels.get(call.key)
    if kernel is None:
        kernel = kernels[call.key] = Kernel(_jit.Source(jit, device, call), name)
    return kernel
