from __future__ import annotations

import pytest
from launches import learn

import adaptive_selector as ads


def test_decision_names_a_variant(gemm: ads.Operation) -> None:
    decision = gemm.select(16, 4096, 4096)
    assert decision.variant == 0
    assert decision.name == "a"
    assert decision.timed is True  # the first launch of a key is always wanted
    assert repr(decision) == "Decision('a', timed)"


def test_the_faster_variant_is_learned(gemm: ads.Operation) -> None:
    learn(gemm, 16, 4096, 4096, latencies=(20e-6, 10e-6))
    assert gemm.select(16, 4096, 4096).name == "b"
    assert gemm.pin(16, 4096, 4096).name == "b"
    assert gemm.explain(16, 4096, 4096).incumbent == "b"
    assert gemm.counters.promotions == 1


def test_seconds_may_be_given_by_position(gemm: ads.Operation) -> None:
    gemm.record(gemm.select(1, 2, 3), 10e-6)
    assert gemm.counters.results == 1
    assert gemm.explain(1, 2, 3).candidates[0].mean == pytest.approx(10e-6)


def test_a_second_result_is_dropped(gemm: ads.Operation) -> None:
    decision = gemm.select(1, 2, 3)
    gemm.record(decision, seconds=1e-5)
    gemm.record(decision, seconds=1e-5)
    assert (gemm.counters.results, gemm.counters.results_duplicate) == (1, 1)


def test_a_latency_without_a_decision(gemm: ads.Operation) -> None:
    gemm.select(1, 2, 3)
    gemm.record_latency(1, 2, 3, variant=1, seconds=2e-5)
    assert gemm.explain(1, 2, 3).candidates[1].count == 1


def test_a_failed_variant_is_set_aside(gemm: ads.Operation) -> None:
    learn(gemm, 1, 2, 3, latencies=(20e-6, 10e-6))
    gemm.fail(gemm.pin(1, 2, 3))
    assert gemm.select(1, 2, 3).name == "a"
    assert gemm.counters.failures == 1


@pytest.mark.parametrize("key", [(1, 2), (1, 2, 3, 4), (), tuple(range(20))])
def test_a_wrong_number_of_values(gemm: ads.Operation, key: tuple[int, ...]) -> None:
    for method in (gemm.select, gemm.select_known, gemm.pin, gemm.site, gemm.launch, gemm.explain):
        with pytest.raises(TypeError, match=r"a key of gemm has 3 values \(m, n, k\), not"):
            method(*key)


@pytest.mark.parametrize("value", [2.0, "two", None, [1]])
def test_a_value_of_a_wrong_type(gemm: ads.Operation, value: object) -> None:
    with pytest.raises(TypeError, match="n is an integer"):
        gemm.select(1, value, 3)  # type: ignore[arg-type]


def test_a_value_beyond_64_bits(gemm: ads.Operation) -> None:
    with pytest.raises(OverflowError):
        gemm.select(1, 2**70, 3)
    assert gemm.select(-1, 2, 3).variant == 0  # an error's own return value is a value as well


def test_values_with_an_index(gemm: ads.Operation) -> None:
    class Size:
        def __index__(self) -> int:
            return 16

    learn(gemm, 16, 2, 3, latencies=(20e-6, 10e-6))
    assert gemm.select(Size(), 2, 3).name == "b"
    gemm.select(True, 2, 3)
    assert gemm.keys() == [(16, 2, 3), (1, 2, 3)]  # a bool is the integer 1


@pytest.mark.parametrize("count", range(1, 13))
def test_every_number_of_dimensions(selector: ads.Selector, count: int) -> None:
    operation = selector.define(f"op{count}", [f"d{i}" for i in range(count)], ["a", "b"])
    key = tuple(range(100, 100 + count))
    learn(operation, *key, latencies=(20e-6, 10e-6))
    assert operation.select(*key).name == "b"
    assert operation.explain(*key).key == " ".join(f"d{i}={100 + i}" for i in range(count))


def test_labels(selector: ads.Selector) -> None:
    operation = selector.define(
        "matmul",
        ["m", {"name": "dtype", "labels": ["bf16", "f32"]}, ads.Dimension("bits", kind="label_set", labels=["2", "4"])],
        ["a", "b"],
    )
    learn(operation, 8, 1, 0b11, latencies=(20e-6, 10e-6))
    assert operation.select(8, "f32", ["4", "2"]).name == "b"
    operation.select(8, "bf16", {"2"})
    assert operation.explain(8, "bf16", {"2"}).key == "m=8 dtype=bf16 bits=2"
    assert operation.explain(8, "f32", ("2", "4")).key == "m=8 dtype=f32 bits=2+4"
    with pytest.raises(KeyError, match="dtype has no label 'f64'; it has bf16, f32"):
        operation.select(8, "f64", ())
    with pytest.raises(KeyError, match="bits has no label '3'"):
        operation.select(8, "f32", ["2", "3"])
    with pytest.raises(TypeError, match="bits is an integer or a collection of labels"):
        operation.select(8, "f32", [2])  # type: ignore[list-item]


def test_what_is_no_decision(selector: ads.Selector, gemm: ads.Operation) -> None:
    other = selector.define("other", ["m"], ["a"])
    with pytest.raises(ValueError, match="the decision is of operation other, not of gemm"):
        gemm.record(other.select(1), seconds=1.0)
    with pytest.raises(TypeError, match="a Decision is wanted"):
        gemm.record("a", seconds=1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="takes a decision and its latency"):
        gemm.record(gemm.select(1, 2, 3))  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="takes a decision and its latency"):
        gemm.record(gemm.select(1, 2, 3), milliseconds=1.0)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        gemm.record(gemm.select(1, 2, 3), seconds="1")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        ads.Decision()


def test_site(gemm: ads.Operation) -> None:
    site = gemm.site(16, 4096, 4096)
    for call in range(2000):
        decision = site.select()
        gemm.record(decision, seconds=(20e-6, 10e-6)[decision.variant] * (1 + 0.001 * (call % 7)))
    assert site.select().name == "b"
    assert site.variant() == 1
    assert site.pin().name == "b"
    assert site.operation == gemm


def test_a_pin_becomes_stale(gemm: ads.Operation) -> None:
    pin = gemm.pin(16, 4096, 4096)
    assert (pin.variant, pin.name, pin.stale) == (0, "a", False)
    learn(gemm, 16, 4096, 4096, latencies=(20e-6, 10e-6))
    assert pin.stale
    assert (pin.variant, repr(pin)) == (0, "Pin('a', stale)")
    assert not gemm.pin(16, 4096, 4096).stale


def test_select_known(gemm: ads.Operation) -> None:
    assert gemm.select_known(16, 4096, 4096) is None
    learn(gemm, 16, 4096, 4096, latencies=(20e-6, 10e-6))
    known = gemm.select_known(16, 4096, 4096)
    assert known is not None and known.name == "b"


def test_force_enable_and_reset(gemm: ads.Operation) -> None:
    learn(gemm, 1, 2, 3, latencies=(20e-6, 10e-6))
    with gemm.force("a"):
        assert gemm.select(1, 2, 3).name == "a"
    assert gemm.select(1, 2, 3).name == "b"
    gemm.enable("b", False)
    assert gemm.select(1, 2, 3).name == "a"
    gemm.enable("b")
    assert gemm.reset(1, 2, 3)
    assert not gemm.reset(9, 9, 9)
    assert gemm.select(1, 2, 3).name == "a"
    assert gemm.reset()
    with pytest.raises(ads.Error, match='there is no variant "c"'), gemm.force("c"):
        pass


def test_an_operation_outlives_its_names() -> None:
    decision = ads.Selector(tables=None, device="host").define("gemm", ["m"], ["a"]).select(1)
    assert decision.name == "a"  # the decision keeps the selector alive


def test_modes(selector: ads.Selector, gemm: ads.Operation) -> None:
    learn(gemm, 1, 2, 3, latencies=(20e-6, 10e-6))
    assert selector.mode == "online"
    selector.mode = "off"
    assert gemm.select(1, 2, 3).name == "a"
    selector.mode = "frozen"
    assert gemm.select(1, 2, 3).name == "b"
    with pytest.raises(ValueError, match="mode is 'on'; it must be one of off, seed, observe, online, frozen"):
        selector.mode = "on"
    assert selector.epoch == 1


def test_a_run_repeats() -> None:
    def run() -> list[int]:
        operation = ads.Selector(tables=None, device="host", seed=7, background=False).define("gemm", ["m"], ["a", "b", "c"])
        chosen = []
        for call in range(500):
            decision = operation.select(1)
            operation.record(decision, seconds=(3e-5, 1e-5, 2e-5)[decision.variant] * (1 + 0.01 * (call % 5)))
            chosen.append(decision.variant)
        return chosen

    assert run() == run()
