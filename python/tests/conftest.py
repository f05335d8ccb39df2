from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import adaptive_selector as ads


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Only where a test needs it: asking for GPUs initialises the driver.
    for item in items:
        if item.get_closest_marker("gpu") is not None:
            why = ads.why_no_gpu()
            if why:
                item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the tables of whoever runs the tests nor their settings."""
    for name in [name for name in os.environ if name.startswith("ADAPTIVE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def selector() -> ads.Selector:
    """Without the worker thread, whose lock on a key would leave a call of the test untimed now and then."""
    return ads.Selector(tables=None, device="host", seed=1, background=False)


@pytest.fixture
def gemm(selector: ads.Selector) -> ads.Operation:
    return selector.define("gemm", dimensions=["m", "n", "k"], variants=["a", {"name": "b", "parameters": {"tile": 64}}])


@pytest.fixture
def run_python() -> Callable[[str], str]:
    """Runs a program in an interpreter of its own and returns what it printed. One that hangs fails."""

    def run(program: str) -> str:
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", "-c", program], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Triton on a GPU that is none (fake_gpu.py), with selectors and settings of the test's own."""
    pytest.importorskip("triton")
    from adaptive_selector.triton._settings import Settings, settings
    from fake_gpu import Driver, Gpu, Kernel, begin_of
    from triton.runtime.driver import driver

    gpu = Gpu()

    def compile(source: Any, target: Any = None, options: Any = None, _env_vars: Any = None) -> Kernel:
        gpu.compiled.append({**options, **{source.fn.arg_names[p[0]]: v for p, v in source.constants.items()}})
        return Kernel(gpu, source, options)

    monkeypatch.setattr("triton.compiler.compile", compile)
    fresh = Settings()
    fresh.configure(lambda ordinal: ads.Selector(tables=None, device="host", seed=ordinal + 1), None)
    fresh.begin_of = begin_of(gpu)
    old = dict(vars(settings))
    vars(settings).update(vars(fresh))
    active = driver._active
    driver.set_active(Driver(gpu))
    yield gpu
    if active is not None:  # else kernels that are collected later still find a driver
        driver.set_active(active)
    vars(settings).update(old)


@pytest.fixture
def compilers(gpu: Any) -> Any:
    """Worker processes that compile when the test says so."""
    from adaptive_selector.triton._settings import settings
    from fake_gpu import Compilers

    compilers = Compilers()
    settings.use_compilers(compilers)
    return compilers
