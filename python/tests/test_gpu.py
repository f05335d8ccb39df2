"""Launches on a GPU, with PyTorch. On a machine with both: pytest -m gpu python/tests"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import adaptive_selector as ads

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


@pytest.fixture
def operation() -> ads.Operation:
    return ads.Selector(tables=None, seed=1).define("product", ["n"], ["repeated", "once"])


def kernels(torch: Any, n: int) -> list[Callable[[], object]]:
    """The second one does an eighth of the work of the first."""
    a = torch.randn(n, n, device="cuda")
    out = torch.empty_like(a)

    def repeated() -> None:
        for _ in range(8):
            torch.mm(a, a, out=out)

    return [repeated, lambda: torch.mm(a, a, out=out)]


def serve(torch: Any, operation: ads.Operation, n: int, launches: int, stream: Any = None) -> None:
    """Launches without waiting, but for a pause after every hundred, so that what follows knows the latencies."""
    variants = kernels(torch, n)
    stream = torch.cuda.current_stream() if stream is None else stream
    for number in range(launches):
        with operation.launch(n, stream=stream) as launch:
            variants[launch.variant]()
        if number % 100 == 99:
            assert operation.selector.drain()


def test_the_device_is_the_default(operation: ads.Operation, torch: Any) -> None:
    assert operation.selector.device.device == torch.cuda.get_device_name()
    assert ads.gpu_count() == torch.cuda.device_count()
    torch.cuda.init()
    assert ads.gpu_device().toolkit == ".".join(torch.version.cuda.split(".")[:2])


def test_the_faster_variant_is_learned(operation: ads.Operation, torch: Any) -> None:
    for _ in range(10):
        serve(torch, operation, 512, 1000)
        assert operation.selector.drain()
        if operation.pin(512).name == "once":
            break
    counters = operation.selector.timer_counters
    assert counters["pending"] == 0
    assert counters["timed"] == counters["recorded"] + counters["idle"] + counters["queued"] + counters["lost"]
    assert counters["recorded"] > 0
    assert operation.pin(512).name == "once"
    explanation = operation.explain(512)
    slow, fast = explanation.candidates
    assert 2.0 < slow.location / fast.location < 16.0


def test_the_process_has_one_runtime(operation: ads.Operation, torch: Any) -> None:
    serve(torch, operation, 256, 50)
    operation.selector.drain()
    with open("/proc/self/maps") as maps:
        runtimes = {line.split()[-1] for line in maps if "libcudart" in line}
    assert len(runtimes) <= 1, runtimes


@pytest.mark.parametrize("form", ["torch", "integer", "protocol"])
def test_streams_in_every_form(operation: ads.Operation, torch: Any, form: str) -> None:
    own = torch.cuda.Stream()

    class Stream:
        def __cuda_stream__(self) -> tuple[int, int]:
            return (0, own.cuda_stream)

    stream = {"torch": own, "integer": own.cuda_stream, "protocol": Stream()}[form]
    with torch.cuda.stream(own):
        serve(torch, operation, 256, 50, stream)
    assert operation.selector.drain()
    assert operation.selector.timer_counters["timed"] > 0


def test_inside_a_capture_the_incumbent_runs(operation: ads.Operation, torch: Any) -> None:
    serve(torch, operation, 512, 1000)
    operation.selector.drain()
    incumbent = operation.pin(512).variant
    variants = kernels(torch, 512)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        with operation.launch(512, stream=torch.cuda.current_stream()) as launch:
            assert launch.captured and not launch.timed
            assert launch.variant == incumbent
            variants[launch.variant]()
    assert launch.pin is not None and not launch.pin.stale
    graph.replay()
    torch.cuda.synchronize()
    assert operation.selector.timer_counters["captured"] == 1


def test_threads_with_streams_of_their_own(operation: ads.Operation, torch: Any) -> None:
    def work(n: int) -> None:
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            serve(torch, operation, n, 200, stream)

    threads = [threading.Thread(target=work, args=(n,)) for n in (128, 256, 384, 512)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert operation.selector.drain()
    assert operation.counters.keys == 4


def test_a_launch_that_raises_is_not_learned_from(operation: ads.Operation, torch: Any) -> None:
    with pytest.raises(RuntimeError), operation.launch(64, stream=torch.cuda.current_stream()):
        torch.mm(torch.zeros(2, 3, device="cuda"), torch.zeros(2, 3, device="cuda"))
    assert operation.counters.failures == 1
    with pytest.raises(KeyboardInterrupt), operation.launch(64, stream=torch.cuda.current_stream()):
        raise KeyboardInterrupt
    operation.selector.drain()
    assert operation.counters.failures == 1
    assert operation.selector.timer_counters["recorded"] == 0


def test_every_device_of_the_machine(torch: Any) -> None:
    if torch.cuda.device_count() < 2:
        pytest.skip("one GPU")
    for ordinal in range(torch.cuda.device_count()):
        with torch.cuda.device(ordinal):
            operation = ads.Selector(tables=None, device=ordinal).define("product", ["n"], ["repeated", "once"])
            serve(torch, operation, 512, 1000)
            assert operation.selector.drain()
            assert operation.pin(512).name == "once"


def test_the_interpreter_ends_with_launches_in_flight(run_python: Callable[[str], str]) -> None:
    run_python("""
import torch, adaptive_selector as ads
operation = ads.Selector(tables=None).define("product", ["n"], ["a", "b"])
a = torch.randn(4096, 4096, device="cuda")
for _ in range(50):
    with operation.launch(4096, stream=torch.cuda.current_stream()):
        a @ a
""")
