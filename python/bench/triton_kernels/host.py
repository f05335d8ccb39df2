"""Host time of a launch, measured in turns."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
import triton
from matmul import CONSTANTS, TILES, Operands, grid, product

import adaptive_selector as ads

SHAPE = (64, 4096, 4096)


def host_us(call: Callable[[], object], launches: int = 500) -> float:
    """Microseconds of the host per launch; the queue of the stream is never full."""
    torch.cuda.synchronize()
    begin = time.perf_counter()
    for _ in range(launches):
        call()
    elapsed = time.perf_counter() - begin
    torch.cuda.synchronize()
    return elapsed / launches * 1e6


def main(arguments: list[str] = []) -> None:
    args = Operands().of(*SHAPE)
    config = TILES[12]
    options = config.all_kwargs()
    jit = triton.jit(product)
    compiled = jit[grid](*args, **options)
    size = (*grid({"M": SHAPE[0], "N": SHAPE[1], **options}), 1, 1)[:3]
    constants = [config.kwargs[name] for name in CONSTANTS]
    bound = compiled[size]
    stream = torch.cuda.current_stream().cuda_stream
    bare = (*size, stream, compiled.function, compiled.packed_metadata, None, None, None, *args, *constants)
    adaptive = ads.triton.autotune(configs=TILES, key=["M", "N", "K"])(triton.jit(product))
    tuned = triton.autotune(configs=TILES, key=["M", "N", "K"])(triton.jit(product))
    cases: dict[str, Callable[[], object]] = {
        "kernel[grid]": lambda: jit[grid](*args, **options),
        "compiled[grid]": lambda: bound(*args, *constants),
        "compiled.run": lambda: compiled.run(*bare),
        "triton.autotune": lambda: tuned[grid](*args),
        "ads.triton.autotune": lambda: adaptive[grid](*args),
    }
    cases["ads.triton.autotune"]()
    while ads.triton.pending():
        time.sleep(0.1)
    for _ in range(40):  # the key settles
        host_us(cases["ads.triton.autotune"])
    for call in cases.values():
        host_us(call)
    best = {name: float("inf") for name in cases}
    for _ in range(20):
        for name, call in cases.items():
            best[name] = min(best[name], host_us(call))
    for name, cost in best.items():
        print(f"{name:20} {cost:6.2f} us  {cost / best['kernel[grid]']:5.2f} of kernel[grid]  "
              f"{cost / best['triton.autotune']:5.2f} of triton.autotune")
