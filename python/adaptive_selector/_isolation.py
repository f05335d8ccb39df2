"""Work in child processes, so that a crash or a hang costs one candidate and not the program."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection


class Failed(Exception):
    """The work raised, crashed or took too long; the message says which."""


class Child:
    """A forked process that does ``work`` each time it is called. Not thread-safe.

    work: its result, a number, is that of the call. It runs in the child alone, with what it changes there.
    timeout: seconds that one call may take; None is no limit.
    """

    def __init__(self, work: Callable[[], float], timeout: float | None) -> None:
        context = multiprocessing.get_context("fork")
        self._timeout = timeout
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._pipe, work), daemon=True)
        self._process.start()
        theirs.close()

    def __call__(self) -> float:
        try:
            self._pipe.send(None)
            if not self._pipe.poll(self._timeout):
                self.close()
                raise Failed(f"it took longer than {self._timeout} s")
            answer: float | str = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            raise Failed(_end_of(self._process.exitcode)) from None
        if isinstance(answer, str):
            raise Failed(answer)
        return answer

    def close(self) -> None:
        """Ends the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _serve(pipe: Connection, parents_end: Connection, work: Callable[[], float]) -> None:
    parents_end.close()
    # An interrupt is for the parent, which ends its children.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            pipe.recv()
        except EOFError:
            return
        try:
            answer: float | str = work()
        except Exception as error:
            answer = f"{type(error).__name__}: {error}"
        pipe.send(answer)


def _end_of(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return f"its process was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"its process was ended by signal {-code}"
    return f"its process ended with status {code}"
