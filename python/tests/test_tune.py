from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import adaptive_selector as ads
from adaptive_selector import _choice, _tuning


class Clock:
    """Time that passes only while a function of the test works."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(_tuning.time, "perf_counter", lambda: self.now)

    def work(self, seconds: float) -> Callable[[], float]:
        calls = 0

        def function() -> float:
            nonlocal calls
            calls += 1
            self.now += seconds * (1.0 + 0.01 * ((calls * 7919) % 13 - 6) / 6)
            return seconds

        return function


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def operation(selector: ads.Selector) -> ads.Operation:
    return selector.define("op", ["m"], ["slow", "fast", "near"])


def test_the_fastest_is_found_and_the_slow_are_dropped(operation: ads.Operation, clock: Clock, tmp_path: Path) -> None:
    found = ads.tune(operation, (16,), [clock.work(3e-3), clock.work(1e-3), clock.work(1.005e-3)])
    slow, fast, near = found.trials
    assert found.best is fast
    assert slow.dropped and len(slow.seconds) < 10
    assert not near.dropped and len(near.seconds) == 50  # within a tie nobody is dropped
    assert "op (16,): fast" in str(found) and "3.0" in str(found)
    operation.selector.save(tmp_path / "t.json")
    again = ads.Selector(tables=tmp_path, device="host").define("op", ["m"], ["slow", "fast", "near"])
    assert again.pin(16).name in ("fast", "near")
    assert again.explain(16).match == "exact"


def test_variants_by_name_and_a_way_to_wait(operation: ads.Operation, clock: Clock) -> None:
    waited: list[object] = []
    functions = {"near": clock.work(2e-3), "fast": clock.work(1e-3), "slow": clock.work(4e-3)}
    found = ads.tune(operation, [16], functions, run=lambda f: (f(), "result"), sync=waited.append)
    assert found.best.name == "fast"
    assert waited[0] == (4e-3, "result")


def test_a_variant_that_fails(operation: ads.Operation, clock: Clock) -> None:
    def broken() -> None:
        raise MemoryError("too large")

    found = ads.tune(operation, (16,), [clock.work(2e-3), broken, clock.work(1e-3)])
    assert found.best.name == "near"
    assert found.trials[1].error == "MemoryError: too large"
    assert "failed: MemoryError" in str(found)
    with pytest.raises(ValueError, match="every variant failed: MemoryError"):
        ads.tune(operation, (17,), [broken] * 3)


def test_an_interrupted_run_goes_on(operation: ads.Operation, clock: Clock, tmp_path: Path) -> None:
    log = tmp_path / "trials.jsonl"
    calls = 0

    def interrupts() -> None:
        nonlocal calls
        calls += 1
        clock.now += 1e-3
        if calls == 4:  # in the third round: the first call is not measured
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ads.tune(operation, (16,), [clock.work(3e-3), interrupts, clock.work(1.2e-3)], rounds=12, log=log)
    before = log.read_text().splitlines()
    assert len(before) == 2 and json.loads(before[0])["seconds"].keys() == {"slow", "fast", "near"}
    log.write_text("\n".join(before) + '\n{"cut off')
    found = ads.tune(operation, (16,), [clock.work(3e-3), clock.work(1e-3), clock.work(1.2e-3)], rounds=12, log=log)
    assert found.best.name == "fast"
    assert found.trials[0].seconds[:2] == [json.loads(line)["seconds"]["slow"] for line in before]
    assert len(found.trials[0].seconds) == 5  # two rounds are those of the file


def test_functions_that_do_not_fit(operation: ads.Operation) -> None:
    with pytest.raises(ValueError, match="there are 1 functions for 3 variants"):
        ads.tune(operation, (16,), [lambda: None])
    with pytest.raises(ValueError, match="the operation has"):
        ads.tune(operation, (16,), {"other": lambda: None})


def test_jit_choice(selector: ads.Selector, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    monkeypatch.setattr(_choice.time, "perf_counter", lambda: clock.now)
    waited: list[int] = []
    called = [0, 0]

    def make(index: int, seconds: float) -> Callable[[list[int]], int]:
        def function(values: list[int]) -> int:
            called[index] += 1
            clock.now += 1.0 if called[index] == 1 else seconds  # the first call compiles
            return sum(values)

        return function

    operation = selector.define("sum", ["count"], ["a", "b"])
    total = ads.jit_choice(
        operation, [make(0, 2e-3), make(1, 1e-3)], key=lambda values: (len(values),), sync=waited.append
    )
    for _ in range(1000):
        assert total([1, 2, 3]) == 6
    assert operation.pin(3).name == "b"
    assert called[0] < 100
    assert 0 < len(waited) < 1000
    assert operation.explain(3).candidates[1].mean < 0.01  # without the call that compiled
    with pytest.raises(ValueError):
        ads.jit_choice(operation, [len], key=lambda values: (1,))


def test_a_choice_that_raises(selector: ads.Selector) -> None:
    def broken(m: int) -> int:
        raise ValueError("no")

    operation = selector.define("op", ["m"], ["a", "b"])
    choice = ads.jit_choice(operation, [broken, lambda m: m], key=lambda m: (m,))
    with pytest.raises(ValueError, match="no"):
        choice(1)
    assert choice(1) == 1
    assert operation.counters.failures == 1


def test_isolated_variants_that_crash_hang_or_raise_cost_only_themselves(selector: ads.Selector) -> None:
    import os
    import signal
    import threading

    operation = selector.define("op", ["m"], ["good", "crashes", "hangs", "raises", "late"])
    calls: list[str] = []

    def good() -> None:
        calls.append("good")

    def late() -> None:
        calls.append("late")
        if len(calls) > 3:
            os._exit(3)

    found = ads.tune(
        operation, (1,),
        [good, lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: threading.Event().wait(), lambda: 1 / 0, late],
        rounds=6, isolate=True, timeout=5,
    )
    errors = {trial.name: trial.error for trial in found.trials}
    assert errors == {
        "good": "", "crashes": "its process was ended by SIGKILL", "hangs": "it took longer than 5 s",
        "raises": "ZeroDivisionError: division by zero", "late": "its process ended with status 3",
    }
    assert found.best.name == "good" and len(found.best.seconds) >= 5
    assert calls == []  # nothing happened in this process
    assert operation.pin(1).name == "good"


def test_a_timeout_needs_isolation(operation: ads.Operation) -> None:
    with pytest.raises(ValueError, match="isolate"):
        ads.tune(operation, (1,), [lambda: None] * 3, timeout=1.0)
