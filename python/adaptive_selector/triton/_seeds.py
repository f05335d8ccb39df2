"""Triton's own files of timings, which `cache_results=True` has written, as starting points."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triton import knobs
from triton.runtime.autotuner import Config
from triton.runtime.cache import triton_key
from triton.runtime.driver import driver
from triton.runtime.jit import JITFunction

import adaptive_selector as ads

from ._operation import variants_of
from ._settings import log

# Triton's benchmark repeats a launch for this long by default, in milliseconds.
_BENCHMARK_MS = 100.0


def table_of(
    operation: ads.Operation, values: Sequence[int], configs: Sequence[Any], timings: Sequence[tuple[dict[str, Any], Any]]
) -> dict[str, Any] | None:
    """A table of one key. The timings are quantiles in milliseconds: the median, 20 % and 80 %; None without one."""
    names = operation.variants
    variants: dict[str, Any] = {}
    for fields, quantiles in timings:
        median, low, high = [float(value) for value in (*quantiles, *[quantiles[0]] * 2)][:3] if quantiles else [math.inf] * 3
        config = Config(**fields)
        if config not in configs or not math.isfinite(median) or median <= 0:
            continue
        # Between these quantiles lie 1.683 standard deviations of a normal distribution.
        deviation = max(0.0, high - low) / 1.683 * 1e6 if math.isfinite(high - low) else 0.0
        count = max(1, min(1000, int(_BENCHMARK_MS / median)))
        nanoseconds = median * 1e6
        variants[names[list(configs).index(config)]] = {
            "count": count, "mean_ns": nanoseconds, "variance_ns2": deviation**2 if count > 1 else 0.0,
            "location_ns": nanoseconds,
        }
    if not variants:
        return None
    key: dict[str, Any] = {d.name: value for d, value in zip(operation.dimensions, values)}
    labels = operation.dimensions[-1]
    key[labels.name] = labels.labels[0]
    device = operation.selector.device
    variant_parameters = {name: variant["parameters"] for name, variant in _parameters(configs).items() if name in variants}
    return {
        "schema": "adaptive-table",
        "version": 2,
        "tool": "triton",
        "fingerprint": {"device": device.device, "driver": device.driver, "toolkit": device.toolkit,
                        "libraries": dict(device.libraries)},
        "operations": {operation.name: {
            "dimensions": [{"name": d.name, "kind": d.kind, **({"labels": list(d.labels)} if d.labels else {})}
                           for d in operation.dimensions],
            "variants": variant_parameters,
            "entries": [{"key": key, "incumbent": min(variants, key=lambda name: variants[name]["location_ns"]),
                         "origin": "imported", "variants": variants}],
        }},
    }


def _parameters(configs: Sequence[Any]) -> dict[str, Any]:
    return {variant["name"]: variant for variant in variants_of(configs)}


class Seeds:
    """The files of one kernel. A key is looked for once, which takes some microseconds."""

    def __init__(self, jit: JITFunction[Any], configs: Sequence[Any]) -> None:
        self._jit = jit
        self._configs = configs
        # A file is named after the configurations, but hooks cannot be told from a file.
        self._names = None if any(config.pre_hook for config in configs) else [str(config) for config in configs]
        self._head: list[str] | None = None

    def find(self, indices: Sequence[int], key: tuple[Any, ...]) -> Path | None:
        """The file of a key and of the configurations that pruning leaves, as Autotuner.check_disk_cache names it."""
        if not key or self._names is None:
            return None
        if self._head is None:
            from triton._C.libtriton import get_cache_invalidating_env_vars
            from triton.compiler.compiler import make_backend

            self._head = [
                triton_key(),
                make_backend(driver.active.get_current_target()).hash(),
                self._jit.cache_key,
                str(sorted(get_cache_invalidating_env_vars().items())),
            ]
        parts = [*self._head, str(key), *(self._names[index] for index in indices)]
        # What get_cache_manager does, but without making a folder for each key.
        folder = base64.b32encode(hashlib.sha256("-".join(parts).encode()).digest()).decode().rstrip("=")
        path = Path(knobs.cache.dir, folder, f"{self._jit.__name__[:150]}.autotune.json")
        return path if path.exists() else None

    def load(self, operation: ads.Operation, indices: Sequence[int], key: tuple[Any, ...], values: Sequence[int]) -> bool:
        """Takes what Triton has measured for a key before the key has a state. A file that cannot be used is passed
        over."""
        try:
            path = self.find(indices, key)
            if path is None:
                return False
            table = table_of(operation, values, self._configs, json.loads(path.read_text())["configs_timings"])
            if table is None:
                return False
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                json.dump(table, file)
                file.flush()
                operation.selector.load(file.name)
            return True
        except Exception as error:
            log.warning("%s: Triton's timings of %s are not used: %s", self._jit.__name__, key, error)
            return False
