"""SGLang: the fused experts of its Triton kernels, and its products with scales for blocks. SGLang's own registry of hooks
rebinds the functions."""

from __future__ import annotations

import functools
from typing import Any

from . import log
from ._choices import Config, Engine, around, guarded, listen
from ._matmul import Kind, rows_of_launch, tell_rows
from ._problems import Matmul, Moe, shape_of
from ._rebind import after_import

_MOE = "sglang.srt.layers.moe.moe_runner.triton_utils"
_PRODUCTS = (
    Kind("sglang.srt.layers.quantization.fp8_kernel", "get_w8a8_block_fp8_configs", "w8a8_block_fp8_matmul_triton",
         ("_w8a8_block_fp8_matmul", "_w8a8_block_fp8_matmul_unrolledx4"), "fp8_w8a8", 3),
    Kind("sglang.srt.layers.quantization.int8_kernel", "get_w8a8_block_int8_configs", "w8a8_block_int8_matmul",
         ("_w8a8_block_int8_matmul",), "int8_w8a8", 3),
)


def _derived(jit: Any, args: tuple[Any, ...], kwargs: dict[str, Any], config: Config, problem: Any) -> Config:
    """As `invoke_fused_moe_kernel` and the functions of the products compute them."""
    changed = dict(config)
    names = list(jit.arg_names)
    depth = args[names.index("K")] if names.index("K") < len(args) else kwargs["K"]
    if isinstance(problem, Matmul):
        if "needs_masking" in names:
            changed["needs_masking"] = bool(depth % config["BLOCK_SIZE_K"])
        return changed
    changed["even_Ks"] = depth % config["BLOCK_SIZE_K"] == 0
    if "swap_ab" in names and kwargs.get("use_fp8_w8a8"):
        from importlib import import_module

        enabled = import_module(f"{_MOE}.fused_moe_triton_kernels").should_enable_swap_ab
        changed["swap_ab"] = enabled(config["BLOCK_SIZE_M"], config["BLOCK_SIZE_N"])
    return changed


#: The engine of this process, once it is installed.
engine = Engine(_derived)
_installed = False


def install() -> None:
    """Registers the hooks; SGLang applies them after all plugins are loaded. Again has no effect."""
    global _installed
    if _installed:
        return
    from sglang.srt.plugins.hook_registry import HookRegistry, HookType

    _installed = True
    for target, hook in {
        f"{_MOE}.fused_moe_triton_config.try_get_optimal_moe_config": _config,
        f"{_MOE}.fused_moe_triton_config.get_moe_configs": _rows,
        f"{_MOE}.fused_moe._prepare_fused_moe_run": _prepare,
        f"{_MOE}.fused_moe._fused_moe_kernel_sequence": _sequence,
        **{f"{kind.module}.{kind.rows}": functools.partial(_rows_of_product, kind) for kind in _PRODUCTS},
        **{f"{kind.module}.{kind.product}": _product for kind in _PRODUCTS},
    }.items():
        HookRegistry.register(target, hook, HookType.AROUND)
    after_import(f"{_MOE}.fused_moe_triton_kernels", guarded(lambda module: listen(engine, module, "fused_moe_kernel")))
    for kind in _PRODUCTS:
        after_import(kind.module, guarded(functools.partial(_listen, kind)))
    log.info("SGLang asks for the configurations of its fused experts here")


def _fixed() -> bool:
    """Whether configurations must not change: deterministic inference, batch invariance, `override_config`."""
    from importlib import import_module

    from sglang.srt.batch_invariant_ops import is_batch_invariant_mode_enabled
    from sglang.srt.server_args import get_global_server_args

    return bool(get_global_server_args().enable_deterministic_inference or is_batch_invariant_mode_enabled()
                or import_module(_MOE).get_config())


def _config(
    theirs: Any, w1_shape: Any, w2_shape: Any, top_k: int, dtype: str | None, M: int, is_marlin: bool = False,
    block_shape: list[int] | None = None, per_channel_quant: bool = False, return_down_config: bool = False,
) -> Any:
    def ask(down: bool) -> Any:
        return theirs(w1_shape, w2_shape, top_k, dtype, M, is_marlin, block_shape, per_channel_quant, down)

    config = None
    if not is_marlin and not engine.off and not _fixed():
        shape = shape_of(*(block_shape or ()))
        problem = Moe(M, w2_shape[0], w2_shape[2], top_k, dtype or "none", shape, per_channel_quant)
        config = engine.choose(problem, engine.asked(lambda: ask(False)))
    if config is None:
        return engine.asked(lambda: ask(return_down_config))()
    # One configuration serves both products; only SGLang's own may have another one for the second.
    return (config, (None, None)) if return_down_config else config


def _rows(
    theirs: Any, E: int, N: int, dtype: str | None, block_n: int | None = 0, block_k: int | None = 0,
    per_channel_quant: bool = False, down_moe: bool = False,
) -> dict[int, Any] | None:
    rows: dict[int, Any] | None = theirs(E, N, dtype, block_n, block_k, per_channel_quant, down_moe)
    if down_moe or engine.off or _fixed():
        return rows
    return engine.rows(rows, Moe(1, E, N, 1, dtype or "none", shape_of(block_n, block_k), per_channel_quant))


def _prepare(theirs: Any, *args: Any, **kwargs: Any) -> Any:
    """Asks for the configuration: the launch begins here and ends with :func:`_sequence`."""
    engine.begin()
    try:
        return theirs(*args, **kwargs)
    except BaseException as error:
        engine.end(error)
        raise


def _sequence(theirs: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        result = theirs(*args, **kwargs)
    except BaseException as error:
        engine.end(error)
        raise
    engine.end()
    return result


def _listen(kind: Kind, module: Any) -> None:
    listen(engine, module, *kind.kernels)


def _product(theirs: Any, *args: Any, **kwargs: Any) -> Any:
    def product(A: Any, *rest: Any, **named: Any) -> Any:
        tell_rows(engine, A)
        return theirs(A, *rest, **named)

    return around(engine, product)(*args, **kwargs)


def _rows_of_product(kind: Kind, theirs: Any, N: int, K: int, block_n: int, block_k: int) -> dict[int, Any] | None:
    rows: dict[int, Any] | None = theirs(N, K, block_n, block_k)
    if engine.off or engine.launch is None or _fixed():
        return rows
    return rows_of_launch(engine, kind, rows, N, K, (block_n, block_k))
