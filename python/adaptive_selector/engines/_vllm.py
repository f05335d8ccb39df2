"""vLLM: the fused experts of its Triton kernels, and its products with scales for blocks."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from typing import Any

from . import log
from ._choices import Config, Engine, around, guarded, listen
from ._matmul import Kind, rows_of_launch, tell_rows
from ._problems import Matmul, Moe, shape_of
from ._rebind import after_import, rebind

_MOE = "vllm.model_executor.layers.fused_moe.fused_moe"
_EXPERTS = "vllm.model_executor.layers.fused_moe.experts.triton_moe"
_PRODUCTS = (
    Kind("vllm.model_executor.layers.quantization.utils.fp8_utils", "get_w8a8_block_fp8_configs", "w8a8_triton_block_scaled_mm",
         ("_w8a8_triton_block_scaled_mm",), "fp8_w8a8", 2),
    Kind("vllm.model_executor.layers.quantization.utils.int8_utils", "get_w8a8_block_int8_configs", "w8a8_block_int8_matmul",
         ("_w8a8_block_int8_matmul",), "int8_w8a8", 3),
)


def _derived(jit: Any, args: tuple[Any, ...], kwargs: dict[str, Any], config: Config, problem: Any) -> Config:
    """As `invoke_fused_moe_triton_kernel` and the functions of the products compute them."""
    changed = dict(config)
    if isinstance(problem, Matmul):
        return changed
    changed["SPLIT_K"] = 1
    if problem.block_shape is not None:
        changed["BLOCK_SIZE_K"] = min(config["BLOCK_SIZE_K"], *problem.block_shape)
    names = list(jit.arg_names)
    tile, pairs = config["BLOCK_SIZE_M"], problem.m * problem.top_k
    before, length = kwargs["BLOCK_SIZE_M"], args[names.index("EM")]
    experts = problem.experts if length == pairs * before else (length - pairs) // max(1, before - 1)
    padded = pairs + experts * (tile - 1)
    if kwargs.get("naive_block_assignment"):
        padded = pairs * tile
    elif pairs < experts or args[0].shape[0] < tile:
        padded = min(pairs * tile, padded)
    changed["EM"] = padded
    return changed


#: The engine of this process, once it is installed.
engine = Engine(_derived)
_installed = False


def install() -> None:
    """Rebinds vLLM's functions, now or when their modules are imported. Again has no effect."""
    global _installed
    if not _installed:
        _installed = True
        after_import(_MOE, guarded(_rebind_moe))
        after_import(_EXPERTS, guarded(_rebind_experts))
        for kind in _PRODUCTS:
            after_import(kind.module, guarded(functools.partial(_rebind_product, kind)))


def _rebind_moe(module: Any) -> None:
    theirs, theirs_rows, experts = module.try_get_optimal_moe_config, module.get_moe_configs, module.fused_experts_impl
    envs = module.envs

    @functools.wraps(theirs)
    def try_get_optimal_moe_config(
        w1_shape: Sequence[int], w2_shape: Sequence[int], top_k: int, dtype: str | None, M: int,
        block_shape: list[int] | None = None,
    ) -> Config:
        own = engine.asked(lambda: theirs(w1_shape, w2_shape, top_k, dtype, M, block_shape))
        if envs.VLLM_BATCH_INVARIANT or _overridden():
            return own()
        problem = Moe(M, w2_shape[0], w2_shape[2], top_k, dtype or "none", shape_of(*(block_shape or ())))
        return engine.choose(problem, own) or own()

    @functools.wraps(theirs_rows)
    def get_moe_configs(
        E: int, N: int, dtype: str | None, block_n: int | None = None, block_k: int | None = None
    ) -> dict[int, Any] | None:
        rows: dict[int, Any] | None = theirs_rows(E, N, dtype, block_n, block_k)
        if envs.VLLM_BATCH_INVARIANT:
            return rows
        return engine.rows(rows, Moe(1, E, N, 1, dtype or "none", shape_of(block_n, block_k)))

    listen(engine, module, "fused_moe_kernel")
    for old, new in ((theirs, try_get_optimal_moe_config), (theirs_rows, get_moe_configs), (experts, around(engine, experts))):
        rebind(old, new, "vllm")
    log.info("vLLM asks for the configurations of its fused experts here")


def _overridden() -> bool:
    """Whether the program has fixed the configuration (`override_config`)."""
    package = sys.modules.get("vllm.model_executor.layers.fused_moe")
    return bool(package is not None and package.get_config())


def _rebind_experts(module: Any) -> None:
    """The modular experts, which most models use, ask as `fused_experts_impl` does."""
    module.TritonExperts.apply = around(engine, module.TritonExperts.apply)


def _rebind_product(kind: Kind, module: Any) -> None:
    theirs, product = getattr(module, kind.rows), getattr(module, kind.product)
    envs = sys.modules["vllm.envs"]

    @functools.wraps(theirs)
    def rows(N: int, K: int, block_n: int, block_k: int) -> dict[int, Any] | None:
        found: dict[int, Any] | None = theirs(N, K, block_n, block_k)
        return found if envs.VLLM_BATCH_INVARIANT else rows_of_launch(engine, kind, found, N, K, (block_n, block_k))

    @functools.wraps(product)
    def launch(A: Any, *args: Any, **kwargs: Any) -> Any:
        tell_rows(engine, A)
        return product(A, *args, **kwargs)

    listen(engine, module, *kind.kernels)
    rebind(theirs, rows, "vllm")
    rebind(product, around(engine, launch), "vllm")
