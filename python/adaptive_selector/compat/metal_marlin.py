"""Metal Marlin's tuner of kernels for mixed bit widths, with the same interface.

    from adaptive_selector.compat.metal_marlin import MixedBPWAutoTuner

``python -m adaptive_selector.compat.metal_marlin`` is its command (``adaptive autotune_mixed_bpw``).

Rows are looked up by Metal Marlin's rule. Latencies that are recorded go to an operation of a :class:`Selector`, which
compares them: :meth:`MixedBPWAutoTuner.adapt_selection` returns another kernel only where it is surely faster.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Union

import adaptive_selector as ads
from adaptive_selector import _core

from . import _mixed_bpw as parts
from . import _race

log = logging.getLogger(__name__)

_OPERATION = "metal_marlin_mixed_bpw"
_LABELS = ["2", "3", "4", "8", "1", "5", "6", "7", "16"]
_DIMENSIONS: list[Any] = ["batch", "hidden", {"name": "bits", "kind": "label_set", "labels": _LABELS}]

#: A kernel is not judged on fewer results.
_SAMPLES_MIN = 5
#: Look-ups that are remembered; where there are as many, all are forgotten.
_FOUND_MAX = 65_536

#: Runs a layer's kernel once: called with the layer, the batch size and the configuration; comes back when the work is
#: done.
LaunchLayer = Callable[[Any, int, "KernelConfig"], object]


@dataclass(unsafe_hash=True)
class KernelConfig:
    """One kernel with its parameters."""

    kernel_name: str
    tile_size_m: int
    tile_size_n: int
    simdgroups: int
    use_fp32_acc: bool = False
    kernel_variant: str = "base"


@dataclass
class BenchmarkResult:
    """What was measured of one configuration. ``latency_ms`` is the median; ``timestamp`` is in seconds since 1970."""

    config: KernelConfig
    latency_ms: float
    throughput_gbps: float
    memory_footprint_mb: float
    timestamp: float


class MixedBPWAutoTuner:
    """Tunes and chooses kernels for layers of mixed bit width. Any number of threads may use it.

    device_name: as Apple names it, "M4 Max"; None is the device of the file, or else of this machine.
    config_path: a file that is read if it exists, and that :meth:`export_config` writes.
    launch: how a kernel is run once, for :meth:`benchmark_layer` and :meth:`benchmark_all`. Without it a layer needs a
    method ``launch(batch_size, config)``.

    Raises Error for a file that cannot be used.
    """

    def __init__(
        self,
        device_name: Optional[str] = None,
        config_path: Optional[Union[str, Path]] = None,
        *,
        launch: LaunchLayer | None = None,
    ) -> None:
        self.config_path = Path(config_path) if config_path is not None else None
        self._text = ""
        if self.config_path is not None and self.config_path.exists():
            self._text = self.config_path.read_text(encoding="utf-8")
        head = parts.head_of(self._text, self.config_path)
        self.device_name: str = device_name or head.get("device_name") or parts.this_device()
        self.device_family: str = self.device_name.split(" ", 1)[0]
        self.tile_size_mapping: dict[str, int] = dict(head.get("tile_size_mapping") or parts.TILES)
        self.simdgroup_mapping: dict[str, int] = dict(head.get("simdgroup_mapping") or parts.SIMDGROUPS)
        self.adaptation_enabled: bool = bool(head.get("adaptation_enabled", True))
        self.adaptation_history_len: int = int(head.get("adaptation_history_len", 100))
        self.benchmark_count: int = int(head.get("benchmark_count", 0))
        self._launch = launch
        self._lock = threading.RLock()
        self._names: dict[KernelConfig, str] = {}  # names of variants
        self._defaults: dict[Any, int] = {}
        self._found: dict[Any, KernelConfig | None] = {}
        self._files: _core.ForeignFiles | None = None
        tables = [self.config_path] if self._text and self.config_path is not None else None
        self.selector = ads.Selector(tables=tables, device=ads.Fingerprint(self.device_name), background=False,
                                     log=lambda level, line: log.debug("%s: %s", level, line))
        #: The operation behind the tuner, for what the documented interface lacks, such as `explain`.
        self.operation = self.selector.define(
            _OPERATION, _DIMENSIONS, [self._variant(self._default_config(1, ("4",), False))],
            parse=lambda name, parameters: self._variant(_config_of(parameters), name),
            default_variant=lambda batch, hidden, bits: self._defaults.get((batch, hidden, bits), 0),
            nearest_limit=-1.0,
        )
        self._read(tables or [])

    # --- tuning ---------------------------------------------------------------------------------------------------

    def benchmark_layer(
        self,
        layer: Any,
        batch_size: int,
        configs: Optional[List[KernelConfig]] = None,
        num_warmup: int = 5,
        num_iter: int = 20,
    ) -> List[BenchmarkResult]:
        """Measures the configurations of a layer in turns; the fastest comes first. Those that fail are left out, and a
        warning says so. ``layer`` has ``in_features`` and ``bits`` (a number or several). Raises Error where nothing can
        run a kernel here, or every configuration failed."""
        return self._measure(layer, batch_size, configs, num_warmup, num_iter)[0]

    def benchmark_all(
        self,
        layers: Union[Mapping[str, Any], Sequence[Any]],
        batch_sizes: List[int],
        num_warmup: int = 5,
        num_iter: int = 20,
        verbose: bool = True,
    ) -> Dict[str, Dict[int, List[BenchmarkResult]]]:
        """Measures all layers at all batch sizes; the winners become rows of the look-up table. Layers of one width and
        one set of bits share a row: the configuration with the least time for all of them. A layer that cannot be
        measured is left out, and a warning says so."""
        named = dict(layers) if isinstance(layers, Mapping) else {f"layer_{i}": layer for i, layer in enumerate(layers)}
        results: Dict[str, Dict[int, List[BenchmarkResult]]] = {name: {} for name in named}
        measured: dict[Any, list[dict[KernelConfig, list[float]]]] = {}
        for name, layer in named.items():
            for batch_size in batch_sizes:
                try:
                    found, seconds = self._measure(layer, batch_size, None, num_warmup, num_iter)
                except ads.Error as error:
                    if error.code == "unsupported":
                        raise
                    log.warning("%s at batch size %d is left out: %s", name, batch_size, error)
                    continue
                results[name][batch_size] = found
                measured.setdefault(_key(batch_size, parts.width(layer), parts.bits_of(layer)), []).append(seconds)
                if verbose:
                    best = found[0]
                    print(f"{name} batch={batch_size}: {best.config.kernel_name} {best.config.tile_size_m}x"
                          f"{best.config.tile_size_n} simdgroups={best.config.simdgroups} {best.latency_ms:.4f} ms")
        for key, results_of_layers in measured.items():
            self._keep(key, results_of_layers)
        self._refresh()
        return results

    # --- choosing -------------------------------------------------------------------------------------------------

    def select_kernel(
        self,
        batch_size: int,
        hidden_dim: int,
        bit_widths: List[int],
        use_decode: bool = False,
        fallback_to_default: bool = True,
    ) -> Optional[KernelConfig]:
        """The row of the table: exact, of the nearest batch size, of the nearest width, with the same bits in any order.
        Without one the default for the least bit width, or None without ``fallback_to_default``. ``use_decode`` asks for
        a decode kernel where the default is taken."""
        key = _key(batch_size, hidden_dim, bit_widths)
        if not key[2]:
            raise ValueError("select_kernel needs at least one of bit_widths")
        found = self._row(key)
        if found is None and fallback_to_default:
            return self._default_config(batch_size, key[2], use_decode)
        return found

    def record_latency(
        self,
        kernel_name: str,
        batch_size: int,
        latency_ms: float,
        hidden_dim: Optional[int] = None,
        bit_widths: Optional[List[int]] = None,
    ) -> None:
        """One latency of a kernel. Without ``hidden_dim`` or ``bit_widths`` it counts for launches of which no more is
        known. Ignored while ``adaptation_enabled`` is false."""
        if not self.adaptation_enabled:
            return
        key = _key(batch_size, hidden_dim or 0, bit_widths or ())
        self.operation.record_latency(*key, variant=self._index_of(kernel_name, key), seconds=latency_ms * 1e-3)

    def adapt_selection(
        self,
        batch_size: int,
        hidden_dim: int,
        bit_widths: List[int],
        top_k: int = 3,
    ) -> Optional[KernelConfig]:
        """The kernel that the recorded latencies speak for: the one that is chosen without them, until another one is
        surely faster. Only the ``top_k`` fastest kernels with at least 5 results are considered. None where the
        latencies do not say enough."""
        if not self.adaptation_enabled or self.adaptation_history_len < _SAMPLES_MIN:
            return None
        key = _key(batch_size, hidden_dim, bit_widths)
        return self._adapted(key, top_k) or self._adapted(_key(batch_size, 0, ()), top_k)

    def clear_adaptation_history(self) -> None:
        """Forgets the recorded latencies. The table and what was benchmarked and exported stay."""
        self.operation.reset()

    def get_statistics(self) -> Dict[str, Any]:
        """What is known: the number of rows and of measured configurations, and of each kernel that has recorded
        latencies its number of results, mean and median in ms, and failures, by batch size, width and bits."""
        history: dict[str, Any] = {}
        for batch, hidden, bits in self._met():
            explanation = self.operation.explain(batch, hidden, bits)
            kernels = {
                self._config(c.name).kernel_name: {"count": c.count, "mean_ms": c.mean * 1e3, "median_ms": c.median * 1e3,
                                                   "failures": c.failures}
                for c in explanation.candidates if c.count or c.failures
            }
            if kernels:
                history[f"batch={batch} hidden={hidden} bits={'+'.join(bits)}"] = kernels
        rows = sum(rows for _, rows, refused in self._files.files if not refused) if self._files is not None else 0
        return {"device_name": self.device_name, "device_family": self.device_family, "lookup_entries": rows,
                "benchmark_count": self.benchmark_count, "adaptation_enabled": self.adaptation_enabled,
                "history": history}

    # --- files ----------------------------------------------------------------------------------------------------

    def export_config(self, path: Optional[Union[str, Path]] = None) -> str:
        """The configuration as JSON, with what was learned; also written to ``path``, or else to ``config_path``."""
        text = self._document()
        target = Path(path) if path is not None else self.config_path
        if target is not None:
            _race.write(target, text)
        return text

    @classmethod
    def load_config(cls, path: Union[str, Path]) -> MixedBPWAutoTuner:
        """A tuner with the configuration of a file. Raises FileNotFoundError, and Error for a file that cannot be used."""
        if not Path(path).exists():
            raise FileNotFoundError(f"{path}: there is no such configuration; export_config writes one")
        return cls(config_path=path)

    # --- the rest is private --------------------------------------------------------------------------------------

    def _measure(
        self, layer: Any, batch_size: int, configs: Sequence[KernelConfig] | None, num_warmup: int, num_iter: int
    ) -> tuple[list[BenchmarkResult], dict[KernelConfig, list[float]]]:
        launch = self._launch
        if launch is None:
            if not hasattr(layer, "launch"):
                raise ads.Error(
                    "there is nothing that runs a kernel of Metal Marlin on this machine", "benchmark_layer",
                    "give MixedBPWAutoTuner(launch=...), a function of the layer, the batch size and the configuration; "
                    "`adaptive autotune_mixed_bpw` tunes this library's own kernels", "unsupported")
            launch = _launch_of_the_layer
        bits = parts.bits_of(layer)
        key = _key(batch_size, parts.width(layer), bits)
        wanted = list(configs) if configs is not None else self._candidates(key)
        if not wanted:
            raise ads.Error("there are no configurations", "benchmark_layer", code="invalid_argument")

        def work(config: KernelConfig) -> Callable[[], object]:
            return lambda: launch(layer, batch_size, config)

        for config in wanted:
            for _ in range(max(0, num_warmup - 1)):  # the first run of each is never measured
                try:
                    launch(layer, batch_size, config)
                except Exception:
                    break  # the race says why
        variants = [self._variant(config) for config in wanted]
        try:
            tuning, _ = _race.race(_OPERATION, _DIMENSIONS, key, variants, [work(c) for c in wanted],
                                   device=self.selector.device, rounds=max(1, num_iter))
        except ValueError as error:
            raise ads.Error(str(error), "benchmark_layer", "see the kernels' own messages", "unavailable") from error
        size = parts.bytes_of(layer, bits)
        results, seconds = [], {}
        for config, trial in zip(wanted, tuning.trials):
            self.benchmark_count += 1
            if trial.error:
                log.warning("%s at batch size %d failed: %s", config, batch_size, trial.error)
                continue
            seconds[config] = trial.seconds
            results.append(BenchmarkResult(config, trial.median * 1e3, size / trial.median * 1e-9, size / 2**20, time.time()))
        results.sort(key=lambda result: result.latency_ms)
        return results, seconds

    def _keep(self, key: Any, layers: list[dict[KernelConfig, list[float]]]) -> None:
        """Makes the configuration that is the fastest for all layers of a key the key's row."""
        import statistics

        common = [config for config in layers[0] if all(config in part for part in layers)]
        if not common:
            log.warning("no configuration works for all layers of %s; it gets no row", key)
            return
        best = min(common, key=lambda config: sum(statistics.median(part[config]) for part in layers))
        with self._lock:
            indices = {config: self._index(config) for config in common}
            self._defaults[self._numbers(key)] = indices[best]
            self.operation.reset(*key)
        self.operation.pin(*key)
        for part in layers:
            for config in common:
                for seconds in part[config]:
                    self.operation.record_latency(*key, variant=indices[config], seconds=seconds)

    def _adapted(self, key: Any, top_k: int) -> KernelConfig | None:
        if key not in self._met():
            return None
        explanation = self.operation.explain(*key)
        judged = [c for c in explanation.candidates if c.available and c.count >= _SAMPLES_MIN]
        judged = sorted(judged, key=lambda c: c.location)[:max(1, top_k)]
        if not judged:
            return None
        used = next((c for c in explanation.candidates if c.name == explanation.incumbent), None)
        if used is None or used.count == 0:  # nobody runs it; the others are compared with each other
            first = judged[0]
            return self._config(first.name) if all(first.upper < other.lower for other in judged[1:]) else None
        if any(c.upper < used.lower for c in judged):
            return self._config(judged[0].name)
        return self._config(used.name) if any(c.name == used.name for c in judged) else None

    def _met(self) -> list[Any]:
        return self.operation.keys()

    def _row(self, key: Any) -> KernelConfig | None:
        with self._lock:
            if key in self._found:
                return self._found[key]
            found = None
            if self._files is not None:
                answer = self._files.look_up({"batch": str(key[0]), "hidden": str(key[1]), "bits": ",".join(key[2])},
                                             operation=_OPERATION, as_the_system=True)
                if answer["match"] != "default" and "kernel_name" in answer["parameters"]:
                    found = _config_of(answer["parameters"])
            if len(self._found) >= _FOUND_MAX:
                self._found.clear()
            self._found[key] = found
            return found

    def _default_config(self, batch_size: int, bits: Sequence[str], use_decode: bool) -> KernelConfig:
        least = min(bits, key=int)
        tile = int(parts.of_nearest(self.tile_size_mapping or parts.TILES, least))
        simdgroups = int(parts.of_nearest(self.simdgroup_mapping or parts.SIMDGROUPS, least))
        variant = "decode" if use_decode else parts.variant_for(batch_size)
        return KernelConfig(parts.kernel_name(bits, variant), tile, tile, simdgroups, False, variant)

    def _candidates(self, key: Any) -> list[KernelConfig]:
        batch, hidden, bits = key
        default = self.select_kernel(batch, hidden, [int(b) for b in bits])
        assert default is not None
        tiles = sorted({tile for b in bits for tile in parts.of_nearest(parts.CANDIDATE_TILES, b)})
        variants = dict.fromkeys([parts.variant_for(batch), "base"])
        made = [KernelConfig(parts.kernel_name(bits, variant), tile, tile, groups, hidden >= 1024, variant)
                for variant in variants for tile in tiles for groups in parts.CANDIDATE_SIMDGROUPS]
        return list(dict.fromkeys([default, *made]))

    def _variant(self, config: KernelConfig, name: str = "") -> ads.Variant:
        with self._lock:
            if config not in self._names:
                self._names[config] = name or (
                    f"{config.kernel_name}_m{config.tile_size_m}_n{config.tile_size_n}_g{config.simdgroups}"
                    f"{'_fp32' if config.use_fp32_acc else ''}_{config.kernel_variant}")
            return ads.Variant(self._names[config], parameters=asdict(config))

    def _config(self, name: str) -> KernelConfig:
        with self._lock:
            return next(config for config, own in self._names.items() if own == name)

    def _index(self, config: KernelConfig) -> int:
        with self._lock:
            variant = self._variant(config)
            names = self.operation.variants
            return names.index(variant.name) if variant.name in names else self.operation.add_variant(variant)

    def _index_of(self, kernel_name: str, key: Any) -> int:
        """The variant that a recorded name means for a key: the one that is chosen there if it has the name, else the
        first known one of that name."""
        with self._lock:
            chosen = None
            if key[2]:
                chosen = self._row(key) or self._default_config(key[0], key[2], kernel_name.endswith("_decode"))
                self._defaults.setdefault(self._numbers(key), self._index(chosen))
            if chosen is not None and chosen.kernel_name == kernel_name:
                return self._index(chosen)
            known = next((config for config in self._names if config.kernel_name == kernel_name), None)
            if known is None:
                like = self._default_config(key[0], key[2] or ("4",), False)
                kinds = ("decode", "prefill", "large_batch")
                known = KernelConfig(kernel_name, like.tile_size_m, like.tile_size_n, like.simdgroups, False,
                                     next((kind for kind in kinds if kernel_name.endswith(kind)), "base"))
            index = self._index(known)
            self._defaults.setdefault(self._numbers(key), index)
            return index

    @staticmethod
    def _numbers(key: Any) -> tuple[int, int, int]:
        """The key as the library hands it to functions: a set of labels is a number with one bit for each."""
        return key[0], key[1], sum(1 << _LABELS.index(bits) for bits in key[2])

    def _read(self, paths: Sequence[Path]) -> None:
        files = _core.ForeignFiles(paths, "metal-marlin") if paths else None
        with self._lock:
            self._files = files if files is not None and any(rows for _, rows, _ in files.files) else None
            self._found.clear()
        for path, _, refused in files.files if files is not None else []:
            if refused:
                raise ads.Error(refused, path, "export_config writes such files", "corrupt")

    def _document(self) -> str:
        document = json.loads(self._text) if self._text else {}
        document.update(
            device_name=self.device_name, device_family=self.device_family, tile_size_mapping=self.tile_size_mapping,
            simdgroup_mapping=self.simdgroup_mapping, adaptation_enabled=self.adaptation_enabled,
            adaptation_history_len=self.adaptation_history_len, benchmark_count=self.benchmark_count)
        order = ["device_name", "device_family", "tile_size_mapping", "simdgroup_mapping", "lookup_table"]
        document.setdefault("lookup_table", {})
        text = json.dumps({**{name: document[name] for name in order}, **document}, indent=2) + "\n"
        rows = _race.texts_of(self.selector, "metal-marlin")
        if not rows:
            return text
        (path,) = rows
        return _race.texts_of(self.selector, "metal-marlin", {path: text})[path]

    def _refresh(self) -> None:
        """Look-ups see what was benchmarked."""
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "autotune_mixed_bpw.json"
            path.write_text(self._document(), encoding="utf-8")
            self._read([path])


def _config_of(parameters: Mapping[str, Any]) -> KernelConfig:
    known = KernelConfig.__dataclass_fields__
    return KernelConfig(**{name: value for name, value in parameters.items() if name in known})


def _key(batch: int, hidden: int, bits: Iterable[int] | str) -> Any:
    # As files have them: "2,4" or "(2, 4)".
    labels = {str(int(b)) for b in (bits.strip("()[] ").split(",") if isinstance(bits, str) else bits)}
    unknown = sorted(labels - set(_LABELS))
    if unknown:
        raise ValueError(f"no kernel has weights of {', '.join(unknown)} bits; known: {', '.join(sorted(_LABELS, key=int))}")
    return int(batch), int(hidden), tuple(label for label in _LABELS if label in labels)


def _launch_of_the_layer(layer: Any, batch_size: int, config: KernelConfig) -> object:
    return layer.launch(batch_size, config)


__all__ = ["BenchmarkResult", "KernelConfig", "MixedBPWAutoTuner"]

if __name__ == "__main__":
    from adaptive_selector.compat._command import run_command

    sys.exit(run_command("autotune_mixed_bpw", *sys.argv[1:]))
