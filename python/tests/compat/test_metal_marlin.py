"""Metal Marlin's tuner: rows by its rule, comparisons by ours."""

from __future__ import annotations

import json
import logging
import random
from pathlib import Path
from typing import Any

import pytest

import adaptive_selector as ads
from adaptive_selector.compat.metal_marlin import BenchmarkResult, KernelConfig, MixedBPWAutoTuner

ROW = {"kernel_name": "decode_kernel", "tile_size_m": 64, "tile_size_n": 64, "simdgroups": 12, "use_fp32_acc": False,
       "kernel_variant": "decode"}


class Layer:
    def __init__(self, in_features: int, bits: Any, latencies: dict[int, float]) -> None:
        self.in_features, self.out_features, self.bits, self.latencies = in_features, in_features, bits, latencies
        self.launched: list[KernelConfig] = []

    def launch(self, batch_size: int, config: KernelConfig) -> None:
        import time

        self.launched.append(config)
        if config.simdgroups not in self.latencies:
            raise RuntimeError("threadgroup memory exceeds the limit")
        end = time.perf_counter() + self.latencies[config.simdgroups]
        while time.perf_counter() < end:
            pass


def document(**changes: Any) -> dict[str, Any]:
    return {"device_name": "M4 Max", "device_family": "M4", "tile_size_mapping": {"2": 128, "4": 64},
            "simdgroup_mapping": {"2": 16, "4": 8}, "lookup_table": {"4": {"4096": {"(2, 4)": ROW}}},
            "adaptation_enabled": True, "adaptation_history_len": 100, "benchmark_count": 7, **changes}


@pytest.fixture
def config_path(tmp_path: Path) -> Path:
    path = tmp_path / "autotune_mixed_bpw_m4.json"
    path.write_text(json.dumps(document()))
    return path


@pytest.fixture
def tuner(config_path: Path) -> MixedBPWAutoTuner:
    return MixedBPWAutoTuner.load_config(config_path)


def record(tuner: MixedBPWAutoTuner, name: str, ms: float, count: int, **context: Any) -> None:
    noise = random.Random(f"{name} {ms}")
    for _ in range(count):
        tuner.record_latency(name, 4, ms * noise.gauss(1.0, 0.02), **(context or {"hidden_dim": 4096, "bit_widths": [2, 4]}))


def adapted(tuner: MixedBPWAutoTuner, **arguments: Any) -> str | None:
    config = tuner.adapt_selection(4, 4096, [2, 4], **arguments)
    return config.kernel_name if config else None


def test_a_row_is_found_by_the_rule_of_the_other_system(tuner: MixedBPWAutoTuner) -> None:
    assert (tuner.device_name, tuner.device_family) == ("M4 Max", "M4")
    row = KernelConfig(**ROW)  # type: ignore[arg-type]
    assert tuner.select_kernel(4, 4096, [4, 2]) == row
    assert tuner.select_kernel(60, 4096, [2, 4]) == row, "nearest batch size"
    assert tuner.select_kernel(60, 5000, [2, 4]) == row, "nearest width"
    assert tuner.select_kernel(4, 4096, [2], fallback_to_default=False) is None, "the bits have to be equal"


def test_the_default_follows_the_bits_and_the_batch(tuner: MixedBPWAutoTuner) -> None:
    def default(batch: int, bits: list[int], **arguments: Any) -> KernelConfig:
        found = tuner.select_kernel(batch, 4096, bits, **arguments)
        assert found is not None
        return found

    assert (default(1, [4, 8]).tile_size_m, default(1, [4, 8]).simdgroups) == (64, 8), "of the least width"
    assert default(1, [3]).tile_size_m == 128, "of the nearest width that the file has"
    assert [default(batch, [4]).kernel_variant for batch in (1, 2, 16, 17, 33)] == [
        "decode", "prefill", "prefill", "base", "large_batch"]
    assert default(8, [4], use_decode=True).kernel_variant == "decode"
    with pytest.raises(ValueError, match="no kernel has weights of 9 bits"):
        default(1, [9])


def test_adaptation_compares_latencies(tuner: MixedBPWAutoTuner) -> None:
    assert adapted(tuner) is None
    record(tuner, "decode_kernel", 1.0, 4)
    assert adapted(tuner) is None, "four results are too few"
    record(tuner, "decode_kernel", 1.0, 16)
    assert adapted(tuner) == "decode_kernel"
    record(tuner, "rival", 0.99, 20)
    assert adapted(tuner) == "decode_kernel", "as good as equal: no reason to change"
    record(tuner, "slow", 2.0, 100)
    assert adapted(tuner) == "decode_kernel", "more results make no kernel faster"
    record(tuner, "fast", 0.8, 40)
    assert adapted(tuner) == "fast"
    record(tuner, "fast", 1.5, 200)
    record(tuner, "decode_kernel", 1.0, 20)
    assert adapted(tuner) in ("decode_kernel", "rival"), "the other one has become slower"


def test_only_the_fastest_kernels_are_considered(tuner: MixedBPWAutoTuner) -> None:
    record(tuner, "decode_kernel", 1.0, 20)
    record(tuner, "rival", 0.99, 20)
    assert adapted(tuner, top_k=1) is None, "the fastest one is not surely faster than the one in use"
    assert adapted(tuner, top_k=2) == "decode_kernel"


def test_kernels_that_the_table_does_not_choose_are_compared_with_each_other(tuner: MixedBPWAutoTuner) -> None:
    record(tuner, "one", 1.0, 20)
    assert adapted(tuner) == "one"
    record(tuner, "two", 0.7, 20)
    assert adapted(tuner) == "two"


def test_latencies_without_context(tuner: MixedBPWAutoTuner) -> None:
    record(tuner, "decode_kernel", 1.0, 20, hidden_dim=None)
    record(tuner, "fast", 0.8, 40, hidden_dim=None)
    assert adapted(tuner) == "fast"
    record(tuner, "decode_kernel", 0.5, 40)
    assert adapted(tuner) == "decode_kernel", "what is known of the shape itself counts more"
    assert tuner.adapt_selection(5, 4096, [2, 4]) is None, "another batch size"


def test_adaptation_can_be_switched_off_and_cleared(tuner: MixedBPWAutoTuner) -> None:
    record(tuner, "decode_kernel", 1.0, 20)
    tuner.adaptation_enabled = False
    record(tuner, "decode_kernel", 1.0, 20)
    assert adapted(tuner) is None
    tuner.adaptation_enabled = True
    (kernels,) = tuner.get_statistics()["history"].values()
    assert kernels["decode_kernel"]["count"] == 20
    assert kernels["decode_kernel"]["mean_ms"] == pytest.approx(1.0, rel=0.05)
    tuner.clear_adaptation_history()
    assert adapted(tuner) is None and tuner.get_statistics()["history"] == {}
    tuner.adaptation_history_len = 4
    record(tuner, "decode_kernel", 1.0, 20)
    assert adapted(tuner) is None


def test_export_and_import(tuner: MixedBPWAutoTuner, config_path: Path, tmp_path: Path) -> None:
    assert json.loads(tuner.export_config(tmp_path / "new" / "copy.json")) == document()
    assert json.loads((tmp_path / "new" / "copy.json").read_text()) == document()

    record(tuner, "decode_kernel", 1.0, 20)
    record(tuner, "fast", 0.8, 40)
    tuner.export_config()
    exported = json.loads(config_path.read_text())
    assert exported["lookup_table"]["4"]["4096"]["(2, 4)"]["kernel_name"] == "fast"
    again = MixedBPWAutoTuner.load_config(config_path).select_kernel(4, 4096, [2, 4])
    assert again is not None and again.kernel_name == "fast"


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="export_config writes one"):
        MixedBPWAutoTuner.load_config(tmp_path / "none.json")
    for text, match in (("{\n  broken", "broken.json:2: is not JSON"), ("[]", "is not an object")):
        (tmp_path / "broken.json").write_text(text)
        with pytest.raises(ads.Error, match=match):
            MixedBPWAutoTuner.load_config(tmp_path / "broken.json")


def test_benchmark(tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    tuner = MixedBPWAutoTuner("M4 Max", tmp_path / "new.json")
    layers = {"gate": Layer(4096, [2, 4], {4: 2e-4, 8: 1e-4, 12: 2e-4}), "up": Layer(4096, [2, 4], {4: 2e-4, 8: 1e-4, 12: 2e-4})}
    with caplog.at_level(logging.WARNING):
        results = tuner.benchmark_all(layers, batch_sizes=[4], num_warmup=1, num_iter=5)
    best = results["gate"][4][0]
    assert isinstance(best, BenchmarkResult) and best.config.simdgroups == 8
    assert 0.1 <= best.latency_ms < 0.2 and best.throughput_gbps > 0
    assert best.memory_footprint_mb == 4096 * 4096 * 3 / 8 / 2**20
    assert all(result.config.simdgroups != 16 for result in results["gate"][4]), "what failed has no result"
    assert "threadgroup memory exceeds the limit" in caplog.text
    assert "gate batch=4: moe_trellis_mixed_swiglu" in capsys.readouterr().out
    assert tuner.benchmark_count == 2 * len(set(layers["gate"].launched))

    row = tuner.select_kernel(4, 4096, [2, 4], fallback_to_default=False)
    assert row is not None and row.simdgroups == 8
    tuner.export_config()
    assert MixedBPWAutoTuner.load_config(tmp_path / "new.json").select_kernel(4, 4096, [2, 4], fallback_to_default=False) == row


def test_benchmark_of_a_layer(tmp_path: Path) -> None:
    launched: list[tuple[int, KernelConfig]] = []
    tuner = MixedBPWAutoTuner("M4 Max", launch=lambda layer, batch, config: launched.append((batch, config)))
    configs = [KernelConfig("a", 64, 64, 8), KernelConfig("b", 128, 128, 16)]
    results = tuner.benchmark_layer(Layer(1024, 4, {}), 2, configs, num_warmup=3, num_iter=5)
    assert {result.config.kernel_name for result in results} == {"a", "b"}
    assert launched.count((2, configs[0])) >= 3 + 5
    assert tuner.select_kernel(2, 1024, [4], fallback_to_default=False) is None, "one layer makes no table"


def test_what_is_missing_is_said() -> None:
    class Bare:
        in_features, bits = 1024, 4

    with pytest.raises(ads.Error, match="nothing that runs a kernel of Metal Marlin on this machine.*launch="):
        MixedBPWAutoTuner("M4 Max").benchmark_all([Bare()], [1])
    with pytest.raises(ads.Error, match="all configurations|every variant failed"):
        MixedBPWAutoTuner("M4 Max").benchmark_layer(Layer(1024, 4, {}), 1, num_warmup=0, num_iter=2)


def test_the_device_of_this_machine(tmp_path: Path) -> None:
    tuner = MixedBPWAutoTuner()
    assert tuner.device_name and " " not in tuner.device_family
