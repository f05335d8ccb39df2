"""Measuring the variants of one key beforehand, for callables of any framework."""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from ._core import LearningOptions, Operation
from ._isolation import Child, Failed

# Rounds before a variant is dropped: with fewer, the spread of its ratios is hardly known.
_ROUNDS_MIN = 5
# A variant is dropped where it is this many standard errors slower than the best by more than a tie. Every round looks
# again at every variant, so the bound is far above that of a single look.
_ERRORS = 4.0


class Trial:
    """What was measured of one variant. ``seconds`` are its latencies; ``error`` says why it has none."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seconds: list[float] = []
        self.error = ""
        self.dropped = False

    @property
    def median(self) -> float:
        """Median latency in seconds; infinity without one."""
        return statistics.median(self.seconds) if self.seconds else math.inf

    def __repr__(self) -> str:
        return f"Trial({self.name!r}, {self.error or f'{len(self.seconds)} results'})"


class Tuning:
    """What :func:`tune` found: ``trials`` in the order of the operation's variants. Printed, it is for people."""

    def __init__(self, operation: str, key: tuple[Any, ...], trials: Sequence[Trial]) -> None:
        self.operation = operation
        self.key = key
        self.trials = list(trials)

    @property
    def best(self) -> Trial:
        """The trial with the least median among those that were not dropped."""
        return min((t for t in self.trials if not t.dropped), key=lambda t: t.median)

    def __str__(self) -> str:
        best = self.best
        lines = [f"{self.operation} {self.key}: {best.name}"]
        for trial in sorted(self.trials, key=lambda t: t.median):
            if trial.error:
                lines.append(f"  {trial.name:24} failed: {trial.error}")
            else:
                times = trial.median / best.median
                lines.append(f"  {trial.name:24} {trial.median * 1e6:12.3f} us  {times:7.3f} times  {len(trial.seconds)} results")
        return "\n".join(lines)


def tune(
    operation: Operation,
    key: Sequence[Any],
    variants: Mapping[str, Callable[[], object]] | Sequence[Callable[[], object]],
    *,
    run: Callable[[Callable[[], object]], object] | None = None,
    sync: Callable[[object], object] | None = None,
    rounds: int = 50,
    indifference: float = LearningOptions().indifference,
    log: str | PathLike[str] | None = None,
    isolate: bool = False,
    timeout: float | None = None,
) -> Tuning:
    """Measures the variants of one key in turns, until one is surely the fastest or ``rounds`` are over.

    operation, key: where the latencies are recorded, so that ``operation.selector.save`` writes them to a table.
    variants: a function for each variant of the operation, by name or in its order. Its first call, in which a framework
    compiles, is not measured. One that raises an Exception is left out and reported as failed.
    run: called as ``run(function)`` to do the work once; the default calls the function.
    sync: called with what ``run`` returned; comes back when the work is done, as ``jax.block_until_ready`` or
    ``lambda _: torch.cuda.synchronize()`` do. Without it the work must be done when ``run`` returns.
    indifference: variants whose latencies differ by less than this share are a tie.
    log: a file with one line of JSON for each round. A run that was interrupted goes on with what it holds.
    isolate: each variant works in a child process of its own, so that one that crashes or hangs is reported as failed and
    the others go on. The processes are forked: what the functions need must not have been used before by this process
    where it does not survive a fork, as CUDA does not.
    timeout: with ``isolate``, the seconds that one run of a variant may take, the first one included.

    Raises ValueError where a variant of the operation has no function, every variant failed, or there is a timeout
    without isolation.
    """
    if timeout is not None and not isolate:
        raise ValueError("timeout needs isolate=True: nothing else can end a function that hangs")
    names = operation.variants
    functions = list(variants.values()) if isinstance(variants, Mapping) else list(variants)
    if isinstance(variants, Mapping):
        if set(variants) != set(names):
            raise ValueError(f"variants are {sorted(variants)}; the operation has {sorted(names)}")
        functions = [variants[name] for name in names]
    elif len(functions) != len(names):
        raise ValueError(f"there are {len(functions)} functions for {len(names)} variants")

    trials = [Trial(name) for name in names]
    path = Path(log) if log is not None else None
    for line in _earlier(path, operation.name, key):
        for trial in trials:
            if trial.name in line:
                trial.seconds.append(line[trial.name])

    def once(function: Callable[[], object]) -> float:
        begin = time.perf_counter()
        result = run(function) if run is not None else function()
        if sync is not None:
            sync(result)
        return time.perf_counter() - begin

    def measure_with(function: Callable[[], object]) -> Callable[[], float]:
        return lambda: once(function)

    measures = [measure_with(function) for function in functions]
    children: list[Child] = []
    if isolate:
        children = [Child(measure, timeout) for measure in measures]
        measures = list(children)
    try:
        _race(operation.name, key, trials, measures, rounds, indifference, path)
    finally:
        for child in children:
            child.close()

    if all(trial.dropped for trial in trials):
        raise ValueError(f"{operation.name}: every variant failed: {trials[0].error}")
    operation.pin(*key)  # the key gets its state
    for index, trial in enumerate(trials):
        if not trial.error:
            for seconds in trial.seconds:
                operation.record_latency(*key, variant=index, seconds=seconds)
    return Tuning(operation.name, tuple(key), trials)


def _race(name: str, key: Sequence[Any], trials: Sequence[Trial], measures: Sequence[Callable[[], float]], rounds: int,
          indifference: float, path: Path | None) -> None:
    """Rounds in which every variant that is left is measured once."""

    def failed(trial: Trial, error: Exception) -> None:
        trial.error = str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}"
        trial.dropped = True

    for trial, measure in zip(trials, measures):
        try:
            measure()
        except Exception as error:
            failed(trial, error)
    _drop_slow(trials, indifference)

    # An even round goes forwards, an odd one backwards, so that nobody always runs after the same variant.
    done = max(len(trial.seconds) for trial in trials)
    for number in range(done, rounds):
        running = [pair for pair in zip(trials, measures) if not pair[0].dropped]
        if not running:
            return
        if len(running) == 1 and number >= _ROUNDS_MIN:
            break
        results: dict[str, float] = {}
        for trial, measure in running if number % 2 == 0 else reversed(running):
            try:
                results[trial.name] = measure()
            except Exception as error:
                failed(trial, error)
                continue
            trial.seconds.append(results[trial.name])
        if path is not None:
            with path.open("a") as file:
                file.write(json.dumps({"operation": name, "key": list(key), "seconds": results}) + "\n")
        _drop_slow(trials, indifference)


def _earlier(path: Path | None, operation: str, key: Sequence[Any]) -> Iterable[dict[str, float]]:
    """The rounds of an interrupted run. A line that was cut off is left out."""
    if path is None or not path.exists():
        return
    for text in path.read_text().splitlines():
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            continue
        if line.get("operation") == operation and line.get("key") == list(key):
            yield line["seconds"]


def _drop_slow(trials: Sequence[Trial], indifference: float) -> None:
    """Drops what is surely slower than the best by more than a tie. Latencies of one round are compared with each other,
    so that what disturbs a whole round disturbs no comparison."""
    running = [trial for trial in trials if not trial.dropped]
    if not running:
        return
    best = min(running, key=lambda trial: trial.median)
    for trial in running:
        count = min(len(trial.seconds), len(best.seconds))
        if trial is best or count < _ROUNDS_MIN:
            continue
        ratios = [math.log(a / b) for a, b in zip(trial.seconds[:count], best.seconds[:count]) if a > 0 and b > 0]
        if len(ratios) < _ROUNDS_MIN:
            continue
        # The median of ratios does not mind a few disturbed rounds; its standard error is 1.25 times a mean's, whose
        # deviation is taken from the median of the distances.
        middle = statistics.median(ratios)
        spread = 1.4826 * statistics.median(abs(ratio - middle) for ratio in ratios)
        error = 1.25 * max(spread, 1e-3) / math.sqrt(len(ratios))
        if middle - _ERRORS * error > math.log1p(indifference):
            trial.dropped = True
