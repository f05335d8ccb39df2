"""vLLM's own Triton kernel on a GPU, driven through the plugin. On a machine with PyTorch and a GPU, with the files that
engine_trees.py has fetched: ADAPTIVE_ENGINE_TREES=FOLDER pytest -m gpu python/tests/engines"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import adaptive_selector as ads
from adaptive_selector import engines

torch = pytest.importorskip("torch")
triton = pytest.importorskip("triton")

from engine_trees import tree  # noqa: E402

pytestmark = pytest.mark.gpu

COUNTS = [1, 4, 16, 64, 256, 1024]


@pytest.fixture
def vllm(engine_of: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from adaptive_selector.triton._settings import Settings, settings
    from vllm_on_gpu import QWEN3_30B, Vllm, vllm_files

    folder = tree("vllm")
    if folder is None:
        pytest.skip("the files of vLLM are not here: set ADAPTIVE_ENGINE_TREES to a folder for them")
    fresh = Settings()
    fresh.make_selector = lambda ordinal: ads.Selector(tables=None, device=ordinal, seed=1)
    old = dict(vars(settings))
    vars(settings).update(vars(fresh))
    engine_of("vllm")
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.24.0")
    with vllm_files(folder):
        engines.vllm()
        made = Vllm(QWEN3_30B)
        made.prepare(COUNTS)
        yield made
    if settings._compilers is not None:
        settings._compilers.close()  # type: ignore[attr-defined]
    vars(settings).update(old)


def operation() -> ads.Operation:
    found = ads.triton.selector().find("fused_moe")
    assert found is not None
    return found


def key(made: Any, m: int) -> tuple[Any, ...]:
    return m, made.layer.experts, made.layer.width, "none", "none", "False"


def compiled(timeout: float = 400.0) -> None:
    end = time.monotonic() + timeout
    while ads.triton.pending():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_every_launch_is_right_whatever_it_runs(vllm: Any) -> None:
    expected = {m: vllm.expected(m) for m in COUNTS}
    ran: set[str] = set()
    for _ in range(2):
        for m in COUNTS:
            for _ in range(60):
                torch.testing.assert_close(vllm.run(m).float(), expected[m], rtol=3e-2, atol=1e-2)
        compiled()
    ads.triton.selector().drain()
    for m in COUNTS:
        ran |= {c.name for c in operation().explain(*key(vllm, m)).candidates if c.count}
    assert len(ran) > 8, "several configurations have run"


def test_a_captured_graph_has_the_incumbent(vllm: Any) -> None:
    for _ in range(50):
        vllm.run(64)
    compiled()
    for _ in range(500):
        vllm.run(64)
    ads.triton.selector().drain()
    looks = sum(c.count for c in operation().explain(*key(vllm, 64)).candidates)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        output = vllm.run(64)
    for _ in range(20):
        graph.replay()
    torch.cuda.synchronize()
    torch.testing.assert_close(output.float(), vllm.expected(64), rtol=3e-2, atol=1e-2)
    ads.triton.selector().drain()
    assert sum(c.count for c in operation().explain(*key(vllm, 64)).candidates) == looks, "nothing is timed in a graph"


def test_no_launch_compiles_after_the_first_of_its_kind(vllm: Any) -> None:
    kernel = vllm.module.fused_moe_kernel
    for m in COUNTS:
        vllm.run(m)
    compiled()
    done = len(kernel.device_caches[0][0])
    for m in COUNTS:
        for _ in range(300):
            vllm.run(m)
    assert len(kernel.device_caches[0][0]) == done
    assert sys.modules["adaptive_selector.engines._vllm"].engine.off == ""


def test_what_was_learned_is_exported_as_a_file_of_the_engine(vllm: Any, tmp_path: Any) -> None:
    from adaptive_selector._core import foreign_texts

    for _ in range(200):
        vllm.run(64)
    ads.triton.selector().drain()
    ads.triton.selector().save(tmp_path / "learned.json")
    texts = foreign_texts(tmp_path / "learned.json", "vllm")
    assert any(name.startswith(f"E={vllm.layer.experts},N={vllm.layer.width},device_name=") for name in texts), texts
