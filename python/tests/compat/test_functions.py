"""Functions that stand in for other systems', under their own names and with their own files."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import adaptive_selector as ads
from adaptive_selector import _core, compat
from adaptive_selector.compat import megablox, sgl_jax
from adaptive_selector.compat.tpu_inference import _tuned_data, quantized_matmul, ragged_paged_attention
from adaptive_selector.compat.tpu_inference import megablox as tpu_megablox


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GMM_TUNE_CACHE_DIR", raising=False)
    monkeypatch.setattr(megablox, "_manager", None)
    yield
    compat.uninstall()
    _tuned_data.forget()


def cache(*shapes: tuple[str, list[int]]) -> Path:
    folder = Path("tuning_cache")
    folder.mkdir(exist_ok=True)
    for name, tiling in shapes:
        (folder / f"{name}.json").write_text(json.dumps({"optimal_tiling": tiling, "best_time_ms": 0.5, "timestamp": 1.0}))
    return folder


# --- files of other systems -------------------------------------------------------------------------------------------


def test_look_ups_in_foreign_files() -> None:
    files = _core.ForeignFiles([cache(("m1024_k4096_n11008_g8", [128, 512, 1024]))], "megablox")
    assert [(Path(path).name, rows, refused) for path, rows, refused in files.files] == [("m1024_k4096_n11008_g8.json", 1, "")]
    key = {"m": "1024", "k": "4096", "n": "11008", "g": "8"}
    found = files.look_up(key)
    assert (found["match"], found["parameters"]) == ("exact", {"optimal_tiling": [128, 512, 1024]})
    assert found["matched"] == {"m": 1024, "k": 4096, "n": 11008, "g": 8}
    far = files.look_up({**key, "m": "16384"}, as_the_system=True)
    assert (far["match"], far["parameters"]) == ("default", {"optimal_tiling": [512, 1024, 1024]})
    with pytest.raises(ads.Error, match="E"):
        files.look_up({"E": "8"})
    with pytest.raises(ads.Error, match="there is no system nonsense; known: .*megablox"):
        _core.ForeignFiles([], "nonsense")


# --- Megablox ---------------------------------------------------------------------------------------------------------


def test_tilings_of_the_cache() -> None:
    cache(("m1024_k4096_n11008_g8", [128, 512, 1024]))
    assert megablox.get_optimal_tiling_for_gmm(1024, 4096, 11008, num_groups=8) == (128, 512, 1024)
    assert megablox.get_optimal_tiling_for_gmm(1536, 4096, 11008, 8) == (128, 512, 1024), "a near m"
    assert megablox.get_optimal_tiling_for_gmm(4096, 4096, 11008, 8) == (512, 1024, 1024), "too far away"
    assert megablox.get_optimal_tiling_for_gmm(1024, 4096, 11008) == (512, 1024, 1024), "other groups"


def test_no_tile_is_borrowed_that_the_kernel_refuses() -> None:
    cache(("m1024_k4096_n11008_g8", [128, 512, 1024]))
    for m in (1000, 640, 700, 1):
        assert m % megablox.get_optimal_tiling_for_gmm(m, 4096, 11008, 8)[0] == 0
    assert megablox.get_optimal_tiling_for_gmm(64, 256, 512, 8) == (64, 256, 512), "no tile exceeds its dimension"


def test_the_manager(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
                     caplog: pytest.LogCaptureFixture) -> None:
    folder = cache(("m1024_k4096_n11008_g8", [128, 512, 1024]))
    (folder / "m8_k8_n8_g8.json").write_text("{")
    with caplog.at_level(logging.WARNING):
        megablox.initialize_tiling_manager()
    assert "m8_k8_n8_g8.json is not used" in caplog.text
    assert "Initialized tiling manager with 1 cached configurations" in capsys.readouterr().out
    manager = megablox.get_tiling_manager()
    assert manager.cached == ["m1024_k4096_n11008_g8"]
    manager.add_optimal_tiling(2048, 4096, 11008, 8, (256, 256, 256))
    assert megablox.get_optimal_tiling_for_gmm(2048, 4096, 11008, 8) == (256, 256, 256)
    manager.set_default_tiling((64, 64, 64))
    assert megablox.get_optimal_tiling_for_gmm(4096, 256, 256) == (64, 64, 64)
    assert manager.get_adaptive_tiling(32, 256, 32) == (32, 64, 32)
    assert manager.get_adaptive_tiling(32, 256, 32, (16, 16, 16)) == (16, 16, 16)

    cache(("m2048_k4096_n11008_g8", [512, 512, 512]))
    megablox.initialize_tiling_manager(verbose=False)
    assert megablox.get_optimal_tiling_for_gmm(2048, 4096, 11008, 8) == (512, 512, 512), "the folder is read again"
    monkeypatch.setenv("GMM_TUNE_CACHE_DIR", "elsewhere")
    assert megablox.TilingManager().cache_dir == "elsewhere"


def test_tuning_without_a_tpu_says_what_is_missing(caplog: pytest.LogCaptureFixture) -> None:
    cache(("m1024_k4096_n11008_g8", [128, 512, 1024]))
    shapes = [(1024, 4096, 11008, 8), (64, 64, 64, 2)]
    with caplog.at_level(logging.WARNING):
        tuned = megablox.auto_tune_for_startup(custom_shapes=shapes, verbose=False)
    assert tuned == {"m1024_k4096_n11008_g8": (128, 512, 1024)}
    assert "1 shapes are not tuned: JAX" in caplog.text and "gmm=" in caplog.text


def test_block_sizes_of_grouped_products(caplog: pytest.LogCaptureFixture) -> None:
    cache(("m1024_k4096_n11008_g8", [128, 512, 1024]))
    plain = (1024, 4096, 11008, 64, 8, "bfloat16", "bfloat16", 4096)
    assert sgl_jax.get_tuned_block_sizes(*plain) == (128, 512, 1024), "the groups of this shard"
    assert tpu_megablox.get_tuned_block_sizes(*plain) == (128, 512, 1024)
    quantised = (1024, 4096, 11008, 64, 8, "bfloat16", "float8_e4m3fn", 4096)
    with caplog.at_level(logging.WARNING):
        assert tpu_megablox.get_tuned_block_sizes(*quantised) == (128, 128, 128), "the files are of plain types"
    assert "Couldn't find tuned sizes for the GMM kernel" in caplog.text


# --- tpu-inference ----------------------------------------------------------------------------------------------------


@pytest.fixture
def tuned_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("ADAPTIVE_TPU_TUNED_DATA", str(tmp_path / "tuned_data"))
    _tuned_data.forget()
    monkeypatch.setattr(_tuned_data, "device", lambda: "tpu_v6e")
    monkeypatch.setattr(ragged_paged_attention, "device", lambda: "tpu_v6e")
    for kernel, text in {
        "quantized_matmul": '{"16,2048,4096,int8,int8": [16, 512, 1024], "32,2048,4096,int8,int8": [32, 512, 1024, 2]}',
        "ragged_paged_attention/v3": '{"128": {"q_bfloat16_kv_bfloat16": {"q_head-32_kv_head-8_head-128": '
                                     '{"max_model_len-8192-sw-None": [16, 64]}}}}',
    }.items():
        path = tmp_path / "tuned_data" / kernel / "tpu_v6e.json"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return tmp_path / "tuned_data"


def test_block_sizes_of_the_quantised_product(tuned_data: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert quantized_matmul.get_tuned_block_sizes(16, 2048, 4096, "int8", "int8") == (16, 512, 1024)
    assert quantized_matmul.get_tuned_block_sizes(16, 2048, 4096, "int8", "int8").out_block_size == 512
    assert quantized_matmul.get_tuned_block_sizes(32, 2048, 4096, "int8", "int8") == (32, 512, 1024, 2)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert quantized_matmul.get_tuned_block_sizes(17, 2048, 4096, "int8", "int8") == (128, 128, 128)
    assert caplog.text.count("Couldn't find tuned sizes for the quantized matmul kernel with 17,2048,4096,int8,int8") == 1


def test_block_sizes_of_attention(tuned_data: Path, caplog: pytest.LogCaptureFixture) -> None:
    ask = ragged_paged_attention.get_tuned_block_sizes
    assert ask("bfloat16", "bfloat16", 32, 8, 128, 128, 256, 64) == (16, 64)
    assert ask("bfloat16", "bfloat16", 30, 6, 128, 100, 256, 80) == (16, 64), "rounded up to powers of two"
    assert ask("bfloat16", "bfloat16", 32, 8, 128, 128, 32, 64)[1] == 32, "no more queries than there are"
    with caplog.at_level(logging.WARNING):
        assert ask("bfloat16", "bfloat16", 64, 8, 128, 128, 256, 64) == (16, 32), "the default of the device"
    assert "Couldn't find tuned sizes for the RPA v3 kernel" in caplog.text


@pytest.mark.parametrize("kind, name", [("TPU v6 lite", "tpu_v6e"), ("TPU v5p", "tpu_v5p"), ("TPU v5e", "tpu_v5e"),
                                        ("TPU7x", "tpu_v7"), ("TPU v4", "tpu_v4"), ("cpu", "")])
def test_names_of_devices(kind: str, name: str) -> None:
    assert _tuned_data.slug(kind) == name


# --- stand-ins --------------------------------------------------------------------------------------------------------


def test_a_system_that_is_not_installed() -> None:
    compat.install()
    compat.install()
    from metal_marlin.trellis.autotune_mixed_bpw import MixedBPWAutoTuner  # type: ignore[import-not-found]
    from sgl_jax.srt.auto_tune_startup import auto_tune_for_startup  # type: ignore[import-not-found]

    assert MixedBPWAutoTuner.__module__ == "adaptive_selector.compat.metal_marlin"
    assert auto_tune_for_startup is megablox.auto_tune_for_startup
    with pytest.raises(ModuleNotFoundError):
        import metal_marlin.trellis.loader  # type: ignore[import-not-found]  # noqa: F401
    compat.uninstall()
    assert not any(name.startswith(("metal_marlin", "sgl_jax")) for name in sys.modules)
    with pytest.raises(ModuleNotFoundError):
        import metal_marlin  # type: ignore[import-not-found]  # noqa: F401


def installed(folder: Path, name: str, text: str) -> None:
    path = folder.joinpath(*name.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True)
    for parent in path.relative_to(folder).parents:
        (folder / parent / "__init__.py").touch()
    path.write_text(text)


def test_a_system_that_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tuned_data: Path) -> None:
    """Its other members stay, and its own function answers where this package knows nothing."""
    name = "tpu_inference.kernels.quantized_matmul.tuned_block_sizes"
    installed(tmp_path / "site", name, "def get_device_vmem_limit(): return 96\n"
                                       "def get_tuned_block_sizes(*key): return ('theirs', key)\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    compat.install()
    from tpu_inference.kernels.quantized_matmul import tuned_block_sizes as module  # type: ignore[import-not-found]

    assert module.get_device_vmem_limit() == 96 and module.__file__
    assert module.get_tuned_block_sizes(16, 2048, 4096, "int8", "int8") == (16, 512, 1024)
    assert module.get_tuned_block_sizes(5, 2048, 4096, "int8", "int8") == ("theirs", (5, 2048, 4096, "int8", "int8"))
    compat.uninstall()
    assert module.get_tuned_block_sizes(16, 2048, 4096, "int8", "int8")[0] == "theirs"
    compat.install()
    assert module.get_tuned_block_sizes(16, 2048, 4096, "int8", "int8") == (16, 512, 1024), "it was imported before"
    compat.uninstall()
    for loaded in [loaded for loaded in sys.modules if loaded.partition(".")[0] == "tpu_inference"]:
        del sys.modules[loaded]


def test_a_program_that_is_not_edited(tmp_path: Path, run_python: Callable[[str], str]) -> None:
    (tmp_path / "helper.py").write_text("name = 'helper'")
    (tmp_path / "service.py").write_text(
        "import sys, helper\nfrom metal_marlin.trellis.autotune_mixed_bpw import KernelConfig\n"
        "print(KernelConfig.__module__, helper.name, sys.argv[1:])")
    program = f"from adaptive_selector.compat.__main__ import main\nmain([{str(tmp_path / 'service.py')!r}, '--port'])"
    assert run_python(program).split() == ["adaptive_selector.compat.metal_marlin", "helper", "['--port']"]


def test_what_stands_in_for_what() -> None:
    from importlib import import_module

    for ours in compat.stands_in_for().values():
        assert all(hasattr(import_module(ours), name) for name in import_module(ours).__all__)
