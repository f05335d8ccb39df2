from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import pytest

import adaptive_selector as ads

# Programs that could hang run in a process of their own, which is killed then.


def test_threads_learn_together(gemm: ads.Operation) -> None:
    threads = 4
    begin = threading.Barrier(threads)

    def work() -> None:
        begin.wait()
        for call in range(3000):
            decision = gemm.select(call % 5 + 1, 2, 3)
            gemm.record(decision, seconds=(2e-5, 1e-5)[decision.variant] * (1 + 0.001 * (call % 7)))

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    counters = gemm.counters
    assert counters.keys == 5
    assert counters.results + counters.results_dropped + counters.results_duplicate == threads * 3000
    assert all(gemm.pin(m, 2, 3).name == "b" for m in range(1, 6))


@pytest.mark.parametrize(
    "other",
    [
        "operation.select(7)", "operation.pin(7)", "operation.explain(7)", "operation.site(7)", "operation.reset()",
        "operation.add_variant('c')", "operation.counters", "operation.select_known(7)", "operation.enable('b')",
        "selector.define('other', ['m'], ['a'])", "selector.save(path)", "selector.fit_predictions()",
        "operation.force('b').__enter__()",
    ],
)
@pytest.mark.parametrize("consistent", [False, True])
def test_a_function_of_the_program_cannot_deadlock(
    run_python: Callable[[str], str], other: str, consistent: bool, tmp_path: object
) -> None:
    """One thread is inside `supports`, where the library holds a lock, while another one waits for that lock."""
    printed = run_python(f"""
import threading, time
import adaptive_selector as ads

inside, waiting = threading.Event(), threading.Event()
path = {str(tmp_path) + "/t.json"!r}

def supports(m):
    if threading.current_thread() is first:
        inside.set()
        waiting.wait()
        for _ in range(20):
            time.sleep(0.001)  # lets go of the GIL and needs it again
    return True

selector = ads.Selector(tables=None, device="host", rank_consistent={consistent})
operation = selector.define("op", ["m"], ["a", {{"name": "b", "supports": supports}}])
first = threading.Thread(target=lambda: operation.select(5))

def wait():
    inside.wait()
    waiting.set()
    {other}

second = threading.Thread(target=wait)
first.start(); second.start()
first.join(); second.join()
print("done")
""")
    assert printed == "done\n"


def test_log_lines_are_delivered_by_python_threads(tmp_path: object) -> None:
    lines: list[tuple[str, str, threading.Thread]] = []
    selector = ads.Selector(
        tables=None, device="host", log=lambda level, line: lines.append((level, line, threading.current_thread()))
    )
    operation = selector.define("op", ["m"], ["a", "b"])
    # A function of the program may use the selector, since no lock is held.
    other = ads.Selector(tables=[str(tmp_path) + "/none"], device="host", log=lambda level, line: operation.explain(1))
    other.define("op", ["m"], ["a"])
    # The saver's own thread notices that the folder is missing; the line arrives with the next call at the latest.
    ads.Saver(selector, str(tmp_path) + "/missing/t.json", interval=3600.0).close()
    operation.record(operation.select(1), seconds=1e-5)
    saver = ads.Saver(selector, str(tmp_path) + "/missing/t.json", interval=3600.0)
    operation.record(operation.select(1), seconds=1e-5)
    saver.close()
    assert all(thread is threading.current_thread() for _, _, thread in lines)
    assert saver.status.failed == 0 or lines


def test_messages_go_to_logging(caplog: pytest.LogCaptureFixture, tmp_path: object) -> None:
    caplog.set_level(logging.INFO, "adaptive_selector")
    ads.Selector(tables=[str(tmp_path) + "/none"], device="host").define("op", ["m"], ["a"])
    assert any(r.name == "adaptive_selector" and "does not exist" in r.message for r in caplog.records)


def test_a_log_function_that_raises(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    import sys

    caught: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda event: caught.append(str(event.exc_value)))

    def log(level: str, line: str) -> None:
        raise ValueError(line)

    operation = ads.Selector(tables=[str(tmp_path) + "/none"], device="host", log=log).define("op", ["m"], ["a"])
    assert operation.select(1).variant == 0
    assert any("does not exist" in text for text in caught)
