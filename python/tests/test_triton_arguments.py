"""What Triton's tuner takes keeps its meaning: hooks, pruning, heuristics, options."""

from __future__ import annotations

from typing import Any

import pytest

import adaptive_selector as ads

triton = pytest.importorskip("triton")

from fake_gpu import Compilers, Gpu, Launched, Tensor  # noqa: E402
from triton_kernels import mixed  # noqa: E402
from triton_tuners import BLOCKS, blocks, configs, grid, tuned  # noqa: E402


def test_pruning_is_kept(gpu: Gpu, compilers: Compilers) -> None:
    seen: list[Any] = []

    def early(given: list[Any], named: dict[str, Any], **kwargs: Any) -> list[Any]:
        seen.append((dict(named), set(kwargs)))
        return [config for config in given if config.kwargs["BLOCK"] <= named["n"]]

    def model(BLOCK: int, **kwargs: Any) -> float:
        return -BLOCK

    compilers.at_once = True
    kernel = tuned(prune_configs_by={"early_config_prune": early, "perf_model": model, "top_k": 2})
    x = Tensor()
    for _ in range(300):
        kernel[grid](x, 256)
    assert seen == [({"x_ptr": x, "n": 256}, {"grid", "warmup"})]
    assert blocks(gpu)[0] == 256  # the best guess of the model
    assert set(blocks(gpu)) == {128, 256}


def test_hooks_are_kept(gpu: Gpu, compilers: Compilers) -> None:
    calls: list[Any] = []
    chosen = [
        triton.Config({"BLOCK": 64}, num_warps=2, pre_hook=lambda args: calls.append((64, args["n"], args["num_warps"]))),
        triton.Config({"BLOCK": 128}, num_warps=8, num_stages=5, num_ctas=2, maxnreg=64),
    ]
    before: list[Any] = []
    compilers.at_once = True
    kernel = tuned(configs=chosen, pre_hook=lambda args, reset_only=False: before.append((args["n"], reset_only)))
    for _ in range(200):
        kernel[grid](Tensor(), 1024)
    assert calls == [(64, 1024, 2)] * blocks(gpu).count(64)
    assert blocks(gpu).count(64) > 0 and blocks(gpu).count(128) > 0
    assert before == [(1024, True)]
    options = {launched.constants["BLOCK"]: launched.options for launched in gpu.launches}
    assert (options[64]["num_warps"], options[128]["num_warps"]) == (2, 8)
    assert (options[128]["num_stages"], options[128]["maxnreg"]) == (5, 64)
    assert (options[64]["num_ctas"], options[128]["num_ctas"]) == (1, 2)


def test_post_hooks_hear_of_failures(gpu: Gpu, compilers: Compilers) -> None:
    heard: list[Any] = []

    def work(launched: Launched) -> None:
        raise RuntimeError("Triton Error [CUDA]: an illegal memory access was encountered")

    kernel = tuned(post_hook=lambda args, exception: heard.append(str(exception)))
    gpu.work = work
    with pytest.raises(RuntimeError, match="illegal"):
        kernel[grid](Tensor(), 1024)
    assert len(heard) == 1 and "illegal" in heard[0]


def test_heuristics_below_and_above(gpu: Gpu, compilers: Compilers) -> None:
    compilers.at_once = True
    even = {"EVEN": lambda args: args["n"] % args["BLOCK"] == 0}
    below = ads.triton.autotune(configs=configs(), key=["n"])(triton.heuristics(even)(triton.jit(mixed)))
    above = triton.heuristics({"EVEN": lambda args: args["n"] % 2 == 0})(
        ads.triton.autotune(configs=configs(), key=["n"])(triton.jit(mixed))
    )
    blocks = set()  # of both, because the second goes on with what the first has learned
    for kernel, rule in ((below, lambda l: l.arguments["n"] % l.constants["BLOCK"] == 0),
                         (above, lambda l: l.arguments["n"] % 2 == 0)):
        gpu.launches.clear()
        for n in (1000, 1024, 192, 1000, 63) * 40:
            kernel[(1,)](Tensor(), Tensor(), 5, n, 1, 0.5, True)
        assert len(gpu.launches) == 200
        assert all(launched.constants["EVEN"] == rule(launched) for launched in gpu.launches)
        blocks |= {launched.constants["BLOCK"] for launched in gpu.launches}
    assert blocks == set(BLOCKS)


def test_keyword_arguments_defaults_and_conflicts(gpu: Gpu, compilers: Compilers) -> None:
    compilers.at_once = True
    kernel = tuned(function=mixed)
    for _ in range(20):
        kernel[(2, 3)](Tensor(), n=64, m=5, b_ptr=None, alpha=1.0, stride=1, flag=False, EVEN=True)
    assert {launched.grid for launched in gpu.launches} == {(2, 3, 1)}
    assert {launched.arguments["KIND"] for launched in gpu.launches} == {"plain"}
    with pytest.raises(ValueError, match="Conflicting"):
        kernel[(1,)](Tensor(), None, 5, 64, 1, 1.0, False, True, BLOCK=64)
    with pytest.raises(TypeError):
        kernel[(1,)](Tensor(), None, 5)
    assert len(gpu.launches) == 20


def test_options_of_the_program(gpu: Gpu, compilers: Compilers) -> None:
    compilers.at_once = True
    kernel = tuned()
    for _ in range(20):
        kernel[grid](Tensor(), 1024, enable_fp_fusion=False)
        kernel[grid](Tensor(), 1024)
    assert [launched.options["enable_fp_fusion"] for launched in gpu.launches] == [False, True] * 20


def test_a_warm_up_is_tritons(gpu: Gpu, compilers: Compilers) -> None:
    kernel = tuned()
    kernel.warmup(Tensor(), 1024, grid=(1,))
    assert gpu.launches == [] and len(gpu.compiled) == 4
    for _ in range(300):
        kernel[grid](Tensor(), 1024)
    compilers.finish()
    assert len(gpu.compiled) == 4


def test_globals_that_change_are_noticed(gpu: Gpu, compilers: Compilers, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = tuned()
    for _ in range(3):
        kernel[grid](Tensor(), 1024)
    scope = {"FACTOR": 3}
    kernel.fn.used_global_vals = {("FACTOR", id(scope)): (2, scope)}
    with pytest.raises(RuntimeError, match="FACTOR has changed"):
        kernel[grid](Tensor(), 1024)


def test_many_keys_of_a_kernel_with_heuristics_keep_little(gpu: Gpu, compilers: Compilers) -> None:
    """What a key leaves behind in the kernels that all keys share does not grow with the keys."""
    compilers.at_once = True
    kernel = ads.triton.autotune(configs=configs(), key=["n"])(
        triton.heuristics({"EVEN": lambda args: args["n"] % args["BLOCK"] == 0})(triton.jit(mixed))
    )
    for n in range(100, 400):
        kernel[(1,)](Tensor(), Tensor(), 5, n, 1, 0.5, True)
    kernels = kernel.__dict__["_adaptive_learner"]._devices[0].kernels.values()
    assert sum(len(k.users) for k in kernels) == 0


def test_the_interpreter_runs_what_pruning_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numpy")
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    kernel = tuned(prune_configs_by={"early_config_prune": lambda given, named, **kwargs: given[1:2]})
    assert type(kernel.fn).__name__ == "InterpretedFunction"
    runs: list[Any] = []
    monkeypatch.setattr(kernel.fn, "run", lambda *args, **kwargs: runs.append((args, kwargs["BLOCK"])), raising=False)
    x = Tensor()
    kernel[grid](x, 100)
    assert runs == [((x, 100), 128)]
    assert kernel.best_config.kwargs == {"BLOCK": 128}


def test_profilers_see_the_launches(gpu: Gpu, compilers: Compilers) -> None:
    """Hooks of Triton's launches, and hooks before a run, are called for launches of the table as well."""
    seen: list[Any] = []
    kernel = tuned(configs=configs()[:1])
    for _ in range(3):
        kernel[grid](Tensor(), 1024)
    hook = lambda *args, **kwargs: seen.append(kwargs["BLOCK"])  # noqa: E731
    kernel.fn.pre_run_hooks.append(hook)
    kernel[grid](Tensor(), 1024)
    assert seen == [64] and len(gpu.launches) == 4


def test_what_the_program_has_decided_is_the_best_guess(gpu: Gpu, compilers: Compilers) -> None:
    kernel = tuned()
    kernel.cache[(1024, "fp32")] = triton.Config({"BLOCK": 256})
    kernel[grid](Tensor(), 1024)
    assert blocks(gpu) == [256]


def test_hooks_that_set_block_shapes(gpu: Gpu, compilers: Compilers) -> None:
    """The specialisation depends on what the hook of a configuration does to tensor descriptors."""
    from triton.tools.tensor_descriptor import TensorDescriptor

    class Half:
        itemsize = 2

        def __str__(self) -> str:
            return "fp16"

    zeroed = Tensor(dtype="fp32")

    def hook(args: dict[str, Any]) -> None:
        args["a_ptr"].block_shape = [args["BLOCK"], 64]
        args["b_ptr"].zero_()

    descriptor = TensorDescriptor(Tensor(dtype=Half()), [1024, 1024], [1024, 1], [1, 1])  # type: ignore[arg-type]
    kernel = tuned(function=mixed, configs=configs(pre_hook=hook)[:3])
    compilers.at_once = True
    for launch in range(1, 61):
        kernel[(1,)](descriptor, zeroed, 16, 1024, 1, 1.0, True, True)
        (launched,) = gpu.launches
        assert launched.kernel.src.signature["a_ptr"] == f"tensordesc<fp16[{launched.constants['BLOCK']}, 64]>"
        assert zeroed.zeroed == launch
        gpu.launches.clear()
    # One compilation for each configuration.
    assert sorted(c["BLOCK"] for c in gpu.compiled) == [64, 128, 256]


def test_known_launches_skip_what_triton_does(gpu: Gpu, compilers: Compilers, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the arguments are given; hooks and globals that are set later are seen all the same."""
    from adaptive_selector.triton import _jit

    compilers.at_once = True
    kernel = tuned(key=["m"], function=mixed)
    a, b = Tensor(), Tensor(dtype="fp16")
    size = (4, 2)
    kernel[size](a, b, 64, 32, 1, 0.5, True, EVEN=True)
    gpu.launches.clear()

    def specialised(*args: Any) -> Any:
        raise AssertionError("Triton's own steps were taken")

    with monkeypatch.context() as patch:
        patch.setattr(_jit, "specialise", specialised)
        kernel[size](a, b, 64, 32, 1, 0.5, True, True)
        kernel[size](a, b, 64, 32, EVEN=True, flag=True, alpha=0.5, stride=1)
        kernel[size](stride=1, EVEN=True, b_ptr=b, a_ptr=a, alpha=0.5, n=32, flag=True, m=64)
        kernel[size](a, b, 64, 32, 1, 0.5, True, True, KIND="plain")
        kernel[lambda meta: (meta["m"] // meta["BLOCK"] + 1, meta["n"], len(meta))](a, b, 64, 32, 1, 0.5, True, True)
        with pytest.raises(AssertionError):
            kernel[size](a, b, 64, 32, 1, 0.5, True, True, KIND="another")
    assert len(gpu.launches) == 5
    first = gpu.launches[0].arguments
    for launched in gpu.launches:
        assert {**launched.arguments, "BLOCK": 0} == {**first, "BLOCK": 0}
    assert first["a_ptr"] is a and first["b_ptr"] is b and first["KIND"] == "plain"
    assert [launched.grid for launched in gpu.launches[:4]] == [(4, 2, 1)] * 4
    assert gpu.launches[4].grid[1:] == (32, 10)

    for wrong in ({}, {"EVEN": True, "BLOCK": 64}, {"EVEN": True, "other": 1}, {"EVEN": True, "m": 64}):
        with pytest.raises((TypeError, ValueError, KeyError)):
            kernel[size](a, b, 64, 32, 1, 0.5, True, **wrong)
    with pytest.raises(ZeroDivisionError):
        kernel[lambda meta: 1 // 0](a, b, 64, 32, 1, 0.5, True, True)
    seen: list[Any] = []
    kernel.fn.add_pre_run_hook(lambda *args, **kwargs: seen.append(args))
    kernel[size](a, b, 64, 32, 1, 0.5, True, True)
    assert len(seen) == 1


def test_launchers_are_collected(gpu: Gpu, compilers: Compilers) -> None:
    import gc
    import weakref

    compilers.at_once = True
    kernel = tuned()
    kernel[grid](Tensor(), 1024)
    kernel[grid](Tensor(), 1024)
    learner = weakref.ref(kernel.__dict__["_adaptive_learner"])
    gpu.launches.clear()
    compilers.waiting.clear()
    del kernel
    gc.collect()
    assert learner() is None
