from __future__ import annotations

import gc
import sys
import weakref
from typing import Any

import pytest
from launches import learn

import adaptive_selector as ads


@pytest.fixture
def unraisable(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    caught: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda event: caught.append((event.exc_type, str(event.exc_value))))
    return caught


def test_dimensions_and_variants_in_every_form(selector: ads.Selector) -> None:
    operation = selector.define(
        "op",
        dimensions=["m", {"name": "n", "rounding": "power_of_two"}, ads.Dimension("depth", kind="linear", weight=0.5)],
        variants=["a", {"name": "b", "parameters": {"tile": 64, "fast": True, "alpha": 0.5, "layout": "row"}},
                  ads.Variant("c", numeric_class="exact")],
    )
    assert [d.name for d in operation.dimensions] == ["m", "n", "depth"]
    assert [d.kind for d in operation.dimensions] == ["size", "size", "linear"]
    assert operation.dimensions[1].rounding == "power_of_two"
    assert operation.dimensions[2].weight == 0.5
    assert operation.variants == ["a", "b", "c"]
    assert ads.Variant("b", parameters={"tile": 64, "fast": True}).parameters == {"fast": True, "tile": 64}


def test_the_same_definition_gives_the_same_operation(selector: ads.Selector, gemm: ads.Operation) -> None:
    again = selector.define("gemm", ["m", "n", "k"], ["a", {"name": "b", "parameters": {"tile": 64}}])
    assert again == gemm and hash(again) == hash(gemm)
    assert selector.find("gemm") == gemm
    assert selector.find("other") is None
    with pytest.raises(ads.Error, match="gemm: is already defined with other dimensions or variants") as caught:
        selector.define("gemm", ["m"], ["a"])
    assert caught.value.where == "gemm"
    assert caught.value.problem == "is already defined with other dimensions or variants"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((3, ["m"], ["a"]), TypeError),
        (("op", [3], ["a"]), TypeError),
        (("op", ["m"], [None]), TypeError),
        (("op", [{"name": "m", "size": 3}], ["a"]), TypeError),
        (("op", [{"name": "m", "kind": "huge"}], ["a"]), ValueError),
        (("op", ["m"], [{"name": "a", "supports": 3}]), TypeError),
        (("op", ["m"], [{"name": "a", "memory": "1 GB"}]), TypeError),
        (("op", ["m"], [{"name": "a", "memory": -1}]), ValueError),
        (("op", [], ["a"]), ads.Error),
        (("op", ["m"], []), ads.Error),
        (("a name", ["m"], ["a"]), ads.Error),
    ],
)
def test_what_does_not_fit(selector: ads.Selector, arguments: tuple[Any, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        selector.define(*arguments)


def test_supports(selector: ads.Selector) -> None:
    asked: list[tuple[int, ...]] = []

    def divisible(m: int, n: int) -> bool:
        asked.append((m, n))
        return m % 64 == 0

    operation = selector.define("op", ["m", "n"], ["a", {"name": "b", "supports": divisible}])
    learn(operation, 64, 5, latencies=(20e-6, 10e-6))
    learn(operation, 65, 5, latencies=(20e-6, 10e-6))
    assert operation.select(64, 5).name == "b"
    assert operation.select(65, 5).name == "a"
    assert operation.explain(65, 5).unsupported == ["b"]
    assert set(asked) == {(64, 5), (65, 5)}
    assert len(asked) <= 6  # once a key on the launch path, and for explanations


def test_supports_that_raises(selector: ads.Selector, unraisable: list[Any]) -> None:
    def broken(m: int) -> bool:
        raise RuntimeError(f"no answer for {m}")

    operation = selector.define("op", ["m"], ["a", {"name": "b", "supports": broken}])
    learn(operation, 64, latencies=(20e-6, 10e-6))
    assert operation.select(64).name == "a"
    assert unraisable == [(RuntimeError, "no answer for 64")]


def test_memory(selector: ads.Selector, unraisable: list[Any]) -> None:
    def broken(m: int) -> int:
        return -m

    operation = selector.define(
        "op",
        ["m"],
        [{"name": "a", "memory": broken}, {"name": "b", "memory": 500}, ads.Variant("c", memory=lambda m: 100 * m)],
    )
    learn(operation, 64, latencies=(30e-6, 20e-6, 10e-6))
    assert operation.select(64).name == "c"
    assert [c.memory for c in operation.explain(64).candidates] == [0, 500, 6400]
    assert {kind for kind, _ in unraisable} == {TypeError}
    assert selector.memory_limit is None
    selector.memory_limit = 1000
    assert selector.memory_limit == 1000
    assert operation.select(64).name == "b"
    selector.memory_limit = 0
    assert operation.select(64).name == "a"
    selector.memory_limit = None
    learn(operation, 64, latencies=(30e-6, 20e-6, 10e-6))
    assert operation.select(64).name == "c"
    limited = ads.Selector(tables=None, device="host", background=False, learning=ads.LearningOptions(memory_limit=1000))
    assert limited.memory_limit == 1000


def test_candidates_and_default(selector: ads.Selector) -> None:
    operation = selector.define("op", ["m"], ["a", "b", "c"], candidates=lambda m: [2, 1])
    assert operation.select(5).name == "c"
    assert [c.name for c in operation.explain(5).candidates] == ["c", "b"]
    other = selector.define("other", ["m"], ["a", "b"], default_variant=lambda m: int(m > 10))
    assert (other.select(5).name, other.select(50).name) == ("a", "b")


def test_candidates_of_a_wrong_type(selector: ads.Selector, unraisable: list[Any]) -> None:
    operation = selector.define("op", ["m"], ["a", "b"], candidates=lambda m: "b")
    assert operation.select(5).name == "a"
    assert unraisable and unraisable[0][0] is TypeError


def test_variants_that_come_later(selector: ads.Selector, gemm: ads.Operation) -> None:
    assert gemm.add_variant({"name": "c", "parameters": {"tile": 128}}) == 2
    assert gemm.variants == ["a", "b", "c"]
    learn(gemm, 1, 2, 3, latencies=(20e-6, 15e-6, 10e-6))
    assert gemm.select(1, 2, 3).name == "c"
    with pytest.raises(ads.Error):
        gemm.add_variant("c")


def test_a_function_that_knows_its_selector_is_collected() -> None:
    def make() -> weakref.ref[ads.Selector]:
        selector = ads.Selector(tables=None, device="host")

        def supports(m: int) -> bool:
            return selector.mode == "online"

        operation = selector.define("op", ["m"], ["a", {"name": "b", "supports": supports}])
        operation.select(1)
        return weakref.ref(selector)

    reference = make()
    gc.collect()
    assert reference() is None


def test_run(gemm: ads.Operation) -> None:
    assert gemm.run(lambda variant: ("result", variant), 1, 2, 3) == ("result", 0)
    assert gemm.counters.results == 1

    def fails(variant: int) -> None:
        raise ValueError("no")

    def interrupted(variant: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gemm.run(interrupted, 1, 2, 3)
    assert gemm.counters.failures == 0  # says nothing of the variant
    with pytest.raises(ValueError, match="no"):
        gemm.run(fails, 1, 2, 3)
    assert gemm.counters.failures == 1


def test_launch_on_the_host(gemm: ads.Operation) -> None:
    with gemm.launch(1, 2, 3) as launch:
        assert (launch.variant, launch.name, launch.timed) == (0, "a", True)
        assert not launch.captured and launch.pin is None
    assert gemm.counters.results == 1
    with gemm.site(1, 2, 3).launch() as launch:
        assert launch.variant in (0, 1)
    assert gemm.counters.results == 2


def test_a_launch_that_fails(gemm: ads.Operation) -> None:
    with pytest.raises(ValueError), gemm.launch(1, 2, 3):
        raise ValueError
    assert (gemm.counters.failures, gemm.counters.results) == (1, 0)
    with pytest.raises(KeyboardInterrupt), gemm.launch(1, 2, 3):
        raise KeyboardInterrupt
    assert (gemm.counters.failures, gemm.counters.results) == (1, 0)
    with gemm.launch(1, 2, 3) as launch:
        launch.fail()
    assert (gemm.counters.failures, gemm.counters.results) == (2, 0)
    with pytest.raises(ads.Error, match="entered once") as caught:
        launch.__enter__()
    assert caught.value.code == "not_allowed_now"
    with pytest.raises(ads.Error, match="inside the `with` block"):
        gemm.launch(1, 2, 3).variant


def test_a_stream_that_is_none(gemm: ads.Operation) -> None:
    with pytest.raises(TypeError, match="stream is an integer"):
        gemm.launch(1, 2, 3, stream="default")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="no other keyword"):
        gemm.launch(1, 2, 3, streams=0)  # type: ignore[call-arg]


def test_a_gpu_selector_insists_on_the_stream() -> None:
    gpu = ads.Fingerprint("NVIDIA H200", libraries={"compute_capability": "9.0"})
    operation = ads.Selector(tables=None, device=gpu).define("gemm", ["m"], ["a"])
    with pytest.raises(TypeError, match="launch needs the stream"):
        operation.launch(1)


@pytest.mark.skipif(ads.why_no_gpu() == "", reason="this machine has a GPU")
def test_a_stream_without_a_gpu(gemm: ads.Operation) -> None:
    class Stream:
        def __cuda_stream__(self) -> tuple[int, int]:
            return (0, 7)

    with pytest.raises(ads.Error, match="the host's clock times the launch then"), gemm.launch(1, 2, 3, stream=Stream()):
        pass
    assert gemm.select(1, 2, 3).variant == 0


def test_learning_options() -> None:
    options = ads.LearningOptions(indifference=0.02, objective="mean", timing_cost=3e-6)
    assert (options.indifference, options.objective, options.timing_cost) == (0.02, "mean", pytest.approx(3e-6))
    assert "default" in ads.policy_names()
    selector = ads.Selector(tables=None, device="host", learning=options, policy="thompson")
    assert selector.define("op", ["m"], ["a"]).select(1).variant == 0
    with pytest.raises(ValueError, match="objective is 'median'"):
        ads.LearningOptions(objective="median")
    with pytest.raises(ads.Error):
        ads.Selector(policy="best", device="host")
    with pytest.raises(ads.Error):
        ads.Selector(tables=None, device="host", learning=ads.LearningOptions(error=2.0))


def test_devices() -> None:
    host = ads.host_device()
    assert ads.Selector(tables=None, device="host").device == host
    assert ads.Selector(tables=None, device=ads.Fingerprint("NVIDIA H200", driver="580")).device.driver == "580"
    assert ads.normalised_device("NVIDIA H200") == "nvidia_h200"
    with pytest.raises(TypeError, match="device is None, 'host'"):
        ads.Selector(device="gpu")


def test_a_gpu_that_is_not_there_is_said_in_the_words_of_python() -> None:
    if not ads.why_no_gpu():
        pytest.skip("there is a GPU")
    with pytest.raises(ads.Error, match="device='host'") as error:
        ads.Selector(device=1)
    assert (error.value.code, error.value.where) == ("unsupported", "device 1")
