"""A serving run: 28 shapes in random order, 1,000 launches each, from an empty cache of compiled kernels."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

LAUNCHES = 1000


def measured() -> dict[str, list[float]]:
    """The median latency in seconds of every tile for every shape: the truth that both tuners are judged by."""
    import torch
    import triton
    from matmul import SHAPES, TILES, Operands, grid, product

    kernel, operands = triton.jit(product), Operands()
    truth: dict[str, list[list[float]]] = {str(shape): [[] for _ in TILES] for shape in SHAPES}
    # In turns: what disturbs the machine for a while disturbs all tiles alike.
    for turn in range(8):
        for shape in SHAPES:
            args = operands.of(*shape)
            for index, config in enumerate(TILES):
                try:
                    if turn == 0:
                        kernel[grid](*args, **config.all_kwargs())
                    events = [torch.cuda.Event(enable_timing=True) for _ in range(6)]
                    for event in events:
                        event.record()
                        kernel[grid](*args, **config.all_kwargs())
                    torch.cuda.synchronize()
                    truth[str(shape)][index].extend(a.elapsed_time(b) * 1e-3 for a, b in zip(events[1:], events[2:]))
                except triton.runtime.errors.OutOfResources:
                    truth[str(shape)][index].append(float("inf"))
    return {shape: [statistics.median(times) for times in tiles] for shape, tiles in truth.items()}


def run(mode: str) -> dict[str, Any]:
    """One serving run in this process: 'adaptive', 'autotune', or 'fixed' with the best tiles of a file."""
    import torch
    import triton
    from matmul import SHAPES, TILES, Operands, grid, product

    import adaptive_selector as ads

    made = Operands()
    operands = {shape: made.of(*shape) for shape in SHAPES}
    kernel: Any
    if mode == "fixed":
        best = {shape: TILES[index].all_kwargs() for shape, index in
                zip(SHAPES, json.loads(os.environ["BENCH_BEST"]))}
        plain = triton.jit(product)
        launch = lambda shape: plain[grid](*operands[shape], **best[shape])  # noqa: E731
    else:
        tuner = ads.triton.autotune if mode == "adaptive" else triton.autotune
        kernel = tuner(configs=TILES, key=["M", "N", "K"])(triton.jit(product))
        launch = lambda shape: kernel[grid](*operands[shape])  # noqa: E731
    calls = [shape for shape in SHAPES for _ in range(LAUNCHES)]
    random.Random(1).shuffle(calls)
    torch.cuda.synchronize()
    begin = time.perf_counter()
    launch(calls[0])
    torch.cuda.synchronize()
    first = time.perf_counter() - begin
    stalls = []
    begin = time.perf_counter()
    for number, shape in enumerate(calls[1:]):
        before = time.perf_counter()
        launch(shape)
        stalls.append(time.perf_counter() - before)
        if number % 200 == 199:
            torch.cuda.synchronize()  # as a server does that waits for its answers; the queue is never full
    torch.cuda.synchronize()
    total = time.perf_counter() - begin
    result: dict[str, Any] = {"first": first, "total": total, "longest": max(stalls)}
    if mode != "fixed":
        kept = []
        for shape in SHAPES:
            launch(shape)
            kept.append(TILES.index(kernel.best_config))
        result["kept"] = kept
    if mode == "adaptive":
        selector = ads.triton.selector()
        selector.drain()
        result["timer"] = selector.timer_counters
    return result


def _in_process(mode: str, cache: str, **environment: str) -> Any:
    done = subprocess.run(
        [sys.executable, str(Path(__file__)), mode], capture_output=True, text=True,
        env={**os.environ, "TRITON_CACHE_DIR": cache, **environment},
    )
    if done.returncode != 0:
        sys.exit(f"{mode}: {done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        truth: dict[str, list[float]] = _in_process("measured", f"{folder}/truth")
        best = [min(range(len(tiles)), key=lambda i: tiles[i]) for tiles in truth.values()]
        fixed = _in_process("fixed", f"{folder}/truth", BENCH_BEST=json.dumps(best))
        kernel_time = sum(min(tiles) for tiles in truth.values()) * LAUNCHES
        print(f"{len(truth)} shapes, {LAUNCHES} launches each; the kernels of the best tiles take {kernel_time:.2f} s, "
              f"a run with these tiles from the start {fixed['total']:.2f} s")
        for mode, cache in (("autotune", "a"), ("adaptive", "b"), ("adaptive, everything compiled", "b"),
                            ("autotune, everything compiled", "a")):
            result = _in_process(mode.partition(",")[0], f"{folder}/{cache}")
            over = [tiles[index] / min(tiles) - 1 for tiles, index in zip(truth.values(), result["kept"])]
            print(f"{mode}: first call {result['first']:.2f} s; the others {result['total']:.2f} s, "
                  f"{(result['total'] / fixed['total'] - 1) * 100:+.2f} % over the fixed run; longest call "
                  f"{result['longest'] * 1e3:.1f} ms; kept choice {statistics.mean(over) * 100:.2f} % over the best, worst shape "
                  f"{max(over) * 100:.2f} %")
            if "timer" in result:
                print(f"  {result['timer']}")


if __name__ == "__main__":
    print(json.dumps(measured() if sys.argv[1] == "measured" else run(sys.argv[1])))
