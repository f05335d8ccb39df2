"""A kernel that reads, changes and writes its argument, without restore_value."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

import adaptive_selector as ads


def double(x_ptr, n, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    tl.store(x_ptr + offsets, x * 2, mask=offsets < n)


def main(arguments: list[str] = []) -> None:
    configs = [triton.Config({"BLOCK": block}) for block in (128, 256, 512, 1024)]
    for name, autotune in (("ads.triton.autotune", ads.triton.autotune), ("triton.autotune", triton.autotune)):
        kernel = autotune(configs=configs, key=["n"])(triton.jit(double))
        right = True
        for size in (1000, 4096, 1 << 20):
            for _ in range(20):
                x = torch.ones(size, device="cuda")
                kernel[lambda meta: (triton.cdiv(meta["n"], meta["BLOCK"]),)](x, size)
                right = right and bool((x == 2).all())
        print(f"{name}: {'right' if right else 'wrong'}")
