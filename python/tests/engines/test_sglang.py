"""The plugin in the real Python files of one release of SGLang, with a GPU and a PyTorch that are none."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from adaptive_selector import engines

triton = pytest.importorskip("triton")

from engine_trees import tree  # noqa: E402
from fake_gpu import Compilers, Gpu, Launched  # noqa: E402
from fake_torch import MEMBERS, Tensor  # noqa: E402
from stub_modules import stubbed  # noqa: E402

MOE = "sglang.srt.layers.moe.moe_runner.triton_utils"
QUANTISED = "sglang.srt.layers.quantization"
EXPERTS, WIDTH, HIDDEN, TOP_K = 8, 1600, 4096, 2  # SGLang has no file for it, and 1600 is no multiple of 128
TILE = ("BLOCK_SIZE_M", "BLOCK_SIZE_N", "BLOCK_SIZE_K")


class Unset:
    """Settings that nobody has made."""

    def __getattr__(self, name: str) -> Any:
        return SimpleNamespace(get=lambda: None)


class Sglang:
    """The modules that the tests call, after SGLang's own loader has loaded the plugin."""

    def __init__(self) -> None:
        from importlib import import_module

        self.configs = import_module(f"{MOE}.fused_moe_triton_config")
        self.moe = import_module(f"{MOE}.fused_moe")
        self.args = sys.modules["sglang.srt.server_args"].get_global_server_args()  # type: ignore[attr-defined]

    def run(self, m: int) -> None:
        """The fused experts of a layer."""
        self.moe.fused_experts_impl(Tensor(m, HIDDEN), Tensor(EXPERTS, 2 * WIDTH, HIDDEN), Tensor(EXPERTS, HIDDEN, WIDTH),
                                    Tensor(m, TOP_K, dtype="fp32"), Tensor(m, TOP_K, dtype="i32"))


@pytest.fixture
def files() -> Iterator[None]:
    folder = tree("sglang")
    if folder is None:
        pytest.skip("the files of SGLang are not here: set ADAPTIVE_ENGINE_TREES to a folder for them")
    server = SimpleNamespace(enable_deterministic_inference=False, enable_fused_moe_sum_all_reduce=False)
    utils = {"get_device_name": lambda: "NVIDIA H200", "is_cuda": lambda: True, "get_bool_env_var": lambda *_: False}
    utils |= {name: lambda: False for name in ("is_hip", "is_cpu", "is_xpu", "is_musa", "is_npu", "cpu_has_amx_support",
                                               "use_intel_xpu_backend")}
    members = {
        "torch": MEMBERS,
        "sglang.srt.environ": {"envs": Unset()},
        "sglang.srt.server_args": {"get_global_server_args": lambda: server},
        "sglang.srt.batch_invariant_ops": {"is_batch_invariant_mode_enabled": lambda: False},
        "sglang.srt.utils": utils,
        "sglang.srt.utils.custom_op": {"register_custom_op": lambda *_, **__: lambda function: function},
        "sglang.srt.layers.moe.utils": {"get_moe_padding_size": lambda *_: 0},
        MOE: {"get_config": lambda: None},
    }
    real = [f"{MOE}.fused_moe", f"{MOE}.fused_moe_triton_config", f"{MOE}.fused_moe_triton_kernels",
            f"{MOE}.moe_align_block_size", "sglang.srt.plugins", "sglang.srt.plugins.hook_registry",
            f"{QUANTISED}.fp8_kernel", f"{QUANTISED}.int8_kernel"]
    with stubbed(folder, ["sglang", "torch", "sgl_kernel"], real, members):
        yield


def load_plugins(monkeypatch: pytest.MonkeyPatch, version: str = "0.5.15") -> None:
    """SGLang's own loader, with the entry point that the package's metadata has."""
    from importlib.metadata import EntryPoint

    point = EntryPoint(name="adaptive", value="adaptive_selector.engines:sglang", group="sglang.srt.plugins")
    monkeypatch.setattr("importlib.metadata.version", lambda name: version)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [point] if group == point.group else [])
    from importlib import import_module

    import_module("sglang.srt.plugins").load_plugins()


@pytest.fixture
def sglang(files: None, gpu: Gpu, compilers: Compilers, engine_of: Callable[[str], Any],
           monkeypatch: pytest.MonkeyPatch) -> Sglang:
    engine_of("sglang")
    load_plugins(monkeypatch)
    return Sglang()


def tile_of(launched: Launched) -> tuple[int, ...]:
    return tuple(launched.constants[name] for name in TILE)


def mostly(gpu: Gpu, tile: tuple[int, ...]) -> bool:
    """Whether the latest launches, but for a few that look at others, run a tile."""
    latest = [tile_of(launched) for launched in gpu.launches[-400:]]
    return latest.count(tile) > 0.9 * len(latest)


def fastest(*tile: int) -> Callable[[Launched], float]:
    return lambda launched: 20e-6 if tile_of(launched) == tile else 60e-6


def test_the_hooks_are_applied(sglang: Sglang) -> None:
    for function in (sglang.configs.try_get_optimal_moe_config, sglang.moe.try_get_optimal_moe_config,
                     sglang.configs.get_moe_configs, sglang.moe._prepare_fused_moe_run, sglang.moe._fused_moe_kernel_sequence):
        assert hasattr(function, "__wrapped__"), function


def test_it_learns_from_the_launches_of_the_engine(sglang: Sglang, gpu: Gpu, compilers: Compilers) -> None:
    gpu.latency = fastest(32, 128, 64)
    sglang.run(64)
    assert tile_of(gpu.launches[0]) == (64, 64, 32), "what SGLang takes without a file"
    compilers.finish()
    done = len(gpu.compiled)
    for _ in range(2000):
        sglang.run(64)
    assert mostly(gpu, (32, 128, 64))
    assert len(gpu.compiled) == done, "no launch waits for a compiler"
    assert len({tile_of(launched) for launched in gpu.launches}) > 3
    rows = sglang.configs.get_moe_configs(EXPERTS, WIDTH, None)
    assert tuple(rows[64][name] for name in TILE) == (32, 128, 64)


def test_the_compiled_kernels_are_those_that_are_launched(sglang: Sglang, gpu: Gpu, compilers: Compilers) -> None:
    sizes = (1, 2, 8, 64, 100, 1024)
    for m in sizes:
        sglang.run(m)
    compilers.finish()
    done = len(gpu.compiled)
    for m in sizes:
        for _ in range(600):
            sglang.run(m)
    assert len({tile_of(launched) for launched in gpu.launches}) > 10
    assert len(gpu.compiled) == done


def test_a_captured_launch_runs_the_incumbent(sglang: Sglang, gpu: Gpu, compilers: Compilers) -> None:
    sglang.run(64)
    compilers.finish()
    gpu.capturing = True
    for _ in range(50):
        sglang.run(64)
    assert not any(launched.timed for launched in gpu.launches[2:])
    assert {tile_of(launched) for launched in gpu.launches} == {(64, 64, 32)}


@pytest.mark.parametrize("fix", ["deterministic", "invariant", "override"])
def test_modes_that_fix_the_configuration(sglang: Sglang, gpu: Gpu, compilers: Compilers, fix: str) -> None:
    fixed = {"BLOCK_SIZE_M": 16, "BLOCK_SIZE_N": 32, "BLOCK_SIZE_K": 64, "GROUP_SIZE_M": 1}
    if fix == "deterministic":
        sglang.args.enable_deterministic_inference = True
    elif fix == "invariant":
        sys.modules["sglang.srt.batch_invariant_ops"].is_batch_invariant_mode_enabled = lambda: True  # type: ignore[attr-defined]
    else:
        sys.modules[MOE].get_config = lambda: fixed  # type: ignore[attr-defined]
    for _ in range(50):
        sglang.run(64)
    assert {tile_of(launched) for launched in gpu.launches} == {(16, 32, 64) if fix == "override" else (64, 64, 32)}
    assert not compilers.waiting


def test_its_own_second_configuration_belongs_to_its_own_choice(sglang: Sglang, gpu: Gpu, compilers: Compilers,
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    """A file for the second product counts only while SGLang's own configuration runs."""
    up = {"BLOCK_SIZE_M": 64, "BLOCK_SIZE_N": 64, "BLOCK_SIZE_K": 64, "GROUP_SIZE_M": 8, "num_warps": 4, "num_stages": 3}
    down = {**up, "BLOCK_SIZE_N": 128}

    def rows(*args: Any, down_moe: bool = False, **rest: Any) -> dict[int, Any]:
        return {64: down if down_moe or len(args) > 6 and args[6] else up}

    monkeypatch.setattr(sglang.configs, "get_moe_configs", rows)
    sglang.run(64)
    assert [launched.constants["BLOCK_SIZE_N"] for launched in gpu.launches] == [64, 128]
    compilers.finish()
    gpu.latency = fastest(32, 128, 64)
    for _ in range(2000):
        sglang.run(64)
    assert mostly(gpu, (32, 128, 64))


@pytest.mark.parametrize("module, product, dtype", [
    ("fp8_kernel", "w8a8_block_fp8_matmul_triton", "fp8e4nv"), ("int8_kernel", "w8a8_block_int8_matmul", "i8")])
def test_products_with_scales_for_blocks(sglang: Sglang, gpu: Gpu, compilers: Compilers, module: str, product: str,
                                         dtype: str) -> None:
    from importlib import import_module

    file: Any = import_module(f"{QUANTISED}.{module}")
    # What SGLang has compiled.
    file.prepare_block_fp8_matmul_inputs = lambda *_: (48, 1024, 2048, Tensor(48, 1024))
    file.select_w8a8_block_fp8_matmul_kernel = lambda *_: file._w8a8_block_fp8_matmul
    gpu.latency = fastest(32, 128, 128)

    def run() -> None:
        getattr(file, product)(Tensor(48, 2048, dtype=dtype), Tensor(1024, 2048, dtype=dtype), Tensor(48, 16, dtype="fp32"),
                               Tensor(8, 16, dtype="fp32"), [128, 128])

    run()
    assert tile_of(gpu.launches[0]) == (64, 128, 128)
    compilers.finish()
    done = len(gpu.compiled)
    for _ in range(2000):
        run()
    assert mostly(gpu, (32, 128, 128))
    assert len(gpu.compiled) == done


def test_another_version_is_left_as_it_is(files: None, engine_of: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch,
                                          caplog: pytest.LogCaptureFixture) -> None:
    engine_of("sglang")
    with caplog.at_level(logging.INFO, "adaptive_selector"):
        load_plugins(monkeypatch, "0.6.0")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("adaptive_selector")]
    assert ours == ["sglang 0.6.0 is left as it is: tested are 0.5.15; ADAPTIVE_ENGINES=untested tries it all the same"]
    assert not hasattr(Sglang().configs.try_get_optimal_moe_config, "__wrapped__")


def test_without_being_asked_it_does_nothing(files: None, engine_of: Callable[[str], Any],
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    engine_of("sglang")
    monkeypatch.delenv("ADAPTIVE_ENGINES")
    load_plugins(monkeypatch)
    assert not hasattr(Sglang().configs.try_get_optimal_moe_config, "__wrapped__")
    assert engines.TESTED["sglang"]
