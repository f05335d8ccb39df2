"""Triton kernels on a GPU, with PyTorch. On a machine with both: pytest -m gpu python/tests"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import adaptive_selector as ads

torch = pytest.importorskip("torch")
triton = pytest.importorskip("triton")

from triton_kernels import calls_another, scale  # noqa: E402

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True)
def own_selectors() -> Iterator[None]:
    from adaptive_selector.triton._settings import Settings, settings

    fresh = Settings()
    fresh.make_selector = lambda ordinal: ads.Selector(tables=None, device=ordinal, seed=1)
    old = dict(vars(settings))
    vars(settings).update(vars(fresh))
    yield
    if settings._compilers is not None:
        settings._compilers.close()  # type: ignore[attr-defined]
    vars(settings).update(old)


def grid(meta: Any) -> tuple[int]:
    return (triton.cdiv(meta["n"], meta["BLOCK"]),)


def tuned(function: Any = scale, configs: Any = None) -> Any:
    jit = function if isinstance(function, triton.runtime.JITFunction) else triton.jit(function)
    if configs is None:
        configs = [triton.Config({"BLOCK": block}, num_warps=warps) for block in (128, 512, 2048) for warps in (1, 4)]
    return ads.triton.autotune(configs=configs, key=["n"])(jit)


def compiled(timeout: float = 300.0) -> None:
    """Waits until no configuration waits for a compiler."""
    import time

    end = time.monotonic() + timeout
    while ads.triton.pending():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_kernel_in_place_is_right_at_every_launch() -> None:
    kernel = tuned()
    for n in (1000, 1 << 16, 999_999):
        for _ in range(300):
            x = torch.ones(n, device="cuda")
            kernel[grid](x, n)
            assert bool((x == 2).all())
    compiled()
    for _ in range(300):
        x = torch.ones(1 << 16, device="cuda")
        kernel[grid](x, 1 << 16)
        assert bool((x == 2).all())


def test_launches_are_timed_and_the_key_settles() -> None:
    kernel = tuned()
    x = torch.zeros(1 << 26, device="cuda")  # so long a launch that timing it costs little
    kernel[grid](x, x.numel())
    compiled()
    for _ in range(40):
        for _ in range(200):
            kernel[grid](x, x.numel())
        torch.cuda.synchronize()
    selector = ads.triton.selector()
    assert selector.drain()
    counters = selector.timer_counters
    assert counters["recorded"] > 10 and counters["failed"] == 0
    operation = selector.find("triton_kernels.scale.fp32")
    assert operation is not None
    explanation = operation.explain(x.numel(), 0)
    assert sum(candidate.count > 0 for candidate in explanation.candidates) >= 2
    # The timer agrees with the events of PyTorch on what the incumbent takes.
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    for _ in range(200):
        kernel[grid](x, x.numel())
    end.record()
    torch.cuda.synchronize()
    location = next(c.location for c in explanation.candidates if c.name == explanation.leader)
    assert 0.5 < location / (begin.elapsed_time(end) * 1e-3 / 200) < 2.0


def test_a_kernel_with_helpers_compiles_in_workers() -> None:
    kernel = tuned(calls_another)
    x = torch.ones(4096, device="cuda")
    kernel[grid](x, 4096)
    compiled()
    kernels = kernel.__dict__["_adaptive_learner"]._devices[torch.cuda.current_device()].kernels.values()
    assert len(kernels) == 6
    assert all(k.error is None for k in kernels)
    assert bool((x == 0.5).all())


def test_inside_a_graph_the_incumbent_runs() -> None:
    kernel = tuned()
    x = torch.ones(4096, device="cuda")
    kernel[grid](x, 4096)
    compiled()
    for _ in range(500):
        kernel[grid](x, 4096)
    torch.cuda.synchronize()
    x.fill_(1.0)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        kernel[grid](x, 4096)
    x.fill_(1.0)
    graph.replay()
    graph.replay()
    torch.cuda.synchronize()
    assert bool((x == 4).all())
    assert ads.triton.selector().timer_counters["captured"] == 1


def test_clusters_of_blocks_run() -> None:
    """Two blocks of a cluster share a tile; only GPUs since Hopper have clusters."""
    if torch.cuda.get_device_capability()[0] < 9:
        pytest.skip("this GPU has no clusters")
    configs = [triton.Config({"BLOCK": block}, num_ctas=ctas) for block in (512, 2048) for ctas in (1, 2)]
    kernel = tuned(configs=configs)
    x = torch.ones(4096, device="cuda")
    kernel[grid](x, 4096)
    compiled()
    kernels = kernel.__dict__["_adaptive_learner"]._devices[torch.cuda.current_device()].kernels.values()
    assert [k.error for k in kernels] == [None] * 4
    for _ in range(300):
        x = torch.ones(4096, device="cuda")
        kernel[grid](x, 4096)
        assert bool((x == 2).all())


def test_kernels_load_while_another_thread_captures() -> None:
    import threading

    kernel = tuned()
    x = torch.ones(1 << 16, device="cuda")
    y = torch.ones(1 << 16, device="cuda")
    torch.cuda.synchronize()
    done = threading.Event()
    failed: list[BaseException] = []

    def capture() -> None:
        try:
            while not done.is_set():
                graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(graph, stream=torch.cuda.Stream()):
                    y.add_(1.0)
                graph.replay()
        except BaseException as error:
            failed.append(error)

    kernel[grid](x, x.numel())
    thread = threading.Thread(target=capture)
    thread.start()
    compiled()
    done.set()
    thread.join()
    torch.cuda.synchronize()
    assert failed == []


def test_streams_and_devices() -> None:
    kernel = tuned()
    for ordinal in range(torch.cuda.device_count()):
        with torch.cuda.device(ordinal):
            stream = torch.cuda.Stream()
            with torch.cuda.stream(stream):
                x = torch.ones(4096, device="cuda")
                for _ in range(3):
                    kernel[grid](x, 4096)
            stream.synchronize()
            assert bool((x == 8).all())
    assert set(ads.triton.selectors()) == set(range(torch.cuda.device_count()))


def test_the_launcher_agrees_with_jit_function() -> None:
    """Aligned and misaligned addresses, divisible and other sizes."""
    kernel, plain = tuned(), triton.jit(scale)
    base = torch.arange(10_000, device="cuda", dtype=torch.float32)
    for offset in (0, 1, 4):
        for n in (1, 16, 17, 1024, 9000):
            ours, theirs = base.clone(), base.clone()
            for _ in range(3):
                kernel[grid](ours[offset:], n)
                plain[grid](theirs[offset:], n, BLOCK=128)
            assert torch.equal(ours, theirs)


def test_install_reaches_kernels_of_a_module(run_python: Callable[[str], str]) -> None:
    """And the interpreter ends while workers compile and launches are in flight."""
    from pathlib import Path

    printed = run_python(f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import torch, triton, adaptive_selector as ads
from triton_kernels import scale
kernel = triton.autotune(configs=[triton.Config({{"BLOCK": b}}) for b in (128, 256, 512, 1024)], key=["n"])(triton.jit(scale))
ads.triton.install()
x = torch.ones(4096, device="cuda")
kernel[lambda meta: (triton.cdiv(meta["n"], meta["BLOCK"]),)](x, 4096)
print(bool((x == 2).all()), kernel.best_config is not None)
""")
    assert printed.split() == ["True", "True"]


RANK = """
import sys
sys.path.insert(0, {tests!r})
import torch, triton, adaptive_selector as ads
from triton_kernels import scale
ads.triton.configure(selector=lambda ordinal: ads.Selector(tables={table!r}, device=ordinal, rank_consistent=True))
torch.cuda.set_device({ordinal})
configs = [triton.Config({{"BLOCK": block}}, num_warps=warps) for block in (128, 512, 2048) for warps in (1, 4)]
kernel = ads.triton.autotune(configs=configs, key=["n"])(triton.jit(scale))
for n in (1 << 10, 1 << 16, 1 << 20, 1 << 24):
    x = torch.ones(n, device="cuda")
    for _ in range(30):
        kernel[lambda meta: (triton.cdiv(n, meta["BLOCK"]),)](x, n)
        print(n, kernel.best_config)
"""


def test_ranks_launch_alike(run_python: Callable[[str], str], tmp_path: Any) -> None:
    """Processes on all devices, with what a process that explores has learned: each runs the same configuration at every
    launch, from the first one on, whatever is compiled."""
    from pathlib import Path

    kernel = tuned()
    for n in (1 << 16, 1 << 24):
        x = torch.ones(n, device="cuda")
        kernel[grid](x, n)
        compiled()
        for _ in range(1000):
            kernel[grid](x, n)
        torch.cuda.synchronize()
    assert ads.triton.selector().drain()
    table = str(tmp_path / "learned.json")
    ads.triton.selector().save(table)
    ordinals = range(max(2, torch.cuda.device_count()))
    ranks = [
        run_python(RANK.format(tests=str(Path(__file__).parent), table=table, ordinal=ordinal % torch.cuda.device_count()))
        for ordinal in ordinals
    ]
    assert ranks[0].splitlines() and all(rank == ranks[0] for rank in ranks)


def test_a_graph_that_is_captured_on_a_second_device() -> None:
    if torch.cuda.device_count() < 2:
        pytest.skip("one GPU")
    kernel = tuned()
    for ordinal in (1, 0):
        with torch.cuda.device(ordinal):
            x = torch.ones(4096, device="cuda")
            kernel[grid](x, 4096)
            compiled()
            x.fill_(1.0)
            graph = torch.cuda.CUDAGraph()
            # PyTorch's own stream for captures is of the device of the first capture.
            with torch.cuda.graph(graph, stream=torch.cuda.Stream()):
                kernel[grid](x, 4096)
            graph.replay()
            torch.cuda.synchronize()
            assert bool((x == 2).all())
    assert {ordinal: s.timer_counters["captured"] for ordinal, s in ads.triton.selectors().items()} == {0: 1, 1: 1}
