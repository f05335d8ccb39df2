"""Policies written in Python, against recorded latencies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import adaptive_selector as ads

if not hasattr(ads._core, "replay"):
    pytest.skip("the package was built without the tool", allow_module_level=True)


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Two keys of three variants, of which the second one is the best by far."""
    path = tmp_path / "op.trace.jsonl"
    lines = []
    for n in (16, 4096):
        for variant, latency in (("a", 20.0), ("b", 10.0), ("c", 30.0)):
            samples = [latency * (1 + 0.01 * (i * 7919 % 13 - 6) / 6) for i in range(50)]
            lines.append(json.dumps({"op": "op", "key": {"n": n}, "variant": variant, "latency_us": samples}))
    path.write_text("\n".join(lines) + "\n")
    return path


class Greedy:
    """Tries every candidate three times, then runs the best."""

    heard = 0

    def choose(self, key: ads._core.PolicyKey, random: ads._core.PolicyRandom) -> tuple[int, bool]:
        for number in range(len(key)):
            candidate = key[number]
            if candidate.available and candidate.count + candidate.pending < 3:
                return number, True
        return key.leader, False

    def observe(self, key: ads._core.PolicyKey, candidate: int, seconds: float) -> None:
        Greedy.heard += 1
        assert 9e-6 < seconds < 31e-6 and key[candidate].count > 0


def test_a_policy_of_python_finds_the_best(trace: Path) -> None:
    Greedy.heard = 0
    report = ads.replay(trace, Greedy, calls=200, runs=3)
    assert Greedy.heard == 2 * 3 * 9  # keys, runs, looks
    # Three looks at each of three candidates: 3 * (100 % + 0 % + 200 %) of 200 calls.
    assert report["overhead_percent"] == pytest.approx(4.5, abs=0.5)
    assert report["timed_fraction"] == pytest.approx(9 / 200)
    assert isinstance(report["keys"], dict) and len(report["keys"]) == 2
    assert ads.replay(trace, Greedy, calls=200, runs=3) == report


def test_policies_by_name(trace: Path) -> None:
    fixed = ads.replay(trace, "fixed", calls=500, runs=2)
    usual = ads.replay(trace, calls=500, runs=2)
    assert fixed["overhead_percent"] == pytest.approx(100.0, abs=1.0)  # the default takes twice as long as the best
    assert isinstance(usual["overhead_percent"], float) and usual["overhead_percent"] < 10.0
    with pytest.raises(ads.Error):
        ads.replay(trace, "unknown")


def test_the_tool_says_the_same(trace: Path) -> None:
    import subprocess
    import sys

    tool = Path(ads.__file__).parent / "bin" / "adaptive"
    if not tool.exists():
        pytest.skip("the package was built without the tool")
    command = [str(tool), "replay", "--trace", str(trace), "--policy", "default", "--calls", "300", "--runs", "4", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout)
    ours = ads.replay(trace, calls=300, runs=4)
    for name in ("overhead_percent", "timed_fraction", "kept_overhead_percent", "kept_worst_percent", "wrong_promotions"):
        assert ours[name] == pytest.approx(theirs[name]), (name, sys.version)


def test_random_numbers_repeat(trace: Path) -> None:
    class Random:
        def choose(self, key: ads._core.PolicyKey, random: ads._core.PolicyRandom) -> int:
            assert 0.0 <= random.uniform() < 1.0
            return random.below(len(key))

    first = ads.replay(trace, Random, calls=100, runs=2, seed=5)
    assert ads.replay(trace, Random, calls=100, runs=2, seed=5) == first
    assert ads.replay(trace, Random, calls=100, runs=2, seed=6) != first


def test_an_exception_of_a_policy_is_raised(trace: Path) -> None:
    class Broken:
        calls = 0

        def choose(self, key: ads._core.PolicyKey, random: ads._core.PolicyRandom) -> int:
            Broken.calls += 1
            raise ZeroDivisionError("in choose")

    with pytest.raises(ZeroDivisionError, match="in choose"):
        ads.replay(trace, Broken, calls=50, runs=1)
    assert Broken.calls == 1

    class Wrong:
        def choose(self, key: ads._core.PolicyKey, random: ads._core.PolicyRandom) -> str:
            return "first"

    with pytest.raises((TypeError, RuntimeError)):
        ads.replay(trace, Wrong, calls=50, runs=1)  # type: ignore[arg-type]

    class NoPolicy:
        pass

    with pytest.raises(AttributeError, match="choose"):
        ads.replay(trace, NoPolicy, calls=50, runs=1)  # type: ignore[arg-type]


def test_statistics_are_void_after_the_call(trace: Path) -> None:
    kept: list[ads._core.PolicyKey] = []

    class Keeper:
        def choose(self, key: ads._core.PolicyKey, random: ads._core.PolicyRandom) -> int:
            kept.append(key)
            return key.incumbent

    ads.replay(trace, Keeper, calls=10, runs=1)
    with pytest.raises(ads.Error, match="valid only inside"):
        kept[0].calls


def test_arguments_that_are_wrong(trace: Path, tmp_path: Path) -> None:
    for wrong in ({"order": "backwards"}, {"truth": "none"}, {"calls": 0}, {"runs": 0}):
        with pytest.raises(ValueError):
            ads.replay(trace, **wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        ads.replay(trace, 7)  # type: ignore[arg-type]
    with pytest.raises(ads.Error):
        ads.replay(tmp_path / "missing.jsonl")
