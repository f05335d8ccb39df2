"""A serving run: 28 shapes in random order, 1,000 launches each.

    python python/bench/triton_kernels serving [--policy NAME]... [--without-autotune]

`adaptive` starts from an empty cache of compiled kernels, the other runs find everything compiled. The truth that all are
judged by is the median latency of every tile for every shape, each launch amid launches of other shapes, as in the run: how
much of the operands is in the cache decides which tile is the fastest.
"""

from __future__ import annotations

import argparse
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
# Rounds of the truth: all tiles first, then those that may be the best.
ROUNDS_ALL = 5
ROUNDS_CLOSE = 80
CLOSE = 1.12
# So few launches that the queue of a stream is never full: three commands each, two batches at a time.
BATCH = 120
SLEEP_CYCLES = 14_000_000


def measured() -> dict[str, list[float]]:
    """The median latency in seconds of every tile for every shape, by the shape's text."""
    import torch
    import triton
    from matmul import CONSTANTS, SHAPES, TILES, Operands, grid, product

    kernel, operands = triton.jit(product), Operands()
    launches: dict[tuple[int, int], Any] = {}
    for number, shape in enumerate(SHAPES):
        args = operands.of(*shape)
        for index, config in enumerate(TILES):
            options = config.all_kwargs()
            try:
                compiled = kernel[grid](*args, **options)
            except triton.runtime.errors.OutOfResources:
                continue
            size = (*grid({"M": shape[0], "N": shape[1], **options}), 1, 1)[:3]
            constants = [options[name] for name in CONSTANTS]
            launches[number, index] = (compiled[size], (*args, *constants))
    times: dict[tuple[int, int], list[float]] = {pair: [] for pair in launches}
    order = random.Random(2)

    def measure(pairs: list[tuple[int, int]], rounds: int) -> None:
        """The GPU is never idle, as under load: how fast a busy GPU runs depends on what it has run."""
        before: list[Any] = []
        sequence = [pair for _ in range(rounds) for pair in order.sample(pairs, len(pairs))]
        torch.cuda._sleep(SLEEP_CYCLES)  # the host is ahead of the GPU from now on
        for at in range(0, len(sequence) + BATCH, BATCH):
            batch = []
            for pair in sequence[at : at + BATCH]:
                begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
                run, args = launches[pair]
                begin.record()
                run(*args)
                end.record()
                batch.append((pair, begin, end))
            for pair, begin, end in before:
                end.synchronize()
                times[pair].append(begin.elapsed_time(end) * 1e-3)
            before = batch

    measure(list(launches), ROUNDS_ALL)
    medians = {pair: statistics.median(values) for pair, values in times.items()}
    best = [min(m for (n, _), m in medians.items() if n == number) for number in range(len(SHAPES))]
    close = [pair for pair, median in medians.items() if median <= CLOSE * best[pair[0]]]
    for pair in close:
        times[pair].clear()
    measure(close, ROUNDS_CLOSE)
    truth = {str(shape): [float("inf")] * len(TILES) for shape in SHAPES}
    for (number, index), values in times.items():
        truth[str(SHAPES[number])][index] = statistics.median(values)
    return truth


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
        for shape in SHAPES:  # everything is compiled and loaded
            launch(shape)
    else:
        policy = os.environ.get("BENCH_POLICY")
        if policy:
            ads.triton.configure(selector=lambda ordinal: ads.Selector(tables=None, device=ordinal, policy=policy))
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
    compiled = 0.0
    begin = time.perf_counter()
    for number, shape in enumerate(calls[1:]):
        before = time.perf_counter()
        launch(shape)
        stalls.append(time.perf_counter() - before)
        if number % 200 == 199:
            torch.cuda.synchronize()  # as a server does that waits for its answers; the queue is never full
            if compiled == 0.0 and mode == "adaptive" and ads.triton.pending() == 0:
                compiled = time.perf_counter() - begin
    torch.cuda.synchronize()
    total = time.perf_counter() - begin
    stalls.sort()
    result: dict[str, Any] = {"first": first, "total": total, "longest": stalls[-1], "host": statistics.median(stalls),
                              "over_1_ms": sum(stall > 1e-3 for stall in stalls)}
    if mode != "fixed":
        kept = []
        for shape in SHAPES:
            launch(shape)
            kept.append(TILES.index(kernel.best_config))
        result["kept"] = kept
    if mode == "adaptive":
        selector = ads.triton.selector()
        selector.drain()
        operation = selector.find("matmul.product.fp16.fp16.fp16")
        assert operation is not None
        names = [",".join(f"{name}={value}" for name, value in tile.all_kwargs().items()) for tile in TILES]
        result["leaders"] = [names.index(operation.explain(*shape, 0).leader) for shape in SHAPES]
        result["timer"] = selector.timer_counters
        result["keys"] = [[(c.calls, c.count, c.location) for c in operation.explain(*shape, 0).candidates] for shape in SHAPES]
        result["names"] = [[c.name for c in operation.explain(*shape, 0).candidates] for shape in SHAPES]
        result["compiled"] = compiled
        while ads.triton.pending():
            time.sleep(0.1)
    return result


def _in_process(mode: str, cache: str, **environment: str) -> Any:
    done = subprocess.run(
        [sys.executable, str(Path(__file__)), mode], capture_output=True, text=True,
        env={**os.environ, "TRITON_CACHE_DIR": cache, **environment},
    )
    if done.returncode != 0:
        sys.exit(f"{mode}: {done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main(arguments: list[str] = []) -> None:
    parser = argparse.ArgumentParser(prog="serving")
    parser.add_argument("--policy", action="append", help="a policy beside that of adaptive_selector.triton")
    parser.add_argument("--json", help="a file for what was measured")
    parser.add_argument("--without-autotune", action="store_true", help="leaves out what takes minutes")
    options = parser.parse_args(arguments)
    policies = ["", *(options.policy or [])]
    with tempfile.TemporaryDirectory() as folder:
        cold = {policy: _in_process("adaptive", f"{folder}/{policy or 'default'}", BENCH_POLICY=policy) for policy in policies}
        cache = f"{folder}/default"
        truth: dict[str, list[float]] = _in_process("measured", cache)
        best = [min(range(len(tiles)), key=lambda i: tiles[i]) for tiles in truth.values()]
        fixed = [_in_process("fixed", cache, BENCH_BEST=json.dumps(best))["total"]]
        warm = {policy: _in_process("adaptive", cache, BENCH_POLICY=policy) for policy in policies}
        fixed.append(_in_process("fixed", cache, BENCH_BEST=json.dumps(best))["total"])
        kernel_time = sum(min(tiles) for tiles in truth.values()) * LAUNCHES
        print(f"{len(truth)} shapes, {LAUNCHES} launches each; the kernels of the best tiles take {kernel_time:.2f} s, "
              f"runs with these tiles from the start {fixed[0]:.3f} and {fixed[1]:.3f} s")

        def over(tiles: list[int]) -> str:
            more = [times[index] / min(times) - 1 for times, index in zip(truth.values(), tiles)]
            return f"{statistics.mean(more) * 100:.2f} % over the best, worst shape {max(more) * 100:.2f} %"

        def show(name: str, result: dict[str, Any]) -> None:
            print(f"{name}: first call {result['first']:.2f} s; the others {result['total']:.3f} s, "
                  f"{(result['total'] / statistics.mean(fixed) - 1) * 100:+.2f} % over the fixed run; longest call "
                  f"{result['longest'] * 1e3:.1f} ms, {result['over_1_ms']} over 1 ms, median of the host "
                  f"{result['host'] * 1e6:.1f} us\n  kept choice {over(result['kept'])}", flush=True)
            if "leaders" in result:
                print(f"  leaders {over(result['leaders'])}; everything compiled after {result['compiled']:.2f} s\n"
                      f"  {result['timer']}", flush=True)

        if options.json:
            with open(options.json, "w") as file:
                json.dump({"truth": truth, "fixed": fixed, "cold": cold, "warm": warm}, file)
        for policy in policies:
            show(f"adaptive{policy and ' '}{policy}, from an empty cache", cold[policy])
            show(f"adaptive{policy and ' '}{policy}, everything compiled", warm[policy])
        if not options.without_autotune:
            show("triton.autotune, everything compiled", _in_process("autotune", cache))


if __name__ == "__main__":
    print(json.dumps(measured() if sys.argv[1] == "measured" else run(sys.argv[1])))
