"""Kernels that tests tune. Triton wants them in a file."""

from __future__ import annotations

import triton
import triton.language as tl


def scale(x_ptr, n, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    tl.store(x_ptr + offsets, x * 2, mask=offsets < n)


def mixed(a_ptr, b_ptr, m, n, stride, alpha, flag, EVEN: tl.constexpr, BLOCK: tl.constexpr, KIND: tl.constexpr = "plain"):  # type: ignore[no-untyped-def]
    pass


def annotated(a_ptr, m: tl.int64, n: "i32", x: tl.float32, flag: tl.uint1, EVEN: tl.constexpr, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def, name-defined]  # noqa: F821
    pass


@triton.jit
def half(x):  # type: ignore[no-untyped-def]
    return x * SCALE


SCALE = tl.constexpr(0.5)


@triton.jit
def calls_another(x_ptr, n, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    tl.store(x_ptr + offsets, half(x), mask=offsets < n)
