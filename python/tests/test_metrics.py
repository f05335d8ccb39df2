"""Metrics by prometheus_client, in one process and in multi-process mode."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import adaptive_selector as ads

prometheus_client = pytest.importorskip("prometheus_client")

from adaptive_selector import metrics  # noqa: E402


def measure(operation: ads.Operation, m: int) -> None:
    """As a tuner: 20 results of each variant, the second one is faster."""
    for i in range(20):
        for variant, seconds in enumerate((2e-3, 1e-3)):
            operation.record_latency(m, variant=variant, seconds=seconds * (1 + 0.01 * (i % 3)))


@pytest.fixture
def own() -> ads.Selector:
    return ads.Selector(tables=None, device="host", background=False, log=lambda level, line: None)


def test_a_registry_collects_a_selector(own: ads.Selector) -> None:
    registry = prometheus_client.CollectorRegistry()
    operation = own.define("gemm", ["m"], ["a", "b"])
    registration = metrics.register(own, registry=registry, labels={"device": "0"}, stale_graphs=lambda: 2)
    measure(operation, 64)
    own.mode = "frozen"

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, {**labels, "device": "0"})

    assert value("adaptive_promotions_total", operation="gemm") == 1
    assert value("adaptive_results_total", operation="gemm") == 40
    assert value("adaptive_dropped_total", reason="invalid") == 0
    assert value("adaptive_keys", operation="gemm", match="default") == 1
    assert value("adaptive_timed_seconds_total") == pytest.approx(20 * 3e-3, rel=0.02)
    assert value("adaptive_epoch") == 1
    assert value("adaptive_stale_graphs") == 2
    assert value("adaptive_info", mode="frozen", table="", version=ads.__version__) == 1
    text = prometheus_client.generate_latest(registry).decode()
    assert "# TYPE adaptive_promotions_total counter" in text
    assert "# TYPE adaptive_saved_seconds_total gauge" in text
    registration.close()
    registration.close()
    assert prometheus_client.generate_latest(registry) == b""


def test_a_selector_that_is_gone_has_no_metrics(own: ads.Selector) -> None:
    registry = prometheus_client.CollectorRegistry()
    other = ads.Selector(tables=None, device="host", background=False)
    metrics.register(other, registry=registry)
    assert b"adaptive_epoch" in prometheus_client.generate_latest(registry)
    del other
    gc.collect()
    assert prometheus_client.generate_latest(registry) == b""


def test_checks_its_arguments(own: ads.Selector) -> None:
    with pytest.raises(ValueError):
        metrics.register(own, registry=prometheus_client.CollectorRegistry(), interval=0)


@pytest.mark.skipif(sys.platform != "linux", reason="multi-process mode needs fork")
def test_multi_process_mode(run_python: Callable[[str], str], tmp_path: Path) -> None:
    printed = run_python(f"""
import os
os.environ["PROMETHEUS_MULTIPROC_DIR"] = {str(tmp_path)!r}
import prometheus_client
from prometheus_client import multiprocess

def worker(rank):
    import adaptive_selector as ads
    from adaptive_selector import metrics
    selector = ads.Selector(tables=None, device="host", background=False, log=lambda level, line: None)
    operation = selector.define("gemm", ["m"], ["a", "b"])
    registration = metrics.register(selector, interval=3600)
    for round in range(2):
        for i in range(20):
            for variant, seconds in enumerate((2e-3, 1e-3)):
                operation.record_latency(64, variant=variant, seconds=seconds * (1 + 0.01 * (i % 3)))
        registration.update()
        operation.reset()
        registration.update()
    selector.mode = "off"
    registration.update()

children = []
for rank in range(2):
    pid = os.fork()
    if pid == 0:
        worker(rank)
        os._exit(0)
    children.append(pid)
codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
registry = prometheus_client.CollectorRegistry()
multiprocess.MultiProcessCollector(registry)
value = registry.get_sample_value
print(codes, value("adaptive_results_total", {{"operation": "gemm"}}), value("adaptive_promotions_total", {{"operation": "gemm"}}))
print(round(value("adaptive_timed_seconds_total"), 2), value("adaptive_keys", {{"operation": "gemm", "match": "default"}}))
print(sorted((s.labels["mode"], s.value) for f in registry.collect() if f.name == "adaptive_info" for s in f.samples))
""")
    # Two processes, each with two rounds of 40 results and one promotion; timed seconds go on after a reset.
    assert printed == (
        "[0, 0] 160.0 4.0\n"
        "0.24 2.0\n"
        "[('off', 1.0), ('online', 0.0)]\n"
    )
