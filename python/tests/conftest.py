from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

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
    return ads.Selector(tables=None, device="host", seed=1)


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
