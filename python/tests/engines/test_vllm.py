"""The plugin in the real Python files of one release of vLLM, with a GPU and a PyTorch that are none."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import adaptive_selector as ads
from adaptive_selector import engines

triton = pytest.importorskip("triton")

from engine_trees import tree  # noqa: E402
from fake_gpu import Compilers, Gpu, Launched  # noqa: E402
from fake_torch import MEMBERS, Tensor  # noqa: E402
from stub_modules import stubbed  # noqa: E402

MOE = "vllm.model_executor.layers.fused_moe"
UTILS = "vllm.model_executor.layers.quantization.utils"
EXPERTS, WIDTH, HIDDEN, TOP_K = 8, 3584, 4096, 2  # Mixtral over four devices; vLLM has a file for it


def members() -> dict[str, dict[str, Any]]:
    from unittest.mock import MagicMock

    platform = MagicMock()
    platform.get_device_name.return_value = "NVIDIA H200"
    platform.is_rocm.return_value = platform.is_xpu.return_value = False

    class Modular:
        @staticmethod
        def adjust_N_for_activation(n: int, activation: Any) -> int:
            return n // 2

        def moe_problem_size(self, a: Tensor, w1: Tensor, w2: Tensor, topk_ids: Tensor) -> tuple[int, ...]:
            return w1.shape[0], a.shape[0], w1.shape[1], a.shape[1], topk_ids.shape[1]

        def activation(self, *_: Any, **__: Any) -> None:
            pass

    return {
        "torch": MEMBERS,
        "vllm.envs": {"VLLM_BATCH_INVARIANT": False, "VLLM_TUNED_CONFIG_FOLDER": None},
        "vllm.platforms": {"current_platform": platform},
        "vllm.triton_utils": {"triton": triton, "tl": triton.language},
        "vllm.utils.math_utils": {"round_up": lambda x, y: (x + y - 1) // y * y},
        MOE: {"get_config": lambda: None},
        f"{MOE}.config": {"_get_config_dtype_str": lambda **flags: "fp8_w8a8" if flags.get("use_fp8_w8a8") else None},
        f"{MOE}.modular_kernel": {"FusedMoEExpertsModular": Modular},
        f"{MOE}.experts.lora_experts_mixin": {"LoRAExpertsMixin": type("LoRAExpertsMixin", (), {})},
        f"{MOE}.utils": {"moe_kernel_quantize_input": lambda A, A_scale, *_, **rest: (A, A_scale),
                         "_resize_cache": lambda tensor, shape: Tensor(*shape)},
    }


class Vllm:
    """The modules that the tests call."""

    def __init__(self) -> None:
        from importlib import import_module

        self.moe = import_module(f"{MOE}.fused_moe")

    def run(self, m: int, **options: Any) -> None:
        """The fused experts of a layer."""
        self.moe.fused_experts_impl(Tensor(m, HIDDEN), Tensor(EXPERTS, 2 * WIDTH, HIDDEN), Tensor(EXPERTS, HIDDEN, WIDTH),
                                    Tensor(m, TOP_K, dtype="fp32"), Tensor(m, TOP_K, dtype="i32"), **options)

    def theirs(self, m: int, **options: Any) -> Any:
        """What vLLM takes without the plugin."""
        function = getattr(self.moe.try_get_optimal_moe_config, "__wrapped__", self.moe.try_get_optimal_moe_config)
        return function((EXPERTS, 2 * WIDTH, HIDDEN), (EXPERTS, HIDDEN, WIDTH), TOP_K, None, m, **options)


@contextmanager
def vllm_files(real: list[str]) -> Iterator[None]:
    folder = tree("vllm")
    if folder is None:
        pytest.skip("the files of vLLM are not here: set ADAPTIVE_ENGINE_TREES to a folder for them")
    packages = ["vllm"] if "torch" in sys.modules and not hasattr(sys.modules["torch"], "_name") else ["vllm", "torch"]
    with stubbed(folder, packages, real, members()):
        yield


@pytest.fixture
def files() -> Iterator[None]:
    with vllm_files([f"{MOE}.fused_moe", f"{MOE}.moe_align_block_size", f"{MOE}.experts.triton_moe", "vllm.plugins",
                     f"{UTILS}.fp8_utils", f"{UTILS}.int8_utils"]):
        yield


@pytest.fixture
def vllm(files: None, gpu: Gpu, compilers: Compilers, engine_of: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Vllm:
    plugin = engine_of("vllm")
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.24.0+cu130")
    engines.vllm()
    engines.vllm()
    made = Vllm()
    assert plugin.engine.off == ""
    return made


TILE = ("BLOCK_SIZE_M", "BLOCK_SIZE_N", "BLOCK_SIZE_K")


def tile_of(launched: Launched) -> tuple[int, ...]:
    return tuple(launched.constants[name] for name in TILE)


def mostly(gpu: Gpu, tile: tuple[int, ...]) -> bool:
    """Whether the latest launches, but for a few that look at others, run a tile."""
    latest = [tile_of(launched) for launched in gpu.launches[-400:]]
    return latest.count(tile) > 0.9 * len(latest)


def fastest(*tile: int) -> Callable[[Launched], float]:
    return lambda launched: 20e-6 if tile_of(launched) == tile else 60e-6


def test_the_first_launch_runs_what_the_engine_would_take(vllm: Vllm, gpu: Gpu, compilers: Compilers) -> None:
    vllm.run(64)
    theirs = vllm.theirs(64)
    assert len(gpu.launches) == 2, "two products"
    for launched in gpu.launches:
        assert tile_of(launched) == tuple(theirs[name] for name in TILE)
        assert launched.options["num_warps"] == theirs["num_warps"]
    assert len(gpu.compiled) == 2, "nothing else is compiled in this process"
    assert compilers.waiting, "the others are compiled elsewhere"


def test_a_configuration_has_one_name(vllm: Vllm, gpu: Gpu, compilers: Compilers) -> None:
    """vLLM's defaults say that the reduction is not split, and its files do not."""
    default = vllm.moe.get_default_config(40, EXPERTS, WIDTH, HIDDEN, TOP_K, "int8_w8a8")
    assert default["SPLIT_K"] == 1, "there is no file for this type"
    plugin = sys.modules["adaptive_selector.engines._vllm"]
    plugin.engine.begin()
    shapes = (EXPERTS, 2 * WIDTH, HIDDEN), (EXPERTS, HIDDEN, WIDTH)
    assert vllm.moe.try_get_optimal_moe_config(*shapes, TOP_K, "int8_w8a8", 40) == default
    plugin.engine.end()
    names = ads.triton.selector().find("fused_moe").variants  # type: ignore[union-attr]
    assert not any("SPLIT_K" in name for name in names), names


def test_no_launch_waits_for_a_compiler(vllm: Vllm, gpu: Gpu, compilers: Compilers) -> None:
    for m in (64, 128, 64, 256, 1, 3, 17, 4096):
        for _ in range(100):
            vllm.run(m)
    compiled_at_launch = len(gpu.compiled)
    # A launch compiles only where nothing that Triton would reuse is compiled, as without the plugin.
    assert compiled_at_launch <= 2 * 8
    compilers.finish()
    done = len(gpu.compiled)
    assert done > compiled_at_launch
    for m in (64, 128, 256, 4096):
        for _ in range(100):
            vllm.run(m)
    assert len(gpu.compiled) == done


def test_it_learns_from_the_launches_of_the_engine(vllm: Vllm, gpu: Gpu, compilers: Compilers) -> None:
    gpu.latency = fastest(32, 128, 64)
    vllm.run(64)
    compilers.finish()
    for _ in range(2000):
        vllm.run(64)
    assert mostly(gpu, (32, 128, 64))
    assert len({tile_of(launched) for launched in gpu.launches}) > 3, "others were tried"
    pairs = zip(gpu.launches[::2], gpu.launches[1::2])
    assert all(tile_of(first) == tile_of(second) for first, second in pairs), "both products run one configuration"
    rows = vllm.moe.get_moe_configs(EXPERTS, WIDTH, None)
    assert tuple(rows[64][name] for name in TILE) == (32, 128, 64), "whoever asks for the rows gets what was learned"


def test_the_compiled_kernels_are_those_that_are_launched(vllm: Vllm, gpu: Gpu, compilers: Compilers) -> None:
    """What is compiled ahead is what the engine launches, down to what Triton specialises by."""
    sizes = (1, 2, 8, 64, 100, 1024)
    for m in sizes:
        vllm.run(m)
    compilers.finish()
    done = len(gpu.compiled)
    for m in sizes:
        for _ in range(600):
            vllm.run(m)
    tried = {tile_of(launched) for launched in gpu.launches}
    assert len(tried) > 10
    assert len(gpu.compiled) == done, "a configuration that was ready had to be compiled again"


def test_a_captured_launch_runs_the_incumbent(vllm: Vllm, gpu: Gpu, compilers: Compilers) -> None:
    gpu.latency = fastest(32, 128, 64)
    vllm.run(64)
    compilers.finish()
    for _ in range(2000):
        vllm.run(64)
    gpu.capturing = True
    for _ in range(50):
        vllm.run(64)
    gpu.capturing = False
    assert {tile_of(launched) for launched in gpu.launches[-100:]} == {(32, 128, 64)}
    assert not any(launched.timed for launched in gpu.launches[-100:])


def test_what_pytorch_compiles_is_left_alone(vllm: Vllm, gpu: Gpu, compilers: Compilers) -> None:
    """A choice inside a traced function would be made once for ever."""
    from types import SimpleNamespace

    sys.modules["torch"].compiler = SimpleNamespace(is_compiling=lambda: True)
    for _ in range(50):
        vllm.run(64)
    assert not compilers.waiting and not any(launched.timed for launched in gpu.launches)


def test_what_asks_besides_gets_the_choice_of_the_engine(vllm: Vllm, gpu: Gpu, compilers: Compilers) -> None:
    """Kernels of adapters take the configuration of the experts, but nobody compiles them ahead or measures them."""
    gpu.latency = fastest(32, 128, 64)
    vllm.run(64)
    compilers.finish()
    for _ in range(2000):
        vllm.run(64)
    assert mostly(gpu, (32, 128, 64))
    config = vllm.moe.try_get_optimal_moe_config((EXPERTS, 2 * WIDTH, HIDDEN), (EXPERTS, HIDDEN, WIDTH), TOP_K, None, 64)
    shipped = tree("vllm")
    assert shipped is not None
    rows = json.loads((shipped / MOE.replace(".", "/") / "configs" /
                       f"E={EXPERTS},N={WIDTH},device_name=NVIDIA_H200.json").read_text())
    assert config == rows["64"]


def test_batch_invariance_is_left_alone(vllm: Vllm, gpu: Gpu, compilers: Compilers) -> None:
    vllm.moe.envs.VLLM_BATCH_INVARIANT = True
    for _ in range(200):
        vllm.run(64)
    assert {tile_of(launched) for launched in gpu.launches} == {(64, 64, 32)}
    assert not compilers.waiting and not any(launched.timed for launched in gpu.launches)


def test_a_configuration_that_the_program_has_fixed(vllm: Vllm, gpu: Gpu, compilers: Compilers) -> None:
    fixed = {"BLOCK_SIZE_M": 16, "BLOCK_SIZE_N": 32, "BLOCK_SIZE_K": 64, "GROUP_SIZE_M": 1, "num_warps": 4, "num_stages": 3}
    sys.modules[MOE].get_config = lambda: fixed  # type: ignore[attr-defined]
    for _ in range(50):
        vllm.run(64)
    assert {tile_of(launched) for launched in gpu.launches} == {(16, 32, 64)}
    assert not compilers.waiting


def test_weights_of_few_bits_are_left_alone(vllm: Vllm) -> None:
    module = vllm.moe
    for dtype in ("int4_w4a16", "int8_w8a16", "nonsense"):
        shapes = ((EXPERTS, 2 * WIDTH, HIDDEN), (EXPERTS, HIDDEN, WIDTH), TOP_K, dtype, 64, [0, 128])
        assert module.try_get_optimal_moe_config(*shapes) == module.try_get_optimal_moe_config.__wrapped__(*shapes)


@pytest.fixture
def with_table(files: None, gpu: Gpu, compilers: Compilers, engine_of: Callable[[str], Any],
               monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Vllm:
    """A folder of vLLM's own files is a table: one row, which vLLM's file for the layer does not have."""
    from adaptive_selector.triton._settings import settings

    (tmp_path / f"E={EXPERTS},N={WIDTH},device_name=NVIDIA_H200.json").write_text(
        '{"64": {"BLOCK_SIZE_M": 16, "BLOCK_SIZE_N": 256, "BLOCK_SIZE_K": 128, "GROUP_SIZE_M": 4, "num_warps": 8, '
        '"num_stages": 2, "num_ctas": 2}}')
    device = ads.Fingerprint("NVIDIA H200")
    settings.configure(lambda ordinal: ads.Selector(tables=tmp_path, device=device, seed=1), None)
    engine_of("vllm")
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.24.0")
    engines.vllm()
    return Vllm()


def test_graphs_have_what_a_table_says(with_table: Vllm, gpu: Gpu, compilers: Compilers) -> None:
    """Engines capture their graphs soon after the first launches."""
    theirs = with_table.theirs(64)
    with_table.run(64)
    assert {tile_of(launched) for launched in gpu.launches} == {tuple(theirs[name] for name in TILE)}, "it is known to fit"
    gpu.capturing = True
    with_table.run(64)
    assert {tile_of(launched) for launched in gpu.launches[2:]} == {(16, 256, 128)}
    assert [launched.options["num_ctas"] for launched in gpu.launches] == [1, 1, 2, 2], "an option of Triton is passed on"


def test_a_row_of_a_table_that_does_not_fit(with_table: Vllm, gpu: Gpu, compilers: Compilers) -> None:
    from triton.runtime.errors import OutOfResources

    def fits(constants: dict[str, Any], options: dict[str, Any]) -> None:
        if constants["BLOCK_SIZE_N"] == 256:
            raise OutOfResources(300_000, 232_448, "shared memory")

    gpu.fits = fits
    for _ in range(100):
        with_table.run(64)
    compilers.finish()
    for _ in range(300):
        with_table.run(64)
    assert 256 not in {launched.constants["BLOCK_SIZE_N"] for launched in gpu.launches}


def test_ranks_run_what_the_table_says(files: None, gpu: Gpu, compilers: Compilers, engine_of: Callable[[str], Any],
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    from adaptive_selector.triton._settings import settings

    settings.configure(lambda ordinal: ads.Selector(tables=None, device="host", rank_consistent=True), None)
    engine_of("vllm")
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.24.0")
    engines.vllm()
    made = Vllm()
    for m in (64, 128):
        for _ in range(200):
            made.run(m)
    theirs = {tuple(made.theirs(m)[name] for name in TILE) for m in (64, 128)}
    assert {tile_of(launched) for launched in gpu.launches} == theirs
    assert not compilers.waiting, "which configurations are compiled would differ between the ranks"


def test_functions_that_were_imported_before(files: None, gpu: Gpu, compilers: Compilers, engine_of: Callable[[str], Any],
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    made = Vllm()
    other = ModuleType("vllm.other")
    other.ask = made.moe.try_get_optimal_moe_config  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm.other", other)
    engine_of("vllm")
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.24.0")
    engines.vllm()
    assert other.ask is made.moe.try_get_optimal_moe_config
    assert other.ask.__wrapped__ is not other.ask


def test_a_launch_that_fails(vllm: Vllm, gpu: Gpu, compilers: Compilers) -> None:
    def fail(launched: Launched) -> None:
        if launched.constants["MUL_ROUTED_WEIGHT"]:
            raise RuntimeError("an illegal memory access")

    gpu.work = fail
    with pytest.raises(RuntimeError, match="illegal memory access"):
        vllm.run(64)
    assert not compilers.waiting, "half a launch shows nothing"
    gpu.work = lambda launched: None
    gpu.latency = fastest(32, 128, 64)
    vllm.run(64)
    compilers.finish()
    for _ in range(2000):
        vllm.run(64)
    assert mostly(gpu, (32, 128, 64))


def test_a_fault_of_the_plugin_leaves_the_engine_as_it_was(vllm: Vllm, gpu: Gpu, compilers: Compilers,
                                                           monkeypatch: pytest.MonkeyPatch,
                                                           caplog: pytest.LogCaptureFixture) -> None:
    from adaptive_selector.engines import _choices

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(_choices.Choices, "choose", broken)
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            vllm.run(64)
    assert caplog.text.count("the engine has its own configurations again: ZeroDivisionError: a fault") == 1
    assert {tile_of(launched) for launched in gpu.launches} == {tuple(vllm.theirs(64)[name] for name in TILE)}


def test_the_modular_experts(vllm: Vllm, gpu: Gpu, compilers: Compilers) -> None:
    """Most models run `TritonExperts`, which imports the function that is asked by its name."""
    from importlib import import_module
    from unittest.mock import MagicMock

    experts = object.__new__(import_module(f"{MOE}.experts.triton_moe").TritonExperts)
    vars(experts).update(
        quant_config=MagicMock(use_int4_w4a16=False, use_fp8_w8a8=False, use_int8_w8a8=False, use_int8_w8a16=False,
                               config_name=lambda dtype: None),
        expects_unquantized_inputs=False, gemm1_alpha=None, gemm1_beta=None, block_shape=None, _lora_context=None,
        a1_scale=None, w1_scale=None, w2_scale=None,
        w1_bias=None, w2_bias=None, per_act_token_quant=False, quant_dtype=None, quantization_emulation=False)
    gpu.latency = fastest(32, 128, 64)

    def run() -> None:
        experts.apply(
            Tensor(64, HIDDEN), Tensor(64, HIDDEN), Tensor(EXPERTS, 2 * WIDTH, HIDDEN), Tensor(EXPERTS, HIDDEN, WIDTH),
            Tensor(64, TOP_K, dtype="fp32"), Tensor(64, TOP_K, dtype="i32"), None, EXPERTS, None, None, None,
            Tensor(64, 4096), Tensor(64, 4096), None, False)

    run()
    compilers.finish()
    done = len(gpu.compiled)
    for _ in range(2000):
        run()
    assert mostly(gpu, (32, 128, 64))
    assert len(gpu.compiled) == done


# --- the product with scales for blocks -------------------------------------------------------------------------------


@pytest.mark.parametrize("module, product, rows, dtype, stages", [
    ("fp8_utils", "w8a8_triton_block_scaled_mm", "get_w8a8_block_fp8_configs", "fp8e4nv", 2),
    ("int8_utils", "w8a8_block_int8_matmul", "get_w8a8_block_int8_configs", "i8", 3),
])
def test_products_with_scales_for_blocks(vllm: Vllm, gpu: Gpu, compilers: Compilers, module: str, product: str, rows: str,
                                         dtype: str, stages: int) -> None:
    from importlib import import_module

    file = import_module(f"{UTILS}.{module}")
    gpu.latency = fastest(32, 128, 128)

    def run() -> None:
        getattr(file, product)(Tensor(48, 2048, dtype=dtype), Tensor(1024, 2048, dtype=dtype), Tensor(48, 16, dtype="fp32"),
                               Tensor(8, 16, dtype="fp32"), [128, 128])

    run()
    assert tile_of(gpu.launches[0]) == (64, 128, 128), "what vLLM takes without a file"
    assert gpu.launches[0].options["num_stages"] == stages
    compilers.finish()
    done = len(gpu.compiled)
    for _ in range(2000):
        run()
    assert mostly(gpu, (32, 128, 128))
    assert len(gpu.compiled) == done
    assert getattr(file, rows)(1024, 2048, 128, 128) is None, "outside a launch: vLLM's own answer"


# --- how it is switched on --------------------------------------------------------------------------------------------


def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """vLLM's own loader, with the entry point that the package's metadata has."""
    from importlib.metadata import EntryPoint

    point = EntryPoint(name="adaptive", value="adaptive_selector.engines:vllm", group="vllm.general_plugins")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [point] if group == point.group else [])
    sys.modules["vllm.envs"].VLLM_PLUGINS = None  # type: ignore[attr-defined]
    from importlib import import_module

    import_module("vllm.plugins").load_general_plugins()


@pytest.mark.parametrize("wanted", ["", "0", "off"])
def test_without_being_asked_it_does_nothing(files: None, engine_of: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch,
                                             wanted: str) -> None:
    import vllm.envs  # type: ignore[import-not-found]  # noqa: F401

    engine_of("vllm")
    monkeypatch.setenv("ADAPTIVE_ENGINES", wanted)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.24.0")
    plugins(monkeypatch)
    assert not hasattr(Vllm().moe.try_get_optimal_moe_config, "__wrapped__")


def test_the_loader_of_the_engine(files: None, gpu: Gpu, engine_of: Callable[[str], Any],
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    import vllm.envs  # noqa: F401

    engine_of("vllm")
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.24.0")
    plugins(monkeypatch)
    assert hasattr(Vllm().moe.try_get_optimal_moe_config, "__wrapped__")


def test_another_version_is_left_as_it_is(files: None, engine_of: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch,
                                          caplog: pytest.LogCaptureFixture) -> None:
    engine_of("vllm")
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.25.0")
    with caplog.at_level(logging.INFO):
        engines.vllm()
    assert caplog.messages == ["vllm 0.25.0 is left as it is: tested are 0.24.0; ADAPTIVE_ENGINES=untested tries it all the same"]
    assert not hasattr(Vllm().moe.try_get_optimal_moe_config, "__wrapped__")
    monkeypatch.setenv("ADAPTIVE_ENGINES", "untested")
    engines.vllm()
    assert hasattr(sys.modules[f"{MOE}.fused_moe"].try_get_optimal_moe_config, "__wrapped__")


def test_an_engine_that_has_changed(files: None, engine_of: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch,
                                    caplog: pytest.LogCaptureFixture) -> None:
    engine_of("vllm")
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.24.0")
    made = Vllm()
    del made.moe.get_moe_configs  # type: ignore[attr-defined]
    engines.vllm()
    assert "vllm.model_executor.layers.fused_moe.fused_moe is left as it is: AttributeError" in caplog.text
    assert not hasattr(made.moe.try_get_optimal_moe_config, "__wrapped__")


def test_the_metadata_of_the_package() -> None:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        points = distribution("adaptive-selector").entry_points
    except PackageNotFoundError:
        pytest.skip("the package is not installed")
    found = {point.group: point.value for point in points}
    assert found["vllm.general_plugins"] == "adaptive_selector.engines:vllm"
    assert found["sglang.srt.plugins"] == "adaptive_selector.engines:sglang"
