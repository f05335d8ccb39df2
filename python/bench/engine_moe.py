"""vLLM's fused experts with and without the plugin, over one trace of token counts. Needs a GPU, PyTorch, and the files that
python/tests/engines/engine_trees.py fetches.

    ADAPTIVE_ENGINE_TREES=FOLDER python python/bench/engine_moe.py [--launches 20000] [--json FILE]

Prints for every token count the latency of what the plugin chose, of the best configuration of its search space, of the row
of vLLM's shipped file, and of vLLM's default; and the longest launches of the trace on the host.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import json
import os
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch
import triton

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "engines"))

from engine_trees import tree  # noqa: E402
from vllm_on_gpu import QWEN3_30B, Vllm, vllm_files  # noqa: E402

import adaptive_selector as ads  # noqa: E402
from adaptive_selector import engines  # noqa: E402
from adaptive_selector.engines import _space  # noqa: E402

#: Decode steps of up to 256 sequences and chunks of prompts.
COUNTS = [1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024, 1500, 2048, 4096]


def trace(launches: int) -> list[int]:
    """Token counts as a server meets them: runs of one batch size that drifts, with chunks of prompts in between."""
    draw = random.Random(1)
    found: list[int] = []
    place = 6
    while len(found) < launches:
        place = max(0, min(12, place + draw.choice((-1, 0, 1))))
        found += [COUNTS[place]] * draw.randint(10, 60)
        if draw.random() < 0.3:
            found += [draw.choice(COUNTS[13:])] * draw.randint(1, 8)
    return found[:launches]


def graph_of(vllm: Vllm, m: int, config: dict[str, Any], repeats: int) -> torch.cuda.CUDAGraph:
    """``repeats`` launches with one configuration, without the plugin's choice and without the host."""
    vllm.fixed = config
    vllm.run(m)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(repeats):
            vllm.run(m)
    vllm.fixed = None
    return graph


def latencies(vllm: Vllm, m: int, configs: list[dict[str, Any]], rounds: int = 15, repeats: int = 5) -> list[float]:
    """Median latency of each configuration in microseconds, all measured in turns."""
    graphs = [graph_of(vllm, m, config, repeats) for config in configs]
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    found: list[list[float]] = [[] for _ in graphs]
    for number in range(rounds):
        order = list(range(len(graphs)))
        for index in order if number % 2 == 0 else reversed(order):
            begin.record()
            graphs[index].replay()
            end.record()
            end.synchronize()
            found[index].append(begin.elapsed_time(end) * 1e3 / repeats)
    return [statistics.median(values[2:]) for values in found]


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--launches", type=int, default=20_000)
    arguments.add_argument("--json", type=Path)
    options = arguments.parse_args()
    folder = tree("vllm")
    if folder is None:
        sys.exit("set ADAPTIVE_ENGINE_TREES to a folder with the files of vLLM")
    os.environ["ADAPTIVE_ENGINES"] = "untested"
    ads.triton.configure(selector=lambda ordinal: ads.Selector(tables=None, device=ordinal, seed=1))
    print(f"{datetime.date.today()}, {torch.cuda.get_device_name()}, PyTorch {torch.__version__}, Triton {triton.__version__}, "
          f"{QWEN3_30B}")
    with vllm_files(folder):
        import importlib.metadata

        importlib.metadata.version = lambda name: engines.TESTED["vllm"][0]  # type: ignore[assignment]
        engines.vllm()
        vllm = Vllm(QWEN3_30B)
        vllm.prepare(COUNTS)
        run(vllm, options.launches, options.json)


def run(vllm: Vllm, launches: int, file: Path | None) -> None:
    from adaptive_selector.engines._vllm import engine

    vllm.whole = False
    counts = trace(launches)
    gc.collect()
    gc.freeze()  # as vLLM's server does once it has started; a collection of everything takes 0.1 s
    first: dict[int, float] = {}
    later: list[float] = []
    stalls: list[str] = []
    began = time.perf_counter()
    for number, m in enumerate(counts):
        start = time.perf_counter()
        vllm.run(m)
        took = time.perf_counter() - start
        if m in first:
            later.append(took)
            if took > 5e-3:
                stalls.append(f"{took * 1e3:.1f} ms at launch {number} (m={m}, {start - began:.1f} s)")
        else:
            first[m] = took
        if number % 64 == 0:
            torch.cuda.synchronize()  # a server waits for its results as well
    torch.cuda.synchronize()
    took = time.perf_counter() - began
    ads.triton.selector().drain()
    later.sort()
    print(f"{launches} launches in {took:.2f} s; first launch of a count at most {max(first.values()) * 1e3:.0f} ms; later ones: "
          f"median {statistics.median(later) * 1e6:.0f} us, 99.9 % {later[int(0.999 * len(later))] * 1e3:.2f} ms, "
          f"longest {later[-1] * 1e3:.1f} ms, {sum(t > 0.05 for t in later)} above 50 ms")
    print(f"later ones above 5 ms: {'; '.join(stalls) or 'none'}")
    print(f"configurations that wait for a compiler: {ads.triton.pending()}; the plugin is {engine.off or 'on'}")
    learned = ads.triton.selector().find("fused_moe").counters
    print(f"{learned.keys} keys: {learned.results} results, {learned.explored} launches of others than the leader, "
          f"{learned.promotions} promotions, {learned.demotions} demotions")
    print(f"timer: {ads.triton.selector().timer_counters}")
    operation = ads.triton.selector().find("fused_moe")
    results = {key[0]: sum(candidate.count for candidate in operation.explain(*key).candidates) for key in operation.keys()}
    print("results by number of tokens: " + ", ".join(f"{m} {results[m]}" for m in sorted(results, key=int)))
    end = time.monotonic() + 300.0
    while ads.triton.pending() and time.monotonic() < end:
        time.sleep(0.1)

    rows = []
    print(f"{'tokens':>7} {'launches':>8} {'chosen us':>10} {'best us':>9} {'chosen':>8} {'shipped':>8} {'default':>8}"
          "  configuration")
    (choices,) = engine._choices.values()
    for m in sorted(first):
        (bound,) = [bound for problem, bound in choices._bound.items() if problem.m == m]
        chosen = choices._configs[bound.site.variant()]
        space = [choices._configs[index] for index in bound.indices if not bound.kernels.failed(index)]
        shipped, default = vllm.shipped(m), vllm.default(m)
        configs = {_space.name_of(config): config for config in [*space, chosen, default, *([shipped] if shipped else [])]}
        measured = dict(zip(configs, latencies(vllm, m, list(configs.values()))))
        best = min(measured[_space.name_of(config)] for config in space)

        def above(config: dict[str, Any] | None) -> float | None:
            return None if config is None else 100.0 * (measured[_space.name_of(config)] / best - 1.0)

        row = {"tokens": m, "launches": counts.count(m), "chosen_us": measured[_space.name_of(chosen)], "best_us": best,
               "chosen_percent": above(chosen), "shipped_percent": above(shipped), "default_percent": above(default),
               "configuration": _space.name_of(chosen)}
        rows.append(row)
        shown = [f"{value:+7.2f}%" if value is not None else "       -" for value in
                 (row["chosen_percent"], row["shipped_percent"], row["default_percent"])]
        print(f"{m:7} {row['launches']:8} {row['chosen_us']:10.1f} {best:9.1f} {' '.join(shown)}  {row['configuration']}",
              flush=True)
    for name in ("chosen", "shipped", "default"):
        known = [row for row in rows if row[f"{name}_percent"] is not None]
        total = sum(row["launches"] * row["best_us"] for row in known)
        extra = sum(row["launches"] * row["best_us"] * row[f"{name}_percent"] / 100.0 for row in known)
        if known:
            print(f"{name}: {100.0 * extra / total:+.2f} % above the best over the trace, "
                  f"{statistics.mean(row[f'{name}_percent'] for row in known):+.2f} % on average over counts")
    if file is not None:
        file.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
