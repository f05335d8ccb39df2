"""The own launcher runs exactly the kernel that JITFunction.run would."""

from __future__ import annotations

import random
from typing import Any

import pytest

import adaptive_selector as ads

triton = pytest.importorskip("triton")

from fake_gpu import Compilers, Gpu, Tensor  # noqa: E402
from triton_kernels import annotated, mixed  # noqa: E402

INTEGERS = [0, 1, 2, 15, 16, 17, 32, 1024, -1, -16, -17, 2**31 - 1, 2**31, 2**31 + 16, -(2**31), -(2**31) - 1, 2**40,
            2**62, 2**63 - 1, 2**63, 2**64 - 16, True, False]
POINTERS = [Tensor(dtype=dtype, address=address) for dtype in ("fp16", "fp32", "i8") for address in (0, 8, 16, 4096, 4097)]
CONSTANTS = [True, False, None, 2, 3, 16, 1.5, 0.25, -0.25, "tf32", "a rather long text that is longer than sixty-four bytes of text",
             triton.language.float16, triton.language.float32, (2, 3), (2, 4)]


def arguments_of(random: random.Random, function: Any) -> dict[str, Any]:
    integer = lambda: random.choice(INTEGERS)  # noqa: E731
    pointer = lambda: random.choice([*POINTERS, None])  # noqa: E731
    if function is mixed:
        return {"a_ptr": pointer(), "b_ptr": pointer(), "m": integer(), "n": integer(), "stride": integer(),
                "alpha": random.choice([0.5, 1.0, 2, None]), "flag": random.choice([True, False, 1, 0]),
                "EVEN": random.choice(CONSTANTS), **({"KIND": random.choice(CONSTANTS)} if random.random() < 0.3 else {})}
    return {"a_ptr": pointer(), "m": integer(), "n": random.choice([0, 1, 16, 17]), "x": random.choice([0.5, 1.0]),
            "flag": random.choice([True, False]), "EVEN": random.choice(CONSTANTS)}


@pytest.mark.parametrize("options", [{}, {"do_not_specialize": ["m", "stride"]},
                                     {"do_not_specialize_on_alignment": ["a_ptr", "n"]}])
@pytest.mark.parametrize("function", [mixed, annotated])
@pytest.mark.parametrize("seed", range(2))
def test_the_kernel_is_the_one_of_jit_function(gpu: Gpu, compilers: Compilers, function: Any, options: Any, seed: int) -> None:
    """Random arguments, in positions and by name: the kernel that was launched is the one that JITFunction.run finds
    under its own key for the same configuration, and it had been compiled."""
    if function is annotated:
        options = {name: [p for p in names if p != "stride"] for name, names in options.items()}
    choice = random.Random(seed)
    compilers.at_once = True
    jit = triton.jit(function, **options)
    kernel = ads.triton.autotune(
        configs=[triton.Config({"BLOCK": 64}), triton.Config({"BLOCK": 128}, num_warps=8)], key=["n"]
    )(jit)
    recent: list[dict[str, Any]] = []
    known = 0
    for _ in range(400):
        # Half of the calls are of a kind that has been seen, so that the table is used.
        named = arguments_of(choice, function) if not recent or choice.random() < 0.5 else choice.choice(recent[-20:])
        recent.append(named)
        names = [name for name in jit.arg_names if name in named]
        first = next((i for i, name in enumerate(jit.arg_names) if name not in named), len(names))
        split = choice.randrange(0, first + 1)
        args = tuple(named[name] for name in names[:split])
        kwargs = {name: named[name] for name in names[split:]}
        learner = kernel.__dict__.get("_adaptive_learner")
        table = learner._devices[0].table if learner is not None and 0 in learner._devices else None
        defaults = {"KIND": "plain"} if function is mixed else {}
        known += table is not None and table.find(*({**defaults, **named}[name] for name in learner.plan.given)) is not None
        gpu.launches.clear()
        kernel[(1,)](*args, **kwargs)
        (launched,) = gpu.launches
        config = kernel.configs[0 if launched.constants["BLOCK"] == 64 else 1]
        compiled = len(gpu.compiled)
        theirs = jit.run(*args, **kwargs, **config.all_kwargs(), grid=(1,), warmup=False)
        assert theirs is launched.kernel, named
        assert len(gpu.compiled) == compiled, named
        # And with the same arguments, in the same order.
        assert gpu.launches[1].arguments == launched.arguments
    assert known > 60


def test_what_the_table_holds_and_what_not() -> None:
    from adaptive_selector._core import LaunchTable

    table = LaunchTable(["properties", "value"], identity_types=(triton.language.dtype,))
    assert table.insert("a", 32, 0.0)
    assert table.find(48, 0.0) == "a"
    assert table.find(48, -0.0) is None and table.find(48, 0) is None and table.find(48, False) is None
    assert table.find(1, 0.0) is None and table.find(17, 0.0) is None and table.find(2**40, 0.0) is None
    assert not table.insert("b", (1, 2), 0.0) and not table.insert("b", 2**64, 0.0)
    assert not table.insert("b", 32, (1, 2)) and not table.insert("b", 32, "x" * 65)
    assert table.insert("c", Tensor(address=16), "text") and table.insert("d", Tensor(address=8), "text")
    assert table.find(Tensor(address=32), "text") == "c" and table.find(Tensor(address=9), "text") == "d"
    assert table.find(Tensor(dtype="fp16"), "text") is None
    assert table.insert("e", None, triton.language.float16)
    assert table.find(None, triton.language.float32) is None
    assert len(table) == 4
    with pytest.raises(TypeError, match="2 parameters, not 1"):
        table.find(1)
    table.clear()
    assert len(table) == 0 and table.find(48, 0.0) is None
    with pytest.raises(ValueError):
        LaunchTable(["other"])


def test_a_table_is_bounded_and_can_be_collected() -> None:
    import gc
    import weakref

    from adaptive_selector._core import LaunchTable

    table = LaunchTable(["value"], capacity=10)
    for n in range(1000):
        table.insert(n, n)
        assert len(table) <= 10
    assert table.find(999) == 999

    class Value:
        pass

    value = Value()
    value.table = table  # type: ignore[attr-defined]
    table.insert(value, 5)
    gone = weakref.ref(value)
    del value, table
    gc.collect()
    assert gone() is None


def test_the_compiled_launcher_gets_what_tritons_passes_on(gpu: Gpu) -> None:
    """A launch goes to the compiled function inside Triton's launcher, with the arguments that the launcher would pass."""
    from adaptive_selector.triton._entry import _bare

    launcher = pytest.importorskip("triton.backends.nvidia.driver").CudaLauncher
    passed: list[Any] = []
    stub = object.__new__(launcher)
    vars(stub).update(
        launch=lambda *args: passed.append(args), num_ctas=1, global_scratch_size=0, global_scratch_align=1,
        profile_scratch_size=0, profile_scratch_align=1, launch_cooperative_grid=True, launch_pdl=False,
        gsan_enabled=False, arg_annotations=(), kernel_signature=b"",
    )
    rest = ("packed", "metadata", "enter", "leave", "a", 5)
    stub(1, 2, 3, 7, 99, *rest)
    launch, cooperative, dependent = _bare(stub)
    launch(1, 2, 3, 7, 99, cooperative, dependent, None, None, *rest)
    assert passed[0] == passed[1]
    if triton.__version__.startswith("3.6."):
        assert launch is stub.launch
    # Scratch memory is for Triton's launcher to allocate.
    stub.global_scratch_size = 64
    assert _bare(stub)[0] is not stub.launch
