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

# Calls while the choice is open.
CALLS = 3000
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

    pending: Callable[[], int] = lambda: 0  # noqa: E731
    if mode == "adaptive":
        import adaptive_selector as ads

        ads.triton.install()
        pending = ads.triton.pending
    call = case(name)
    torch.cuda.synchronize()
    begin = time.perf_counter()
    result = call()
    torch.cuda.synchronize()
    first = time.perf_counter() - begin
    longest, unlike = 0.0, 0.0
    calls = left = CALLS
    begin = time.perf_counter()
    while left > 0:
        before = time.perf_counter()
        later = call()
        torch.cuda.synchronize()
        longest = max(longest, time.perf_counter() - before)
        if left % 100 == 0:  # whichever configurations have run, the result is the same
            unlike = max(unlike, (later.float() - result.float()).abs().max().item())
        left -= 1
        if left == 0 and pending():
            left, calls = CALLS // 10, calls + CALLS // 10
    learning = time.perf_counter() - begin
    torch.save(call().float().cpu(), file)
    rounds = []
    for _ in range(10):
        begin = time.perf_counter()
        for _ in range(100):
            call()
        torch.cuda.synchronize()
        rounds.append((time.perf_counter() - begin) / 100)
    return {"first": first, "steady": min(rounds), "longest": longest, "learning": learning, "calls": calls, "unlike": unlike}


def main(arguments: list[str] = []) -> None:
    import torch

    for name in arguments or CASES:
        results, outputs = {}, {}
        with tempfile.TemporaryDirectory() as folder:
            for mode in ("triton", "adaptive"):
                file = f"{folder}/{mode}.pt"
                done = subprocess.run(
                    [sys.executable, str(Path(__file__)), name, mode, file], capture_output=True, text=True,
                    env={**os.environ, "TRITON_CACHE_DIR": f"{folder}/cache_{mode}"},
                )
                if done.returncode != 0:
                    print(f"{name}: left out: {done.stderr.strip().splitlines()[-1]}", flush=True)
                    break
                if mode == "adaptive" and done.stderr.strip():
                    print(done.stderr.strip()[-2000:])
                results[mode] = json.loads(done.stdout.splitlines()[-1])
                outputs[mode] = torch.load(file)
            else:
                difference = (outputs["triton"] - outputs["adaptive"]).abs().max().item()
                scale = outputs["triton"].abs().max().item()
                print(f"{name}: {'equal' if difference == 0 else f'greatest difference {difference:.3g}'}, values up to {scale:.3g}")
                for mode, r in results.items():
                    print(f"  {mode:9} first result {r['first']:7.2f} s, steady {r['steady'] * 1e6:9.1f} us a call; the first "
                          f"{r['calls']} calls after it {r['learning']:.2f} s, the longest of them {r['longest'] * 1e3:8.2f} ms, "
                          f"their greatest difference {r['unlike']:.3g}", flush=True)


if __name__ == "__main__":
    print(json.dumps(run(*sys.argv[1:])))
