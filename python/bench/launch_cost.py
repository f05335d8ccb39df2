"""What a launch costs the host on a GPU, with and without the selector, measured in turns. Needs PyTorch.

    python python/bench/launch_cost.py
"""

from __future__ import annotations

import datetime
import time
from typing import Any

import torch

import adaptive_selector as ads


def host_us(call: Any, launches: int = 2000) -> float:
    """Microseconds of the host per launch; the queue of the stream is never full."""
    torch.cuda.synchronize()
    begin = time.perf_counter()
    for _ in range(launches // 100):
        for _ in range(100):
            call()
    elapsed = time.perf_counter() - begin
    torch.cuda.synchronize()
    return elapsed / launches * 1e6


def main() -> None:
    selector = ads.Selector(tables=None)
    operation = selector.define("fill", ["n"], ["a", "b"])
    site = operation.site(1024)
    x = torch.zeros(1024, device="cuda")
    stream = torch.cuda.current_stream()
    handle = stream.cuda_stream

    def plain() -> None:
        x.add_(1.0)

    def with_launch() -> None:
        with operation.launch(1024, stream=stream):
            x.add_(1.0)

    def with_site() -> None:
        with site.launch(stream=handle):
            x.add_(1.0)

    def with_torch_events() -> None:
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        x.add_(1.0)
        end.record()

    cases = {"plain": plain, "op.launch": with_launch, "site.launch": with_site, "two torch events": with_torch_events}
    for call in cases.values():
        host_us(call)
    best = {name: float("inf") for name in cases}
    for _ in range(15):
        for name, call in cases.items():
            best[name] = min(best[name], host_us(call))
    print(f"{datetime.date.today()}, {torch.cuda.get_device_name()}, PyTorch {torch.__version__}")
    for name, cost in best.items():
        print(f"{name:18} {cost:6.2f} us, {cost - best['plain']:+6.2f} us")
    print(selector.timer_counters)


if __name__ == "__main__":
    main()
