"""Launches without a `with` block."""

from __future__ import annotations

import pytest

import adaptive_selector as ads


def test_an_untimed_launch_is_a_number() -> None:
    frozen = ads.Selector(tables=None, device="host", mode="frozen").define("op", ["n"], ["a", "b"])
    assert [frozen.site(1).begin(None) for _ in range(100)] == [0] * 100


def test_a_timed_launch_is_ended(gemm: ads.Operation) -> None:
    site = gemm.site(1, 2, 3)
    begun = site.begin(None)
    assert isinstance(begun, ads.Launch)
    begun.end()
    assert gemm.counters.results == 1
    begun.end()
    begun.cancel()
    begun.fail()
    assert (gemm.counters.results, gemm.counters.failures) == (1, 0)


def test_a_cancelled_launch_says_nothing(gemm: ads.Operation) -> None:
    begun = gemm.site(1, 2, 3).begin(None)
    assert isinstance(begun, ads.Launch)
    begun.cancel()
    begun.end()
    assert (gemm.counters.results, gemm.counters.failures) == (0, 0)
    with gemm.launch(1, 2, 3) as launch:
        launch.cancel()
    assert (gemm.counters.results, gemm.counters.failures) == (0, 0)


def test_a_failed_launch_sets_its_variant_aside(gemm: ads.Operation) -> None:
    begun = gemm.site(1, 2, 3).begin(None)
    assert isinstance(begun, ads.Launch)
    failed = begun.variant
    begun.fail()
    assert gemm.counters.failures == 1
    assert not gemm.explain(1, 2, 3).candidates[failed].available


def test_a_stream_needs_a_gpu(gemm: ads.Operation) -> None:
    site = gemm.site(1, 2, 3)
    with pytest.raises(TypeError, match="stream is an integer"):
        site.begin("stream")  # type: ignore[arg-type]
    if ads.why_no_gpu():
        with pytest.raises(ads.Error):
            site.begin(7)


def test_the_timer_counts_what_was_cancelled(selector: ads.Selector) -> None:
    assert selector.timer_counters["cancelled"] == 0


def test_holding_launches_is_for_gpus() -> None:
    """On the host there is no stream to hold; the limit is checked all the same."""
    selector = ads.Selector(tables=None, device="host")
    selector.hold_on_idle_streams(2e-3)
    selector.hold_on_idle_streams(0.0)
    for wrong in (-1.0, 1.5, float("nan")):
        with pytest.raises(ValueError, match="between 0 and 1"):
            selector.hold_on_idle_streams(wrong)
    with selector.define("op", ["m"], ["a"]).launch(1) as launch:
        assert launch.variant == 0
