"""Tuners that tests launch, and what the launches ran."""

from __future__ import annotations

from typing import Any

import triton
from fake_gpu import Gpu
from triton_kernels import scale

import adaptive_selector as ads

BLOCKS = (64, 128, 256, 512)


def configs(**fields: Any) -> list[Any]:
    return [triton.Config({"BLOCK": block}, **fields) for block in BLOCKS]


def tuned(key: list[str] = ["n"], function: Any = scale, **arguments: Any) -> Any:
    arguments.setdefault("configs", configs())
    return ads.triton.autotune(key=key, **arguments)(triton.jit(function))


def grid(meta: Any) -> tuple[int]:
    return (triton.cdiv(meta["n"], meta["BLOCK"]),)


def blocks(gpu: Gpu) -> list[int]:
    return [launched.constants["BLOCK"] for launched in gpu.launches]
