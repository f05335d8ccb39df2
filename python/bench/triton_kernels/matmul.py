"""The dense product that is measured: 24 tiles, 28 shapes of a language model's layers."""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl

TILES = [
    triton.Config({"BLOCK_M": m, "BLOCK_N": n, "BLOCK_K": k, "GROUP": 8}, num_warps=warps, num_stages=stages)
    for m, n, k, warps, stages in [
        (16, 64, 128, 4, 4), (16, 128, 64, 4, 4), (16, 128, 128, 4, 3), (16, 256, 64, 4, 4), (32, 64, 64, 4, 4), (32, 64, 128, 4, 4),
        (32, 128, 64, 4, 4), (32, 128, 128, 4, 3), (32, 256, 64, 4, 3), (64, 64, 64, 4, 4), (64, 64, 128, 4, 3), (64, 128, 64, 4, 4),
        (64, 128, 128, 4, 3), (64, 256, 64, 4, 4), (64, 256, 64, 8, 3), (128, 64, 64, 4, 4), (128, 128, 64, 4, 4), (128, 128, 64, 8, 3),
        (128, 128, 128, 8, 3), (128, 256, 64, 8, 3), (128, 256, 64, 8, 4), (256, 64, 64, 4, 4), (256, 128, 64, 8, 3), (256, 128, 64, 8, 4),
    ]
]
SHAPES = [
    (m, n, k)
    for n, k in ((6144, 4096), (4096, 4096), (28672, 4096), (4096, 14336))
    for m in (16, 64, 256, 512, 1024, 2048, 4096)
]


def product(a_ptr, b_ptr, c_ptr, M, N, K, stride_am, stride_ak, stride_bk, stride_bn, stride_cm, stride_cn,  # type: ignore[no-untyped-def]
            BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr):
    pid = tl.program_id(0)
    rows = tl.cdiv(M, BLOCK_M)
    columns = tl.cdiv(N, BLOCK_N)
    in_group = GROUP * columns
    group = pid // in_group
    first = group * GROUP
    size = min(rows - first, GROUP)
    pid_m = first + ((pid % in_group) % size)
    pid_n = (pid % in_group) // size
    offsets_m = (pid_m * BLOCK_M + tl.arange(0, BLOCK_M)) % M
    offsets_n = (pid_n * BLOCK_N + tl.arange(0, BLOCK_N)) % N
    offsets_k = tl.arange(0, BLOCK_K)
    a = a_ptr + offsets_m[:, None] * stride_am + offsets_k[None, :] * stride_ak
    b = b_ptr + offsets_k[:, None] * stride_bk + offsets_n[None, :] * stride_bn
    sum = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for k in range(0, tl.cdiv(K, BLOCK_K)):
        left = K - k * BLOCK_K
        sum = tl.dot(tl.load(a, mask=offsets_k[None, :] < left, other=0.0), tl.load(b, mask=offsets_k[:, None] < left, other=0.0), sum)
        a += BLOCK_K * stride_ak
        b += BLOCK_K * stride_bk
    rows_c = pid_m * BLOCK_M + tl.arange(0, BLOCK_M)
    columns_c = pid_n * BLOCK_N + tl.arange(0, BLOCK_N)
    c = c_ptr + rows_c[:, None] * stride_cm + columns_c[None, :] * stride_cn
    tl.store(c, sum.to(tl.float16), mask=(rows_c[:, None] < M) & (columns_c[None, :] < N))


#: The tuned parameters in the order of the kernel's.
CONSTANTS = ("BLOCK_M", "BLOCK_N", "BLOCK_K", "GROUP")


def grid(meta: Any) -> tuple[int]:
    return (-(-meta["M"] // meta["BLOCK_M"]) * -(-meta["N"] // meta["BLOCK_N"]),)


class Operands:
    """The matrices of all shapes, views of three buffers."""

    def __init__(self) -> None:
        most = [max(x) for x in zip(*((m * k, n * k, m * n) for m, n, k in SHAPES))]
        self._buffers = [torch.randn(size, device="cuda", dtype=torch.float16) for size in most]

    def of(self, m: int, n: int, k: int) -> tuple[Any, ...]:
        a = self._buffers[0][: m * k].view(m, k)
        b = self._buffers[1][: k * n].view(k, n)
        c = self._buffers[2][: m * n].view(m, n)
        return (a, b, c, m, n, k, *a.stride(), *b.stride(), *c.stride())
