"""Triton's own files of timings, which `cache_results=True` has written, as starting points."""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triton.runtime.autotuner import Autotuner, Config
from triton.runtime.cache import get_cache_manager, triton_key
from triton.runtime.driver import driver
from triton.runtime.jit import JITFunction

import adaptive_selector as ads

from ._operation import variants_of
from ._settings import log

# Triton's benchmark repeats a launch for this long by default, in milliseconds.
_BENCHMARK_MS = 100.0


def find(jit: JITFunction[Any], key: tuple[Any, ...], pruned: Sequence[Any]) -> Path | None:
    """The file of a key, as Autotuner.check_disk_cache names it."""
    if not key or any(config.pre_hook for config in pruned):
        return None
    from triton._C.libtriton import get_cache_invalidating_env_vars
    from triton.compiler.compiler import make_backend

    parts = [
        triton_key(),
        make_backend(driver.active.get_current_target()).hash(),
        jit.cache_key,
        str(sorted(get_cache_invalidating_env_vars().items())),
        str(key),
    ] + [str(config) for config in pruned]
    manager = get_cache_manager(hashlib.sha256("-".join(parts).encode("utf-8")).hexdigest())
    path = manager.get_file(f"{jit.__name__[:150]}.autotune.json")
    return Path(path) if path else None


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


def seed_from_triton(tuner: Autotuner, jit: JITFunction[Any], operation: ads.Operation, pruned: Sequence[Any],
                     configs: Sequence[Any], key: tuple[Any, ...], values: Sequence[int]) -> bool:
    """Takes what Triton has measured for a key before the key has a state. A file that cannot be used is passed over."""
    try:
        path = find(jit, key, pruned)
        if path is None:
            return False
        table = table_of(operation, values, configs, json.loads(path.read_text())["configs_timings"])
        if table is None:
            return False
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(table, file)
            file.flush()
            operation.selector.load(file.name)
        return True
    except Exception as error:
        log.warning("%s: Triton's timings of %s are not used: %s", jit.__name__, key, error)
        return False
