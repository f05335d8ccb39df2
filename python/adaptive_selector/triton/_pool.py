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

from ._messages import READY, read, write
from ._portable import NotPortable

#: ("done", hash), ("failed", name of the exception, message), or ("here", why): no other process can compile it.
Answer = tuple[str, ...]
#: The exception's name where the process has died instead of answering.
WORKER_DIED = "WorkerDied"
#: Makes the data of a job (Source.job), or None where Triton's cache on disk has the kernel already. It runs on a
#: thread of the pool, since it takes a millisecond.
Job = Callable[[], "dict[str, Any] | None"]


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

    def withdraw(self, ticket: Ticket) -> bool:
        """Nobody wants the job any more. False where it has been taken: its answer comes."""
        ...

    def pending(self) -> int:
        """How many jobs have not been answered."""
        ...


class NoWorker(Exception):
    """A worker process could not be started; the message says why."""


class WorkerPool:
    """Up to ``size`` processes, started when jobs come and ended after ``idle`` seconds without one: each keeps some hundred
    megabytes. Where no process can be started, every job is answered with "here". Thread-safe."""

    def __init__(self, size: int, idle: float = 120.0) -> None:
        self._size = max(1, size)
        self._idle_max = idle
        self._waiting: list[Ticket] = []
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._idle = 0
        self._working = 0  # jobs that were taken and are not answered
        self._count = 0
        self._closed = False
        self._broken = ""  # why no process can be started
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

    def withdraw(self, ticket: Ticket) -> bool:
        with self._changed:
            if ticket.taken:
                return False
            self._waiting.remove(ticket)
            heapq.heapify(self._waiting)
            return True

    def pending(self) -> int:
        with self._changed:
            return len(self._waiting) + self._working

    def close(self) -> None:
        """Ends the processes; jobs that are not done are dropped."""
        with self._changed:
            self._closed = True
            for ticket in self._waiting:
                ticket.taken = True
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
            self._working += 1
            return ticket

    def _serve(self) -> None:
        process: subprocess.Popen[bytes] | None = None
        while (ticket := self._next()) is not None:
            answer: Answer | None = None
            try:
                job = ticket.job()
                if job is None:
                    answer = ("done", "")
                else:
                    if process is None:
                        process = self._start()
                    answer = self._compiled(process, job)
            except (NotPortable, NoWorker) as reason:
                answer = ("here", str(reason))
            except Exception as error:  # options that cannot be pickled, for example
                answer = ("here", f"{type(error).__name__}: {error}")
            if answer is None:
                # The process has died, perhaps for lack of memory. The next job gets another one.
                self._end(process)
                process = None
                answer = ("failed", WORKER_DIED, "the process that compiled it has ended")
            if not self._closed:
                ticket.done(answer)
            with self._changed:
                self._working -= 1
        self._end(process)

    def _compiled(self, process: subprocess.Popen[bytes], job: dict[str, Any]) -> Answer | None:
        """The answer of a process; None where it has died."""
        assert process.stdin is not None and process.stdout is not None
        try:
            write(process.stdin, job)
            answer: Answer | None = read(process.stdout)
        except OSError:
            return None
        return answer

    def _end(self, process: subprocess.Popen[bytes] | None) -> None:
        if process is not None:
            process.kill()
            process.wait()
            with self._changed:
                self._processes.discard(process)

    def _start(self) -> subprocess.Popen[bytes]:
        """Raises NoWorker where the process cannot start or ends before it is ready."""
        if self._broken:
            raise NoWorker(self._broken)
        environment = dict(os.environ)
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        # A worker compiles for the GPU of its parent, but must not use it.
        # And it finds the same modules: not those of the folder in which it happens to start.
        program = "import sys; del sys.path[0]; from adaptive_selector.triton._worker import main; main()"
        try:
            process = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
            )
        except OSError as error:
            # Too many processes, say, or a program that embeds Python and has no interpreter. Trying again for every
            # job would cost more than it brings.
            self._broken = f"no worker process can be started: {error}"
            raise NoWorker(self._broken) from error
        with self._changed:
            self._processes.add(process)
        assert process.stdout is not None
        if read(process.stdout) != READY and not self._closed:
            status = process.wait()
            self._end(process)
            self._broken = f"a worker process ended with status {status} before it was ready"
            raise NoWorker(self._broken)
        return process
