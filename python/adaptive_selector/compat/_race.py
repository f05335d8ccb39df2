"""A race between the variants of one key, and the file of another system that its winner becomes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import adaptive_selector as ads
from adaptive_selector._core import foreign_texts
from adaptive_selector._types import DimensionLike


def race(
    operation: str,
    dimensions: Sequence[DimensionLike],
    key: Sequence[Any],
    variants: Sequence[ads.Variant],
    functions: Sequence[Callable[[], object]],
    *,
    device: ads.Fingerprint | str,
    rounds: int,
    sync: Callable[[object], object] | None = None,
) -> tuple[ads.Tuning, ads.Operation]:
    """Measures in turns (`ads.tune`). Returns the results, and an operation that knows them and whose default is the
    winner, so that a saved table names the winner even where others are as good. Raises ValueError if all fail."""
    scratch = _define(operation, dimensions, variants, device)
    tuning = ads.tune(scratch, key, functions, rounds=rounds, sync=sync)
    order = sorted(range(len(variants)), key=lambda i: (tuning.trials[i].dropped, tuning.trials[i].median))
    kept = [i for i in order if not tuning.trials[i].error]
    known = _define(operation, dimensions, [variants[i] for i in kept], device)
    known.pin(*key)
    for index, i in enumerate(kept):
        for seconds in tuning.trials[i].seconds:
            known.record_latency(*key, variant=index, seconds=seconds)
    return tuning, known


def _define(operation: str, dimensions: Sequence[DimensionLike], variants: Sequence[ads.Variant],
            device: ads.Fingerprint | str) -> ads.Operation:
    selector = ads.Selector(tables=None, device=device, background=False, use_environment=False, log=lambda level, line: None)
    return selector.define(operation, dimensions, variants)


def texts_of(selector: ads.Selector, system: str, existing: Mapping[str, str] | None = None) -> dict[str, str]:
    """The files of another system for what a selector knows, by path."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.json"
        selector.save(table)
        return foreign_texts(table, system, dict(existing or {}))


def write(path: Path, text: str) -> None:
    """Replaces a file as a whole: whoever reads it finds the old text or the new one."""
    import os

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
