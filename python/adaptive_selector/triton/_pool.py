"""Worker processes that compile, and the threads that wait for them."""

from __future__ import annotations

import atexit
import heapq
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, Protocol

from ._messages import read, write
from ._portable import NotPortable

#: ("done", hash), ("failed", name of the exception, message), or ("here", why): no other process can compile it.
Answer = tuple[str, ...]
#: Makes the data of a job (Source.job). It runs on a thread of the pool, since it takes a millisecond.
Job = Callable[[], dict[str, Any]]


class Ticket:
    """A job that waits. The one with the least ``priority`` is taken first; equal ones in the order of their coming."""

    __slots__ = ("job", "done", "priority", "number", "taken")

    def __init__(self, job: Job, done: Callable[[Answer], object], priority: float, number: int) -> None:
        self.job = job
        self.done = done
        self.priority = priority
        self.number = number
        self.taken = False

    def __lt__(self, other: Ticket) -> bool:
        return (self.priority, self.number) < (other.priority, other.number)


class Compilers(Protocol):
    """Something that compiles jobs elsewhere. Tests have one that compiles when they say so."""

    def submit(self, job: Job, done: Callable[[Answer], object], priority: float) -> Ticket:
        """Compiles a job later and calls ``done`` with the answer, on a thread that may load the kernel. Never waits."""
        ...

    def hasten(self, ticket: Ticket) -> None:
        """The job is the next one, unless it has been taken already."""
        ...


class WorkerPool:
    """Up to ``size`` processes, started when jobs come and ended after ``idle`` seconds without one: each keeps some hundred
    megabytes. Thread-safe."""

    def __init__(self, size: int, idle: float = 120.0) -> None:
        self._size = max(1, size)
        self._idle_max = idle
        self._waiting: list[Ticket] = []
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._idle = 0
        self._count = 0
        self._closed = False
        atexit.register(self.close)

    def submit(self, job: Job, done: Callable[[Answer], object], priority: float) -> Ticket:
        with self._changed:
            self._count += 1
            ticket = Ticket(job, done, priority, self._count)
            heapq.heappush(self._waiting, ticket)
            if len(self._waiting) > self._idle and len(self._threads) < self._size and not self._closed:
                thread = threading.Thread(target=self._serve, name="adaptive-compile", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify()
        return ticket

    def hasten(self, ticket: Ticket) -> None:
        with self._changed:
            if not ticket.taken:
                ticket.priority = min(ticket.priority, self._waiting[0].priority - 1.0)
                heapq.heapify(self._waiting)

    def close(self) -> None:
        """Ends the processes; jobs that are not done are dropped."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
            processes = list(self._processes)
        for process in processes:
            process.kill()

    def _next(self) -> Ticket | None:
        """The next job; None where this thread is to end."""
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._waiting or self._closed, self._idle_max)
            self._idle -= 1
            if self._closed or not self._waiting:
                self._threads.remove(threading.current_thread())
                return None
            ticket = heapq.heappop(self._waiting)
            ticket.taken = True
            return ticket

    def _serve(self) -> None:
        process: subprocess.Popen[bytes] | None = None
        while (ticket := self._next()) is not None:
            answer: Answer | None = None
            try:
                job = ticket.job()
                if process is None:
                    process = self._start()
                assert process.stdin is not None and process.stdout is not None
                write(process.stdin, job)
                answer = read(process.stdout)
            except NotPortable as reason:
                answer = ("here", str(reason))
            except OSError:
                pass
            if answer is None:
                # The process has died, perhaps for lack of memory. The next job gets another one.
                self._end(process)
                process = None
                answer = ("failed", "WorkerDied", "the process that compiled it has ended")
            if not self._closed:
                ticket.done(answer)
        self._end(process)

    def _end(self, process: subprocess.Popen[bytes] | None) -> None:
        if process is not None:
            process.kill()
            process.wait()
            with self._changed:
                self._processes.discard(process)

    def _start(self) -> subprocess.Popen[bytes]:
        environment = dict(os.environ)
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        # A worker compiles for the GPU of its parent, but must not use it.
        # And it finds the same modules: not those of the folder in which it happens to start.
        program = "import sys; del sys.path[0]; from adaptive_selector.triton._worker import main; main()"
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        with self._changed:
            self._processes.add(process)
        return process
