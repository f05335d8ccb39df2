"""Kernels of other packages under install(), unedited: the same results, the time to the first one, the steady state."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CASES = ("liger_kernel dyt", "fla l2norm", "fla chunk_gla", "fla chunk_gated_delta_rule")


def case(name: str) -> Callable[[], Any]:
    """A call of a package. Raises ImportError where the package is missing."""
    import torch

    torch.manual_seed(1)
    kind = {"device": "cuda", "dtype": torch.bfloat16}
    if name == "liger_kernel dyt":
        from liger_kernel.ops.dyt import LigerDyTFunction

        x = torch.randn(8, 2048, 4096, **kind)
        alpha, gamma, beta = torch.ones(1, **kind), torch.randn(4096, **kind), torch.randn(4096, **kind)
        return lambda: LigerDyTFunction.apply(x, alpha, gamma, beta)
    if name == "fla l2norm":
        from fla.modules.norm.l2norm import l2norm_fwd

        rows = torch.randn(1 << 18, 128, **kind)
        return lambda: l2norm_fwd(rows)[0]
    q, k, v = (torch.randn(4, 4096, 16, 128, **kind) for _ in range(3))
    if name == "fla chunk_gla":
        from fla.ops.gla import chunk_gla

        gate = torch.nn.functional.logsigmoid(torch.randn(4, 4096, 16, 128, **kind))
        return lambda: chunk_gla(q, k, v, gate)[0]
    from fla.ops.gated_delta_rule import chunk_gated_delta_rule

    beta = torch.rand(4, 4096, 16, **kind)
    decay = torch.nn.functional.logsigmoid(torch.randn(4, 4096, 16, **kind))
    keys = torch.nn.functional.normalize(k, dim=-1)
    return lambda: chunk_gated_delta_rule(q, keys, v, decay, beta)[0]


def run(name: str, mode: str, file: str) -> dict[str, float]:
    import torch

    if mode == "adaptive":
        import adaptive_selector as ads

        ads.triton.install()
    call = case(name)
    torch.cuda.synchronize()
    begin = time.perf_counter()
    result = call()
    torch.cuda.synchronize()
    first = time.perf_counter() - begin
    torch.save(result.float().cpu(), file)
    longest = 0.0
    for _ in range(3000):
        before = time.perf_counter()
        call()
        torch.cuda.synchronize()
        longest = max(longest, time.perf_counter() - before)
    begin = time.perf_counter()
    for _ in range(500):
        call()
    torch.cuda.synchronize()
    return {"first": first, "steady": (time.perf_counter() - begin) / 500, "longest": longest}


def main() -> None:
    import torch

    for name in CASES:
        results, outputs = {}, {}
        with tempfile.TemporaryDirectory() as folder:
            for mode in ("triton", "adaptive"):
                file = f"{folder}/{mode}.pt"
                done = subprocess.run(
                    [sys.executable, str(Path(__file__)), name, mode, file], capture_output=True, text=True,
                    env={**os.environ, "TRITON_CACHE_DIR": f"{folder}/cache_{mode}"},
                )
                if done.returncode != 0:
                    print(f"{name}: left out: {done.stderr.strip().splitlines()[-1]}")
                    break
                results[mode] = json.loads(done.stdout.splitlines()[-1])
                outputs[mode] = torch.load(file)
            else:
                difference = (outputs["triton"] - outputs["adaptive"]).abs().max().item()
                scale = outputs["triton"].abs().max().item()
                print(f"{name}: greatest difference {difference:.3g} of values up to {scale:.3g}")
                for mode, r in results.items():
                    print(f"  {mode:9} first result {r['first']:7.2f} s, steady {r['steady'] * 1e6:9.1f} us a call, "
                          f"longest later call {r['longest'] * 1e3:8.2f} ms")


if __name__ == "__main__":
    print(json.dumps(run(*sys.argv[1:])))
