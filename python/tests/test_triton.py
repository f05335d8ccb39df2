"""Triton kernels that learn, on a GPU that is none."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import adaptive_selector as ads

triton = pytest.importorskip("triton")

from fake_gpu import Compilers, Gpu, Launched, Tensor  # noqa: E402
from triton_kernels import mixed, scale  # noqa: E402

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


def test_it_is_a_tuner_of_triton(gpu: Gpu, compilers: Compilers) -> None:
    import inspect

    kernel = tuned()
    assert isinstance(kernel, triton.runtime.Autotuner)
    ours, theirs = inspect.signature(ads.triton.autotune), inspect.signature(triton.autotune)
    assert list(ours.parameters) == list(theirs.parameters)
    for name, parameter in theirs.parameters.items():
        assert ours.parameters[name].default == parameter.default, name


def test_the_first_call_compiles_one_configuration(gpu: Gpu, compilers: Compilers) -> None:
    kernel = tuned()
    kernel[grid](Tensor(), 1024)
    assert [c["BLOCK"] for c in gpu.compiled] == [64]
    assert blocks(gpu) == [64]
    assert gpu.launches[0].grid == (16, 1, 1)
    assert len(compilers.waiting) == 3
    # Nothing else is compiled, whatever is launched meanwhile, and no launch waits for it.
    for _ in range(100):
        kernel[grid](Tensor(), 1024)
    assert [c["BLOCK"] for c in gpu.compiled] == [64]
    assert set(blocks(gpu)) == {64}
    assert len(gpu.launches) == 101


def test_what_is_compiled_is_tried_and_the_fastest_stays(gpu: Gpu, compilers: Compilers) -> None:
    gpu.latency = lambda launched: {64: 40e-6, 128: 30e-6, 256: 10e-6, 512: 25e-6}[launched.constants["BLOCK"]]
    kernel = tuned()
    for _ in range(50):
        kernel[grid](Tensor(), 1024)
    compilers.finish(1)
    for _ in range(200):
        kernel[grid](Tensor(), 1024)
    assert set(blocks(gpu)) == {64, 128}
    compilers.finish()
    for _ in range(1000):
        kernel[grid](Tensor(), 1024)
    assert blocks(gpu)[-500:].count(256) > 480
    assert kernel.best_config.kwargs == {"BLOCK": 256}


def test_no_launch_runs_twice_and_in_place_kernels_stay_right(gpu: Gpu, compilers: Compilers) -> None:
    """One that doubles its input in place, without restore_value: Triton's own tuner gets it wrong."""

    def double(launched: Launched) -> None:
        tensor = launched.arguments["x_ptr"]
        tensor.elements = [2 * element for element in tensor.elements]

    gpu.work = double
    compilers.at_once = True
    for make, right in ((ads.triton.autotune, True), (triton.autotune, False)):
        kernel = make(configs=configs(), key=["n"])(triton.jit(scale))
        x = Tensor([1, 2, 3])
        kernel[grid](x, 3)
        assert (x.elements == [2, 4, 6]) == right


def test_reset_and_restore_are_needless(gpu: Gpu, compilers: Compilers) -> None:
    compilers.at_once = True
    kernel = tuned(reset_to_zero=["x_ptr"], restore_value=["x_ptr"])
    x = Tensor([1, 2, 3])
    for _ in range(20):
        kernel[grid](x, 3)
    assert x.zeroed == 0 and x.elements == [1, 2, 3]


def test_sizes_that_change_at_every_call(gpu: Gpu, compilers: Compilers) -> None:
    """Each key is new; what other keys have shown carries over."""
    gpu.latency = lambda launched: {64: 40e-6, 128: 30e-6, 256: 10e-6, 512: 25e-6}[launched.constants["BLOCK"]]
    compilers.at_once = True
    kernel = tuned()
    for call in range(3000):
        kernel[grid](Tensor(), 16 * (64 + call * 37 % 1000))
    assert blocks(gpu)[-1000:].count(256) > 900
    assert len(gpu.compiled) == 4


def test_a_first_launch_of_a_key_needs_no_compiler_where_something_is_compiled(gpu: Gpu, compilers: Compilers) -> None:
    kernel = tuned()
    kernel[grid](Tensor(), 1024)
    compiled = len(gpu.compiled)
    for n in range(2048, 2048 + 16 * 50, 16):
        kernel[grid](Tensor(), n)
    assert len(gpu.compiled) == compiled


def test_another_specialisation_compiles_its_own(gpu: Gpu, compilers: Compilers) -> None:
    kernel = tuned()
    kernel[grid](Tensor(), 1024)
    kernel[grid](Tensor(), 1023)  # no multiple of 16
    kernel[grid](Tensor(address=8), 1024)  # not aligned
    kernel[grid](Tensor(dtype="fp16"), 1024)
    kernel[grid](Tensor(), 1)  # a constant
    assert len(gpu.compiled) == 5
    assert len({str(sorted(c.items(), key=str)) for c in gpu.compiled}) == 2  # the constant 1 is in one of them
    for _ in range(10):
        kernel[grid](Tensor(), 1024)
        kernel[grid](Tensor(), 1023)
    assert len(gpu.compiled) == 5


def test_configurations_that_do_not_fit_are_set_aside(gpu: Gpu, compilers: Compilers) -> None:
    from triton.runtime.errors import OutOfResources

    def fits(constants: dict[str, Any], options: dict[str, Any]) -> None:
        if constants["BLOCK"] in (64, 256):
            raise OutOfResources(300_000, 232_448, "shared memory")

    gpu.fits = fits
    gpu.latency = lambda launched: {64: 1e-6, 128: 30e-6, 256: 1e-6, 512: 20e-6}[launched.constants["BLOCK"]]
    kernel = tuned()
    kernel[grid](Tensor(), 1024)
    assert blocks(gpu) == [128]
    compilers.finish()
    for _ in range(500):
        kernel[grid](Tensor(), 1024)
    assert set(blocks(gpu)) == {128, 512}
    assert kernel.best_config.kwargs == {"BLOCK": 512}


def test_where_nothing_fits_the_error_comes(gpu: Gpu, compilers: Compilers) -> None:
    from triton.runtime.errors import OutOfResources

    def fits(constants: dict[str, Any], options: dict[str, Any]) -> None:
        raise OutOfResources(300_000, 232_448, "shared memory")

    gpu.fits = fits
    with pytest.raises(OutOfResources):
        tuned()[grid](Tensor(), 1024)
    assert gpu.launches == []


def test_a_worker_that_fails_costs_its_configuration(gpu: Gpu, compilers: Compilers) -> None:
    kernel = tuned()
    kernel[grid](Tensor(), 1024)
    compilers.finish(1, ("failed", "PTXASError", "out of registers"))
    compilers.finish()
    for _ in range(300):
        kernel[grid](Tensor(), 1024)
    assert set(blocks(gpu)) == {64, 256, 512}


def test_inside_a_capture_the_incumbent_runs(gpu: Gpu, compilers: Compilers) -> None:
    gpu.latency = lambda launched: {64: 40e-6, 128: 30e-6, 256: 10e-6, 512: 25e-6}[launched.constants["BLOCK"]]
    compilers.at_once = True
    kernel = tuned()
    for _ in range(1000):
        kernel[grid](Tensor(), 1024)
    gpu.launches.clear()
    gpu.capturing = True
    for _ in range(200):
        kernel[grid](Tensor(), 1024)
    assert set(blocks(gpu)) == {256}
    assert not any(launched.timed for launched in gpu.launches)


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
        triton.Config({"BLOCK": 128}, num_warps=8, num_stages=5, maxnreg=64),
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
    for kernel, rule in ((below, lambda l: l.arguments["n"] % l.constants["BLOCK"] == 0),
                         (above, lambda l: l.arguments["n"] % 2 == 0)):
        gpu.launches.clear()
        for n in (1000, 1024, 192, 1000, 63) * 40:
            kernel[(1,)](Tensor(), Tensor(), 5, n, 1, 0.5, True)
        assert len(gpu.launches) == 200
        assert all(launched.constants["EVEN"] == rule(launched) for launched in gpu.launches)
        assert {launched.constants["BLOCK"] for launched in gpu.launches} == set(BLOCKS)


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


def test_a_selector_for_each_device(gpu: Gpu, compilers: Compilers) -> None:
    gpu.latency = lambda launched: {
        0: {64: 10e-6, 128: 20e-6, 256: 30e-6, 512: 40e-6},
        1: {64: 40e-6, 128: 30e-6, 256: 20e-6, 512: 10e-6},
    }[launched.device][launched.constants["BLOCK"]]
    compilers.at_once = True
    kernel = tuned()
    for _ in range(600):
        for gpu.device in (0, 1):
            kernel[grid](Tensor(), 1024)
    assert set(ads.triton.selectors()) == {0, 1}
    last = {device: [l.constants["BLOCK"] for l in gpu.launches if l.device == device][-100:] for device in (0, 1)}
    assert last[0].count(64) > 95 and last[1].count(512) > 95
    assert all(launched.stream == 1000 + launched.device for launched in gpu.launches)


def test_install_and_uninstall(gpu: Gpu, compilers: Compilers) -> None:
    before = triton.autotune(configs=configs(), key=["n"])(triton.jit(scale))
    ads.triton.install()
    ads.triton.install()
    try:
        after = triton.autotune(configs=configs(), key=["n"])(triton.jit(scale))
        for kernel in (before, after):
            gpu.launches.clear()
            kernel[grid](Tensor(), 1024)
            kernel.run(Tensor(), 1024, grid=grid, warmup=False)
            assert len(gpu.launches) == 2
    finally:
        ads.triton.uninstall()
    ads.triton.uninstall()
    gpu.launches.clear()
    triton.autotune(configs=configs(), key=["n"])(triton.jit(scale))[grid](Tensor(), 1024)
    assert len(gpu.launches) > 2  # Triton measures ahead


def test_a_warm_up_is_tritons(gpu: Gpu, compilers: Compilers) -> None:
    kernel = tuned()
    kernel.warmup(Tensor(), 1024, grid=(1,))
    assert gpu.launches == [] and len(gpu.compiled) == 4
    for _ in range(300):
        kernel[grid](Tensor(), 1024)
    compilers.finish()
    assert len(gpu.compiled) == 4


def test_threads_launch_the_same_kernel(gpu: Gpu, compilers: Compilers) -> None:
    compilers.at_once = True
    kernel = tuned()
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for call in range(300):
                kernel[grid](Tensor(), 16 * (1 + (call + number) % 20))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(gpu.launches) == 1200


def test_globals_that_change_are_noticed(gpu: Gpu, compilers: Compilers, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = tuned()
    for _ in range(3):
        kernel[grid](Tensor(), 1024)
    scope = {"FACTOR": 3}
    kernel.fn.used_global_vals = {("FACTOR", id(scope)): (2, scope)}
    with pytest.raises(RuntimeError, match="FACTOR has changed"):
        kernel[grid](Tensor(), 1024)


def test_what_was_learned_is_the_next_run_start(gpu: Gpu, compilers: Compilers, tmp_path: Any) -> None:
    from adaptive_selector.triton._settings import Settings, settings

    gpu.latency = lambda launched: {64: 40e-6, 128: 30e-6, 256: 10e-6, 512: 25e-6}[launched.constants["BLOCK"]]
    compilers.at_once = True
    kernel = tuned()
    for _ in range(1000):
        kernel[grid](Tensor(), 1024)
    ads.triton.selector().save(tmp_path / "learned.json")

    fresh = Settings()
    fresh.configure(lambda ordinal: ads.Selector(tables=tmp_path / "learned.json", device="host", seed=9), None)
    fresh.begin_of = settings.begin_of
    fresh.use_compilers(Compilers())
    vars(settings).update(vars(fresh))
    gpu.compiled.clear()
    gpu.launches.clear()
    again = tuned()
    again[grid](Tensor(), 1024)
    assert [c["BLOCK"] for c in gpu.compiled] == [256]
    assert blocks(gpu) == [256]


def test_timings_that_triton_has_cached_are_seeds(gpu: Gpu, compilers: Compilers, monkeypatch: pytest.MonkeyPatch,
                                                  tmp_path: Any) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    gpu.latency = lambda launched: {64: 40e-6, 128: 30e-6, 256: 10e-6, 512: 25e-6}[launched.constants["BLOCK"]]
    triton.autotune(configs=configs(), key=["n"], cache_results=True)(triton.jit(scale))[grid](Tensor(), 1024)
    assert list(tmp_path.rglob("*.autotune.json"))
    gpu.compiled.clear()
    gpu.launches.clear()
    kernel = tuned()
    kernel[grid](Tensor(), 1024)
    assert [c["BLOCK"] for c in gpu.compiled] == [256]
    assert blocks(gpu) == [256]


def test_without_a_gpu_it_is_tritons_tuner(gpu: Gpu, monkeypatch: pytest.MonkeyPatch) -> None:
    from adaptive_selector.triton._settings import Settings, settings

    vars(settings).update(vars(Settings()))
    monkeypatch.setattr(ads, "why_no_gpu", lambda: "this machine has no NVIDIA GPU")
    kernel = tuned()
    kernel[grid](Tensor(), 1024)
    assert len(gpu.launches) == 9  # two for each configuration, and the one that was asked for


def test_an_error_of_the_program_costs_no_configuration(gpu: Gpu, compilers: Compilers) -> None:
    """A grid that raises says nothing about the configuration; a launch that raises does."""
    compilers.at_once = True
    kernel = tuned(configs=configs()[:2])

    def broken(meta: Any) -> Any:
        raise ZeroDivisionError

    for _ in range(50):
        with pytest.raises(ZeroDivisionError):
            kernel[broken](Tensor(), 1024)
    operation = next(iter(ads.triton.selectors().values())).find("triton_kernels.scale.fp32")
    assert operation is not None and operation.counters.failures == 0

    def work(launched: Launched) -> None:
        if launched.constants["BLOCK"] == 128:
            raise RuntimeError("Triton Error [CUDA]: invalid argument")

    gpu.work = work
    raised = 0
    for _ in range(200):
        try:
            kernel[grid](Tensor(), 1024)
        except RuntimeError:
            raised += 1
    assert raised == 1 and operation.counters.failures == 1


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


def test_forks_compile_with_workers_of_their_own(gpu: Gpu, compilers: Compilers) -> None:
    import os

    from adaptive_selector.triton._settings import settings

    child = os.fork()
    if child == 0:
        os._exit(0 if settings._compilers is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert settings.compilers() is compilers


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


def test_a_new_key_costs_little(gpu: Gpu, compilers: Compilers, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Configurations are not compared, which takes microseconds each, and no folder is made in Triton's cache."""
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    compilers.at_once = True
    kernel = tuned()
    kernel[grid](Tensor(), 1024)
    compared: list[Any] = []
    equal = triton.Config.__eq__
    monkeypatch.setattr(triton.Config, "__eq__", lambda self, other: compared.append(self) or equal(self, other))
    for n in range(2048, 2048 + 16 * 50, 16):
        kernel[grid](Tensor(), n)
    assert compared == []
    assert list(tmp_path.iterdir()) == []
