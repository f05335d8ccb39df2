"""The grouped product of the package jax, in its interpreter on the processor, with tilings of ours."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from adaptive_selector import compat
from adaptive_selector.compat import megablox

jax = pytest.importorskip("jax", reason="JAX is not installed")

SHAPE = (48, 256, 384, 3)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(megablox, "_manager", None)
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")


def product(tiling: tuple[int, int, int]) -> tuple[Any, Any]:
    """Of the interpreted kernel, and of one matrix product for each group; groups are uneven and one is empty."""
    import jax.numpy as jnp

    m, k, n, groups = SHAPE
    lhs = jax.random.normal(jax.random.key(1), (m, k))
    rhs = jax.random.normal(jax.random.key(2), (groups, k, n))
    sizes = [31, 0, 17]
    got = megablox.jax_gmm(lhs, rhs, jnp.array(sizes, jnp.int32), tiling, interpret=True)
    parts, begin = [], 0
    for group, size in enumerate(sizes):
        parts.append(lhs[begin:begin + size] @ rhs[group])
        begin += size
    return got, jnp.concatenate(parts)


def test_the_tiling_is_measured_and_the_result_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    import numpy

    tried: list[tuple[int, int, int]] = []

    def gmm(lhs: Any, rhs: Any, sizes: Any, tiling: tuple[int, int, int]) -> Any:
        tried.append(tiling)
        if tiling[1] == 256 and tiling[2] == 384:
            raise ValueError("does not fit")
        return megablox.jax_gmm(lhs, rhs, sizes, tiling, interpret=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(megablox, "_TILES_KN", (128, 384))
        tuned = megablox.auto_tune_for_startup(custom_shapes=[SHAPE], gmm=gmm, rounds=2)
    (tiling,) = tuned.values()
    assert tiling in tried and tiling[1:] != (256, 384)
    assert "failed: ValueError: does not fit" in capsys.readouterr().out
    assert Path("tuning_cache/m48_k256_n384_g3.json").exists()

    before = len(tried)
    assert megablox.auto_tune_for_startup(custom_shapes=[SHAPE], gmm=gmm, verbose=False) == tuned
    assert len(tried) == before, "a shape with a file is not tuned again"

    megablox.initialize_tiling_manager(verbose=False)
    assert megablox.get_optimal_tiling_for_gmm(*SHAPE) == tiling
    got, expected = product(tiling)
    numpy.testing.assert_allclose(got, expected, rtol=2e-2, atol=2e-1)


def test_a_near_shape_gets_a_tiling_that_runs() -> None:
    import numpy

    Path("tuning_cache").mkdir()
    Path("tuning_cache/m64_k256_n384_g3.json").write_text('{"optimal_tiling": [64, 128, 128]}')
    tiling = megablox.get_optimal_tiling_for_gmm(*SHAPE)
    assert tiling == (48, 128, 128)
    got, expected = product(tiling)
    numpy.testing.assert_allclose(got, expected, rtol=2e-2, atol=2e-1)


def test_all_tilings_fail(caplog: pytest.LogCaptureFixture) -> None:
    def gmm(*_: Any) -> Any:
        raise RuntimeError("no VMEM")

    assert megablox.auto_tune_for_startup(custom_shapes=[SHAPE], gmm=gmm, verbose=False) == {}
    assert "m48_k256_n384_g3 keeps the default tiling" in caplog.text and "no VMEM" in caplog.text
    assert not Path("tuning_cache").exists()


def test_a_choice_inside_a_compiled_function() -> None:
    """sgl-jax asks for block sizes while it traces `gmm`; the choice is part of what is compiled."""
    from adaptive_selector.compat.sgl_jax import get_tuned_block_sizes

    Path("tuning_cache").mkdir()
    Path("tuning_cache/m48_k256_n384_g3.json").write_text('{"optimal_tiling": [16, 128, 128]}')
    asked: list[tuple[int, int, int]] = []

    @partial(jax.jit)
    def layer(lhs: Any, rhs: Any, sizes: Any) -> Any:
        m, k, n, groups = *lhs.shape, rhs.shape[2], rhs.shape[0]
        asked.append(get_tuned_block_sizes(m, k, n, groups, groups, str(lhs.dtype), str(rhs.dtype), k))
        return megablox.jax_gmm(lhs, rhs, sizes, asked[-1], interpret=True)

    import jax.numpy as jnp

    arguments = (jnp.ones(SHAPE[:2]), jnp.ones((SHAPE[3], *SHAPE[1:3])), jnp.array([31, 0, 17], jnp.int32))
    for _ in range(2):
        assert float(layer(*arguments)[0, 0]) == SHAPE[1]
    assert asked == [(16, 128, 128)], "traced once"


def test_the_stand_in_of_the_tiling_manager() -> None:
    compat.install()
    try:
        from sgl_jax.srt.layers.gmm.tiling_manager import get_optimal_tiling_for_gmm  # type: ignore[import-not-found]

        assert get_optimal_tiling_for_gmm(48, 256, 384, num_groups=3) == (48, 256, 384)
    finally:
        compat.uninstall()
