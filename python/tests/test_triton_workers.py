"""Compilation in worker processes, by Triton's own compiler, for a GPU that need not be there."""

from __future__ import annotations

import importlib.util
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import adaptive_selector as ads

triton = pytest.importorskip("triton")

from fake_gpu import BinaryDriver, Gpu, Tensor  # noqa: E402

PROGRAM = '''
"""A program: importing it a second time would run it a second time."""
import pathlib
import triton
import triton.language as tl
from triton.language.extra import libdevice
import helpers_of_the_program as helpers

with open({mark!r}, "a") as mark:
    mark.write("run\\n")

OFFSET = tl.constexpr(3)

@triton.jit
def inner(x):
    return helpers.outer(x) + OFFSET

def make(times):
    power = tl.constexpr(times)

    @triton.jit
    def kernel(x_ptr, n, BLOCK: tl.constexpr):
        offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + offsets, mask=offsets < n)
        for _ in tl.static_range(power):
            x = libdevice.sqrt(inner(x))
        tl.store(x_ptr + offsets, x, mask=offsets < n)
    return kernel

def make_with_data(data):
    @triton.jit
    def kernel(x_ptr, n, BLOCK: tl.constexpr):
        tl.store(x_ptr, data.value)
    return kernel
'''

HELPERS = '''
import triton
import triton.language as tl

FACTOR = tl.constexpr(2.0)

@triton.jit
def outer(x):
    return x * FACTOR
'''


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module that no other process can import, since nothing but this test knows where it is."""
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path / "cache"))
    mark = tmp_path / "mark"
    for name, text in (("helpers_of_the_program", HELPERS), ("the_program", PROGRAM.format(mark=str(mark)))):
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(__import__("sys").modules, name, module)
        spec.loader.exec_module(module)
    module.mark = mark  # type: ignore[attr-defined]
    return module


@pytest.fixture
def pool() -> Iterator[Any]:
    from adaptive_selector.triton._pool import WorkerPool

    pool = WorkerPool(1)
    yield pool
    pool.close()


@pytest.fixture
def driver(gpu: Gpu, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The fake GPU, with Triton's own compiler."""
    from triton.compiler.compiler import compile
    from triton.runtime.driver import driver

    monkeypatch.setattr("triton.compiler.compile", compile)
    made = BinaryDriver(gpu)
    driver.set_active(made)
    return made


class Answers:
    """What pools answer, in the order of its coming."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self._changed = threading.Condition()

    def __call__(self, answer: Any) -> None:
        with self._changed:
            self.all.append(answer)
            self._changed.notify_all()

    def wait(self, count: int) -> list[Any]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.all) >= count, timeout=300)
            return self.all


def source_of(jit: Any, block: int, **options: Any) -> Any:
    from adaptive_selector.triton import _jit

    call = _jit.specialise(jit, 0, (Tensor(), 1024), {"BLOCK": block, "num_warps": 4, **options})
    return _jit.Source(jit, 0, call)


def test_a_worker_compiles_what_the_program_needs(driver: Any, program: Any, pool: Any) -> None:
    """Helpers, constants, closures, modules of the program: the result is the entry of Triton's cache that the
    program looks for, and the program was not run again."""
    source = source_of(program.make(2), 256)
    answers = Answers()
    pool.submit(source.job, answers, 0.0)
    assert answers.wait(1)[0][0] == "done", answers.all
    hits: list[bool] = []
    triton.knobs.compilation.listener = lambda **told: hits.append(told["cache_hit"])
    try:
        compiled = source.compile(warmup=True)
    finally:
        triton.knobs.compilation.listener = None
    assert hits == [True]
    assert compiled.hash == answers.all[0][1]
    assert "sqrt" in compiled.asm["ptx"] and compiled.asm["cubin"][:4] == b"\x7fELF"
    assert program.mark.read_text() == "run\n"


def test_configurations_of_a_tuner_come_from_workers(driver: Any, program: Any, pool: Any, gpu: Gpu) -> None:
    from adaptive_selector.triton._settings import settings

    answers = Answers()
    submit = pool.submit
    pool.submit = lambda job, done, priority: submit(job, lambda answer: (done(answer), answers(answer)), priority)
    settings.use_compilers(pool)
    gpu.latency = lambda launched: {64: 40e-6, 128: 10e-6, 256: 30e-6}[launched.constants["BLOCK"]]
    kernel = ads.triton.autotune(
        configs=[triton.Config({"BLOCK": block}, num_warps=2) for block in (64, 128, 256)], key=["n"]
    )(program.make(1))
    misses: list[Any] = []
    triton.knobs.compilation.listener = lambda **told: None if told["cache_hit"] else misses.append(told["src"])
    try:
        for _ in range(20):
            kernel[(4,)](Tensor(), 1024)
        answers.wait(2)
    finally:
        triton.knobs.compilation.listener = None
    assert len(misses) == 1  # the first call compiles one configuration here
    assert [answer[0] for answer in answers.all] == ["done", "done"]
    for _ in range(500):
        kernel[(4,)](Tensor(), 1024)
    assert {launched.constants["BLOCK"] for launched in gpu.launches} == {64, 128, 256}
    assert kernel.best_config.kwargs == {"BLOCK": 128}
    assert len(driver.loaded) == 3


def test_what_cannot_travel_is_compiled_here(driver: Any, program: Any, pool: Any) -> None:
    class Data:
        value = triton.language.constexpr(1.0)

    answers = Answers()
    pool.submit(source_of(program.make_with_data(Data()), 64).job, answers, 0.0)
    kind, why = answers.wait(1)[0]
    assert kind == "here" and "data in " in why


def test_errors_of_the_compiler_come_back(driver: Any, program: Any, pool: Any) -> None:
    answers = Answers()
    pool.submit(source_of(program.make(1), 100).job, answers, 0.0)  # no power of two
    kind, name, text = answers.wait(1)[0]
    assert kind == "failed" and name == "CompilationError"


def test_a_worker_that_dies_costs_one_job(driver: Any, program: Any, pool: Any) -> None:
    answers = Answers()
    source = source_of(program.make(1), 64)

    def dying() -> dict[str, Any]:
        job: dict[str, Any] = source_of(program.make(1), 256).job()
        for process in pool._processes:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        return job

    pool.submit(source.job, answers, 0.0)
    answers.wait(1)
    pool.submit(dying, answers, 1.0)
    pool.submit(source_of(program.make(1), 128).job, answers, 2.0)
    assert [answer[:2] for answer in answers.wait(3)[1:]] == [("failed", "WorkerDied"), ("done", answers.all[2][1])]
    assert answers.all[0][0] == "done"


def test_the_best_guess_is_compiled_first() -> None:
    from adaptive_selector.triton._pool import WorkerPool
    from adaptive_selector.triton._portable import NotPortable

    order: list[str] = []
    answers = Answers()
    begun, go = threading.Event(), threading.Event()
    pool = WorkerPool(1)

    def job(name: str) -> Any:
        def make() -> Any:
            order.append(name)
            if name == "first":
                begun.set()
                assert go.wait(60)
            raise NotPortable(name)

        return make

    pool.submit(job("first"), answers, 0.0)
    assert begun.wait(60)
    tickets = [pool.submit(job(name), answers, priority) for name, priority in (("c", 3.0), ("b", 2.0), ("a", 1.0))]
    pool.hasten(tickets[0])
    go.set()
    answers.wait(4)
    assert order == ["first", "c", "a", "b"]
    pool.close()


def test_the_interpreter_ends_while_workers_compile(run_python: Any, tmp_path: Path) -> None:
    run_python(f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import os
os.environ["TRITON_CACHE_DIR"] = {str(tmp_path)!r}
from triton.runtime.driver import driver
from fake_gpu import BinaryDriver, Gpu, Tensor
driver.set_active(BinaryDriver(Gpu()))
from triton_kernels import calls_another
from adaptive_selector.triton import _jit
from adaptive_selector.triton._pool import WorkerPool
pool = WorkerPool(2)
for block in (64, 128, 256, 512):
    call = _jit.specialise(calls_another, 0, (Tensor(), 1024), {{"BLOCK": block}})
    pool.submit(_jit.Source(calls_another, 0, call).job, print, 0.0)
""")


def test_workers_end_when_nothing_is_to_do(driver: Any, program: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And they find the program's modules, not files of those names in the folder in which they start."""
    from adaptive_selector.triton._pool import WorkerPool

    (tmp_path / "triton.py").write_text("raise RuntimeError('the wrong module')")
    monkeypatch.chdir(tmp_path)
    pool = WorkerPool(1, idle=0.0)
    answers = Answers()
    for job in (1, 2):
        pool.submit(source_of(program.make(1), 64).job, answers, 0.0)
        for thread in list(pool._threads):
            thread.join(300)
        assert answers.wait(job)[-1][0] == "done"
        assert pool._threads == [] and pool._processes == set()
    pool.close()


def test_what_is_in_the_cache_on_disk_needs_no_process(driver: Any, program: Any, pool: Any) -> None:
    kernel = program.make(1)
    source_of(kernel, 64).compile(warmup=True)
    answers = Answers()
    pool.submit(source_of(kernel, 64).job, answers, 0.0)
    assert answers.wait(1) == [("done", "")]
    assert pool._processes == set()


@pytest.mark.parametrize("interpreter", ["/nowhere/python", "false"])
def test_without_worker_processes_kernels_are_compiled_here(
    driver: Any, program: Any, pool: Any, monkeypatch: pytest.MonkeyPatch, interpreter: str
) -> None:
    """A program that embeds Python may have no interpreter; one that ends at once is no worker either."""
    import shutil
    import sys

    from adaptive_selector.triton._settings import settings

    monkeypatch.setattr(sys, "executable", shutil.which(interpreter) or interpreter)
    answers = Answers()
    submit = pool.submit
    pool.submit = lambda job, done, priority: submit(job, lambda answer: (done(answer), answers(answer)), priority)
    settings.use_compilers(pool)
    kernel = ads.triton.autotune(configs=[triton.Config({"BLOCK": block}) for block in (64, 128, 256)], key=["n"])(
        program.make(1)
    )
    kernel[(4,)](Tensor(), 1024)
    assert [answer[0] for answer in answers.wait(2)] == ["here", "here"]
    assert "worker process" in answers.all[0][1]
    assert len(driver.loaded) == 3
    assert ads.triton.pending() == 0
    assert pool._processes == set()


def test_a_job_that_cannot_be_sent_is_compiled_here(driver: Any, program: Any, pool: Any) -> None:
    answers = Answers()
    pool.submit(lambda: {"options": lambda: None}, answers, 0.0)
    kind, why = answers.wait(1)[0]
    assert kind == "here" and "pickle" in why.lower()
