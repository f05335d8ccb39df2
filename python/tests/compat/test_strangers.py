"""What programs of strangers do beyond the documents: other spellings, broken and missing files, values that mean nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import adaptive_selector as ads
from adaptive_selector.compat import megablox, metal_marlin


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GMM_TUNE_CACHE_DIR", raising=False)


def kernel(name: str) -> dict[str, Any]:
    return {"kernel_name": name, "tile_size_m": 64, "tile_size_n": 64, "simdgroups": 4, "use_fp32_acc": False,
            "kernel_variant": "decode"}


def test_bits_in_every_spelling() -> None:
    tuner = metal_marlin.MixedBPWAutoTuner()
    wanted = tuner.select_kernel(8, 4096, [2, 4])
    for spelling in ((4, 2), {2, 4}, [2, 4, 2], "2,4", "(2, 4)", iter([4, 2])):
        assert tuner.select_kernel(8, 4096, spelling) == wanted  # type: ignore[arg-type]
    for wrong, problem in (([], "bit_widths"), ([9], "9 bits"), ("x", "invalid")):
        with pytest.raises(ValueError, match=problem):
            tuner.select_kernel(8, 4096, wrong)  # type: ignore[arg-type]


def test_latencies_that_are_none() -> None:
    """A clock that went backwards must not end a server, nor decide anything."""
    tuner = metal_marlin.MixedBPWAutoTuner()
    chosen = tuner.select_kernel(8, 4096, [4])
    assert chosen is not None
    for wrong in (-1.0, 0.0, float("nan"), float("inf")):
        for _ in range(20):
            tuner.record_latency("another", 8, wrong, 4096, [4])
    for _ in range(20):
        tuner.record_latency(chosen.kernel_name, 8, 1.0, 4096, [4])
    adapted = tuner.adapt_selection(8, 4096, [4])
    assert adapted is None or adapted.kernel_name == chosen.kernel_name


def test_a_table_with_rubbish_beside_its_rows() -> None:
    Path("m9.json").write_text(json.dumps({
        "device_name": "Apple M9 Ultra", "device_family": "M9",
        "lookup_table": {"8": {"4096": {"(2, 4)": kernel("first"), "4,2": kernel("last")}, "abc": {}}, "x": {}}}))
    found = metal_marlin.MixedBPWAutoTuner(config_path="m9.json").select_kernel(8, 4096, [4, 2])
    assert found is not None and found.kernel_name == "last", "the last of equal keys, as in Python"
    assert metal_marlin.MixedBPWAutoTuner(config_path="absent.json").select_kernel(8, 4096, [4, 2]) is not None


def test_the_folder_of_the_environment_is_that_of_every_function(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    Path("elsewhere").mkdir()
    Path("elsewhere/m64_k64_n64_g8.json").write_text('{"optimal_tiling": [32, 64, 64], "best_time_ms": 0.5, "timestamp": 1.0}')
    monkeypatch.setenv("GMM_TUNE_CACHE_DIR", "elsewhere")
    megablox.initialize_tiling_manager()
    assert "1 cached" in capsys.readouterr().out
    assert megablox.get_optimal_tiling_for_gmm(64, 64, 64, 8) == (32, 64, 64)
    assert megablox.auto_tune_for_startup(custom_shapes=[(64, 64, 64, 8)], verbose=False) == {"m64_k64_n64_g8": (32, 64, 64)}
    monkeypatch.setenv("GMM_TUNE_CACHE_DIR", "nowhere")
    megablox.initialize_tiling_manager(verbose=False)
    assert megablox.get_optimal_tiling_for_gmm(64, 64, 64, 8) == (64, 64, 64), "the default, cut to the shape"


def test_broken_files_of_a_cache(caplog: pytest.LogCaptureFixture) -> None:
    cache = Path("tuning_cache")
    cache.mkdir()
    (cache / "m64_k64_n64_g8.json").write_text('{"optimal_tiling": [32, 64, 64], "best_time_ms": 0.5, "timestamp": 1.0}\r\n')
    (cache / "m1_k1_n1_g1.json").write_text("")
    (cache / "m2048_k4096_n1024_g8.json").write_text('{"optimal_tiling": [1, 2]}')
    (cache / "notes.txt").write_text("of no concern")
    megablox.initialize_tiling_manager(verbose=False)
    assert megablox.get_optimal_tiling_for_gmm(64, 64, 64, 8) == (32, 64, 64)
    assert "m1_k1_n1_g1.json is not used" in caplog.text and "m2048_k4096_n1024_g8.json is not used" in caplog.text
    assert "notes.txt" not in caplog.text


def test_shapes_that_are_none() -> None:
    for wrong in ((64, 64), (0, 64, 64, 8), (64, 64, 64, -1)):
        with pytest.raises(ValueError, match="a shape is"):
            megablox.auto_tune_for_startup(custom_shapes=[wrong], verbose=False)  # type: ignore[list-item]
    with pytest.raises(ads.Error, match="known: "):
        megablox.auto_tune_for_startup("no-such-model", verbose=False)


def test_a_product_that_cannot_run_costs_its_shape_alone() -> None:
    pytest.importorskip("jax", reason="JAX is not installed")

    def fails(*_: Any, **__: Any) -> Any:
        raise MemoryError("out of memory")

    assert megablox.auto_tune_for_startup(custom_shapes=[(32, 64, 64, 8)], verbose=False, gmm=fails, rounds=2) == {}
    assert not list(Path(".").rglob("m32_*.json")), "nothing is cached where all fail"


def test_tuned_data_that_is_not_there(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    from adaptive_selector.compat.tpu_inference import quantized_matmul

    monkeypatch.setenv("ADAPTIVE_TPU_TUNED_DATA", "nowhere")
    sizes = quantized_matmul.get_tuned_block_sizes(17, 2048, 4096, "int8", "int8")
    assert tuple(sizes) == (128, 128, 128)
    assert "Couldn't find tuned sizes" in caplog.text
