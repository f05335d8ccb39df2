"""Triton kernels that learn, on a GPU that is none."""

from __future__ import annotations

import math
import threading
from typing import Any

import pytest

import adaptive_selector as ads

triton = pytest.importorskip("triton")

from fake_gpu import Compilers, Gpu, Launched, Tensor  # noqa: E402
from triton_kernels import scale  # noqa: E402
from triton_tuners import blocks, configs, grid, tuned  # noqa: E402


def block_256_is_fastest(launched: Launched) -> float:
    return {64: 40e-6, 128: 30e-6, 256: 10e-6, 512: 25e-6}[launched.constants["BLOCK"]]


def save_what_is_learned(gpu: Gpu, compilers: Compilers, table: Any, launches: int) -> None:
    gpu.latency = block_256_is_fastest
    compilers.at_once = True
    kernel = tuned()
    for _ in range(launches):
        kernel[grid](Tensor(), 1024)
    ads.triton.selector().save(table)


def begin_next_run(gpu: Gpu, selector_of: Any) -> None:
    from adaptive_selector.triton._settings import Settings, settings

    fresh = Settings()
    fresh.configure(selector_of, None)
    fresh.begin_of = settings.begin_of
    fresh.use_compilers(Compilers())
    vars(settings).update(vars(fresh))
    gpu.compiled.clear()
    gpu.launches.clear()


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
    # Nothing is known: one in the middle is surely not the worst.
    assert [c["BLOCK"] for c in gpu.compiled] == [128]
    assert blocks(gpu) == [128]
    assert gpu.launches[0].grid == (8, 1, 1)
    assert len(compilers.waiting) == 3
    # Nothing else is compiled, whatever is launched meanwhile, and no launch waits for it.
    for _ in range(100):
        kernel[grid](Tensor(), 1024)
    assert [c["BLOCK"] for c in gpu.compiled] == [128]
    assert set(blocks(gpu)) == {128}
    assert len(gpu.launches) == 101


def test_what_is_compiled_is_tried_and_the_fastest_stays(gpu: Gpu, compilers: Compilers) -> None:
    gpu.latency = block_256_is_fastest
    kernel = tuned()
    for _ in range(50):
        kernel[grid](Tensor(), 1024)
    compilers.finish(1)
    for _ in range(200):
        kernel[grid](Tensor(), 1024)
    assert set(blocks(gpu)) == {128, 512}  # the next to be compiled is the one that is most unlike the first
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
    """A key that comes once starts from what other keys have shown."""
    gpu.latency = block_256_is_fastest
    compilers.at_once = True
    kernel = tuned()
    for call in range(1000):
        kernel[grid](Tensor(), 1024 * (1 + call % 20))
    ads.triton.selector().fit_predictions()
    gpu.launches.clear()
    for call in range(1000):
        kernel[grid](Tensor(), 16 * (65 + call))
    assert blocks(gpu).count(256) > 900
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
        if constants["BLOCK"] in (128, 256):
            raise OutOfResources(300_000, 232_448, "shared memory")

    gpu.fits = fits
    gpu.latency = lambda launched: {64: 20e-6, 128: 1e-6, 256: 1e-6, 512: 30e-6}[launched.constants["BLOCK"]]
    kernel = tuned()
    kernel[grid](Tensor(), 1024)
    assert blocks(gpu) == [512]
    compilers.finish()
    for _ in range(500):
        kernel[grid](Tensor(), 1024)
    assert set(blocks(gpu)) == {64, 512}
    assert kernel.best_config.kwargs == {"BLOCK": 64}


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
    assert set(blocks(gpu)) == {64, 128, 256}


def test_an_error_of_a_worker_is_looked_at_here(gpu: Gpu, compilers: Compilers) -> None:
    """A worker's copy of a kernel may lack something that the kernel has."""
    kernel = tuned()
    kernel[grid](Tensor(), 1024)
    compilers.finish(answer=("failed", "CompilationError", "NameError: x is not defined"))
    assert {c["BLOCK"] for c in gpu.compiled} == {64, 128, 256, 512}
    for _ in range(300):
        kernel[grid](Tensor(), 1024)
    assert set(blocks(gpu)) == {64, 128, 256, 512}


def test_a_worker_that_dies_costs_its_configuration(gpu: Gpu, compilers: Compilers) -> None:
    """What kills a compiler would kill the program."""
    kernel = tuned()
    kernel[grid](Tensor(), 1024)
    compilers.finish(1, ("failed", "WorkerDied", "the process that compiled it has ended"))
    compilers.finish()
    for _ in range(300):
        kernel[grid](Tensor(), 1024)
    assert len(set(blocks(gpu))) == 3
    assert len(gpu.compiled) == 3


def test_workers_begin_before_the_first_configuration_is_compiled(gpu: Gpu, compilers: Compilers,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    import triton.compiler

    waiting: list[int] = []
    compile = triton.compiler.compile
    monkeypatch.setattr("triton.compiler.compile",
                        lambda *args, **kwargs: waiting.append(ads.triton.pending()) or compile(*args, **kwargs))
    tuned()[grid](Tensor(), 1024)
    assert waiting == [3]


def test_a_kernel_that_does_not_compile_leaves_the_workers_alone(gpu: Gpu, compilers: Compilers,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise SyntaxError("the kernel is wrong")

    monkeypatch.setattr("triton.compiler.compile", broken)
    kernel = tuned()
    for _ in range(2):
        with pytest.raises(SyntaxError):
            kernel[grid](Tensor(), 1024)
        assert compilers.waiting == []


def test_the_first_of_many_configurations_to_compile_are_unlike(gpu: Gpu) -> None:
    from adaptive_selector.triton._operation import middle, spread

    tiles = [triton.Config({"M": m, "N": n}, num_warps=warps) for m in (16, 32, 64, 128) for n in (16, 32, 64, 128)
             for warps in (2, 4, 8)]
    first = middle(tiles, range(len(tiles)))
    assert (tiles[first].kwargs, tiles[first].num_warps) == ({"M": 32, "N": 32}, 4)
    order = spread(tiles, range(len(tiles)), first)
    assert sorted(order) == list(range(len(tiles)))

    def place(index: int) -> list[float]:
        config = tiles[index]
        return [math.log2(config.kwargs["M"] / 16), math.log2(config.kwargs["N"] / 16), 1.5 * math.log2(config.num_warps / 2)]

    def farthest(first: list[int]) -> float:
        return max(min(math.dist(place(i), place(j)) for j in first) for i in range(len(tiles)))

    assert place(order[1])[:2] == [3, 3]
    assert farthest(order[:8]) < 0.65 * farthest(list(range(8)))
    assert spread(configs(), [3, 2, 1, 0], 2) == [2, 0, 3, 1]
    assert spread(configs(), [0], 0) == [0] and middle(configs(), [0]) == 0
    # Configurations that say nothing of each other, and names of functions.
    odd = [triton.Config({}), triton.Config({"KIND": "a"}), triton.Config({"KIND": "b", "ON": True})]
    assert sorted(spread(odd, range(3), middle(odd, range(3)))) == [0, 1, 2]


def test_inside_a_capture_the_incumbent_runs(gpu: Gpu, compilers: Compilers) -> None:
    gpu.latency = block_256_is_fastest
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


def test_what_was_learned_is_the_next_run_start(gpu: Gpu, compilers: Compilers, tmp_path: Any) -> None:
    save_what_is_learned(gpu, compilers, tmp_path / "learned.json", 1000)
    begin_next_run(gpu, lambda ordinal: ads.Selector(tables=tmp_path / "learned.json", device="host", seed=9))
    again = tuned()
    again[grid](Tensor(), 1024)
    assert [c["BLOCK"] for c in gpu.compiled] == [256]
    assert blocks(gpu) == [256]


def test_timings_that_triton_has_cached_are_seeds(gpu: Gpu, compilers: Compilers, monkeypatch: pytest.MonkeyPatch,
                                                  tmp_path: Any) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    gpu.latency = block_256_is_fastest
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


def test_forks_compile_with_workers_of_their_own(gpu: Gpu, compilers: Compilers) -> None:
    import os

    from adaptive_selector.triton._settings import settings

    child = os.fork()
    if child == 0:
        os._exit(0 if settings._compilers is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert settings.compilers() is compilers


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


def test_ranks_launch_alike(gpu: Gpu, compilers: Compilers, tmp_path: Any) -> None:
    """Two devices are two ranks here, and one has its kernels compiled long before the other."""
    from adaptive_selector.triton._settings import Settings, settings

    fast = {1024: 256, 2048: 128}
    gpu.latency = lambda launched: 10e-6 if launched.constants["BLOCK"] == fast[launched.arguments["n"]] else 30e-6
    compilers.at_once = True
    kernel = tuned()
    for n in fast:
        for _ in range(500):
            kernel[grid](Tensor(), n)
    ads.triton.selector().save(tmp_path / "learned.json")

    fresh = Settings()
    fresh.configure(lambda ordinal: ads.Selector(tables=tmp_path / "learned.json", device="host", seed=ordinal,
                                                 rank_consistent=True), None)
    fresh.begin_of = settings.begin_of
    fresh.use_compilers(compilers)
    vars(settings).update(vars(fresh))
    compilers.at_once = False
    again = tuned()
    gpu.launches.clear()
    gpu.compiled.clear()
    sizes = [1024, 2048, 1024, 2048]
    gpu.device = 0
    again.warmup(Tensor(), 1024, grid=grid)  # everything is compiled in this rank
    assert len(gpu.compiled) == 4
    for gpu.device in (0, 1):
        for n in sizes:
            again[grid](Tensor(), n)
    ran = {device: [l.constants["BLOCK"] for l in gpu.launches if l.device == device] for device in (0, 1)}
    assert ran[0] == ran[1] == [fast[n] for n in sizes]
    assert len(gpu.compiled) == 6 and compilers.waiting == []  # this rank compiles what it runs, and nothing else


def test_new_tables_reach_every_rank_at_once(gpu: Gpu, compilers: Compilers, tmp_path: Any) -> None:
    save_what_is_learned(gpu, compilers, tmp_path / "learned.json", 500)
    begin_next_run(gpu, lambda ordinal: ads.Selector(tables=None, device="host", rank_consistent=True))
    again = tuned()
    for _ in range(100):
        again[grid](Tensor(), 1024)
    assert set(blocks(gpu)) == {128}  # nothing is explored
    ads.triton.selector().advance_epoch(tmp_path / "learned.json")
    gpu.launches.clear()
    again[grid](Tensor(), 1024)
    assert blocks(gpu) == [256]
