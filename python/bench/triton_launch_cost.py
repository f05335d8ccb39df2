"""What a launch of a Triton kernel costs the host, without a GPU: the compiled kernel does nothing, so that what Triton, its
tuner and the launcher of this package do before it is left. Needs Triton and PyTorch (for CPU).

    python python/bench/triton_launch_cost.py
"""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests"), str(HERE / "triton_kernels")]

import torch  # noqa: E402
import triton  # noqa: E402
import triton.compiler  # noqa: E402
from fake_gpu import Compilers, Driver, Gpu, Kernel  # noqa: E402
from matmul import TILES, grid, product  # noqa: E402
from triton.runtime.driver import driver  # noqa: E402

import adaptive_selector as ads  # noqa: E402
from adaptive_selector.triton._settings import settings  # noqa: E402


class Nothing(Kernel):
    """A compiled kernel whose launch does nothing."""

    def __init__(self, gpu: Gpu, source: Any, options: dict[str, Any]) -> None:
        super().__init__(gpu, source, options)
        self._nothing = lambda *args: None

    @property
    def run(self) -> Any:
        return self._nothing


def cost_us(call: Callable[[], object], launches: int = 300) -> float:
    """Microseconds of processor time of this thread per launch."""
    begin = time.thread_time()
    for _ in range(launches):
        call()
    return (time.thread_time() - begin) / launches * 1e6


def main() -> None:
    gpu = Gpu()
    triton.compiler.compile = lambda source, target=None, options=None, _env_vars=None: Nothing(gpu, source, options)
    driver.set_active(Driver(gpu))
    compilers = Compilers()
    compilers.at_once = True
    settings.configure(lambda ordinal: ads.Selector(tables=None, device="host"), None)
    settings.begin_of = lambda site: lambda stream: site.begin(None)
    settings.use_compilers(compilers)

    a, b, c = (torch.zeros(16, dtype=torch.float16) for _ in range(3))
    args = (a, b, c, 4096, 4096, 4096, 4096, 1, 4096, 1, 4096, 1)
    jit = triton.jit(product)
    options = TILES[0].all_kwargs()
    tuned = triton.autotune(configs=TILES, key=["M", "N", "K"], do_bench=lambda call, quantiles: [1.0, 1.0, 1.0])(triton.jit(product))
    adaptive = ads.triton.autotune(configs=TILES, key=["M", "N", "K"])(triton.jit(product))
    cases: dict[str, Callable[[], object]] = {
        "kernel[grid]": lambda: jit[grid](*args, **options),
        "triton.autotune": lambda: tuned[grid](*args),
        "ads.triton.autotune": lambda: adaptive[grid](*args),
    }
    for call in cases.values():
        cost_us(call, 3000)
    best = {name: float("inf") for name in cases}
    for _ in range(100):
        for name, call in cases.items():
            best[name] = min(best[name], cost_us(call))
    print(f"{datetime.date.today()}, Triton {triton.__version__}, CPython {sys.version.split()[0]}")
    for name, cost in best.items():
        print(f"{name:20} {cost:6.2f} us  {cost / best['kernel[grid]']:5.2f} of kernel[grid]  "
              f"{cost / best['triton.autotune']:5.2f} of triton.autotune")


if __name__ == "__main__":
    main()
