"""Tilings of the Megablox GMM, with the functions of sgl-jax: its tiling manager and its tuning at start-up.

    from adaptive_selector.compat.megablox import get_optimal_tiling_for_gmm

``python -m adaptive_selector.compat.megablox`` is its command (``adaptive auto_tune_startup``). The files are the same:
``tuning_cache/m…_k…_n…_g….json``, one for each shape.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import adaptive_selector as ads
from adaptive_selector import _core

from . import _command, _race

log = logging.getLogger(__name__)

_OPERATION = "megablox_gmm"
_DEFAULT = (512, 1024, 1024)
#: A model without experts stands for as many equal groups, as in sgl-jax.
_GROUPS_OF_DENSE = 8
#: Look-ups that are remembered; where there are as many, all are forgotten.
_FOUND_MAX = 65_536
_TILES_M = (128, 256, 512)
_TILES_KN = (256, 512, 1024, 2048)

Tiling = Tuple[int, int, int]
Shape = Tuple[int, int, int, int]
#: A grouped product: called with lhs (m, k), rhs (groups, k, n), the sizes of the groups and the tiling.
Gmm = Callable[[Any, Any, Any, Tiling], Any]


def get_default_cache_dir() -> str:
    """The folder of the files: ``GMM_TUNE_CACHE_DIR``, else ``tuning_cache``."""
    return os.environ.get("GMM_TUNE_CACHE_DIR", "tuning_cache")


class TilingManager:
    """The tilings of a folder, as they were when the manager was made. Any number of threads may use it."""

    def __init__(self, cache_dir: Optional[str] = None) -> None:
        self.cache_dir = cache_dir or get_default_cache_dir()
        self.default_tiling: Tiling = _DEFAULT
        self._added: dict[Shape, Tiling] = {}
        self._found: dict[Shape, Tiling | None] = {}
        self._lock = threading.Lock()
        files = _core.ForeignFiles([Path(self.cache_dir)], "megablox") if Path(self.cache_dir).is_dir() else None
        read = files.files if files is not None else []
        for path, _, refused in read:
            if refused:
                log.warning("%s is not used: %s", path, refused)
        #: The names of the shapes that have a tiling.
        self.cached = sorted(Path(path).stem for path, rows, refused in read if rows and not refused)
        self._files = files if self.cached else None

    def get_optimal_tiling(self, m: int, k: int, n: int, num_groups: int) -> Tiling:
        """The tiling of the shape's file, else of the nearest m within a factor of two, else the default. The kernel
        refuses a tile that does not divide m, so a tiling that is not the shape's own gets one that does."""
        found = self.find(m, k, n, num_groups)
        if found is not None:
            return found
        tm, tk, tn = self.default_tiling
        return _divisor(int(m), tm), min(tk, int(k)), min(tn, int(n))

    def find(self, m: int, k: int, n: int, num_groups: int) -> Optional[Tiling]:
        """As :meth:`get_optimal_tiling`, but None in place of the default."""
        shape = (int(m), int(k), int(n), int(num_groups))
        with self._lock:
            if shape in self._added:
                return self._added[shape]
            if shape not in self._found:
                if len(self._found) >= _FOUND_MAX:
                    self._found.clear()
                self._found[shape] = self._look_up(shape)
            return self._found[shape]

    def set_default_tiling(self, tiling: Tiling) -> None:
        """The tiling where no file has one."""
        self.default_tiling = (int(tiling[0]), int(tiling[1]), int(tiling[2]))

    def add_optimal_tiling(self, m: int, k: int, n: int, num_groups: int, tiling: Tiling) -> None:
        """A tiling of one shape that has no file."""
        with self._lock:
            self._added[(int(m), int(k), int(n), int(num_groups))] = (int(tiling[0]), int(tiling[1]), int(tiling[2]))

    def get_adaptive_tiling(self, m: int, k: int, n: int, max_tile_size: Optional[Tiling] = None) -> Tiling:
        """The default, or ``max_tile_size``, with no tile larger than its dimension."""
        tm, tk, tn = max_tile_size or self.default_tiling
        return min(tm, m), min(tk, k), min(tn, n)

    def _look_up(self, shape: Shape) -> Tiling | None:
        if self._files is None:
            return None
        answer = self._files.look_up(dict(zip("mkng", map(str, shape))), operation=_OPERATION)
        if answer["match"] == "default":
            return None
        for warning in answer["warnings"]:
            log.info("%s: %s", shape, warning)
        tm, tk, tn = answer["parameters"]["optimal_tiling"]
        if answer["match"] == "exact":
            return tm, tk, tn
        return _divisor(shape[0], tm), min(tk, shape[1]), min(tn, shape[2])


_manager: TilingManager | None = None
_manager_lock = threading.Lock()


def get_tiling_manager(cache_dir: Optional[str] = None) -> TilingManager:
    """The manager of this process. A folder other than its own makes a new one."""
    global _manager
    with _manager_lock:
        if _manager is None or (cache_dir is not None and cache_dir != _manager.cache_dir):
            _manager = TilingManager(cache_dir)
        return _manager


def initialize_tiling_manager(cache_dir: Optional[str] = None, verbose: bool = True) -> None:
    """Reads the folder for :func:`get_optimal_tiling_for_gmm`, again if it has been read before."""
    global _manager
    manager = TilingManager(cache_dir)
    with _manager_lock:
        _manager = manager
    if verbose:
        print(f"Initialized tiling manager with {len(manager.cached)} cached configurations")


def get_optimal_tiling_for_gmm(m: int, k: int, n: int, num_groups: int = 1) -> Tiling:
    """Tiles of m, k and n for a grouped product of lhs (m, k) and rhs (num_groups, k, n)."""
    return get_tiling_manager().get_optimal_tiling(m, k, n, num_groups)


def get_model_specific_shapes(
    model_name: str, batch_sizes: Optional[List[int]] = None, seq_lengths: Optional[List[int]] = None
) -> List[Shape]:
    """The shapes (m, k, n, groups) of a model's products gate (or up) and down. The model is a preset, a config.json, or
    the id of a model in the cache of Hugging Face. Raises Error, with the presets, for any other name."""
    lists = [("--batch-sizes", batch_sizes or [1, 2, 4, 8]), ("--seq-lengths", seq_lengths or [512, 1024])]
    sizes = [text for option, values in lists for text in (option, ",".join(map(str, values)))]
    ask = ["tune", "grouped_gemm", "--model", model_name, *sizes, "--dry-run", "--force"]
    try:
        answer = _command.answer_of(ask)
    except ads.Error:
        answer = _command.answer_of([*ask, "--experts", str(_GROUPS_OF_DENSE)])
    fields = [dict(part.split("=") for part in text.split()) for text in answer["shapes"]]
    rows = [(int(f["tokens"]), int(f["k"]), int(f["n"]), int(f["experts"])) for f in fields]
    products = {(k, n) for _, k, n, _ in rows}
    # Engines of GPUs multiply gate and up at once; this one does not. `down` leads back from half as many columns.
    return [(m, k, n // 2 if (n // 2, k) in products else n, groups) for m, k, n, groups in rows]


def auto_tune_for_startup(
    model_name: Optional[str] = None,
    custom_shapes: Optional[List[Shape]] = None,
    cache_dir: Optional[str] = None,
    force_retune: bool = False,
    verbose: bool = True,
    *,
    gmm: Optional[Gmm] = None,
    rounds: int = 20,
) -> Dict[str, Tiling]:
    """Measures tilings of every shape that has no file in ``cache_dir`` (by default :func:`get_default_cache_dir`), writes
    the winners there, and returns the tilings of all shapes by the names of their files.

    model_name, custom_shapes: the shapes; without either those of llama-7b.
    gmm: the grouped product that is measured; by default JAX's own (`jax_gmm`), which needs a TPU. Without one, nothing is
    tuned, and a warning says so.
    rounds: how often each tiling is measured at most.

    A tiling that fails is left out; a shape for which all fail has no file. Raises Error for an unknown model.
    """
    shapes = list(custom_shapes) if custom_shapes else get_model_specific_shapes(model_name or "llama-7b")
    for shape in shapes:
        if len(shape) != 4 or min(shape) < 1:
            raise ValueError(f"a shape is (m, k, n, number of groups), all of them positive, not {shape}")
    say = print if verbose else log.debug
    say(f"Model: {model_name or 'llama-7b'}" if not custom_shapes else f"{len(shapes)} shapes")
    cache_dir = cache_dir or get_default_cache_dir()
    say(f"Cache directory: {cache_dir}")
    known = TilingManager(cache_dir).cached if not force_retune else []
    missing = [shape for shape in shapes if _name(shape) not in known]
    if missing and gmm is None:
        why = _why_no_tpu()
        if why:
            log.warning("%d shapes are not tuned: %s. Give auto_tune_for_startup(gmm=...) the grouped product to tune; "
                        "`adaptive auto_tune_startup` tunes this library's own", len(missing), why)
            missing = []
        else:
            gmm = jax_gmm
    for number, shape in enumerate(missing):
        say("Tuning {}/{}: m={}, k={}, n={}, groups={}".format(number + 1, len(missing), *shape))
        assert gmm is not None
        tiling = _tune(shape, gmm, Path(cache_dir), rounds, say)
        if tiling is not None:
            say(f"  Best tiling: {tiling}")
    manager = TilingManager(cache_dir)
    return {_name(shape): manager.get_optimal_tiling(*shape) for shape in shapes if _name(shape) in manager.cached}


def jax_gmm(lhs: Any, rhs: Any, group_sizes: Any, tiling: Tiling, *, interpret: bool = False) -> Any:
    """The grouped product of the package ``jax`` with a tiling. ``interpret`` runs it without a TPU, slowly."""
    from jax.experimental.pallas.ops.tpu.megablox import gmm

    return gmm(lhs, rhs, group_sizes, lhs.dtype, tiling, interpret=interpret)


def candidates(m: int, k: int, n: int) -> List[Tiling]:
    """The tilings that are tried: no tile exceeds its dimension, and that of m divides m, as the kernel requires. The
    default is among them."""
    rows = sorted({_divisor(m, tile) for tile in (*_TILES_M, _DEFAULT[0])})
    depths, columns = ({min(tile, size) for tile in _TILES_KN} for size in (k, n))
    return [(tm, tk, tn) for tm in rows for tk in sorted(depths) for tn in sorted(columns)]


def _tune(shape: Shape, gmm: Gmm, folder: Path, rounds: int, say: Callable[[str], object]) -> Tiling | None:
    import jax
    import jax.numpy as jnp

    m, k, n, groups = shape
    tilings = candidates(m, k, n)
    say(f"  Testing {len(tilings)} tiling candidates...")
    left, right = jax.random.split(jax.random.key(0))
    lhs = jax.random.normal(left, (m, k), jnp.bfloat16)
    rhs = jax.random.normal(right, (groups, k, n), jnp.bfloat16)
    sizes = jnp.array([m // groups + (i < m % groups) for i in range(groups)], jnp.int32)

    def work(tiling: Tiling) -> Callable[[], object]:
        return lambda: gmm(lhs, rhs, sizes, tiling)

    variants = [ads.Variant("tm{}_tk{}_tn{}".format(*t), parameters=dict(zip(("tm", "tk", "tn"), t))) for t in tilings]
    try:
        tuning, known = _race.race(_OPERATION, ["m", "k", "n", "g"], shape, variants, [work(t) for t in tilings],
                                   device="host", rounds=rounds, sync=jax.block_until_ready)
    except ValueError as error:
        log.warning("%s keeps the default tiling: %s", _name(shape), error)
        return None
    for tiling, trial in zip(tilings, tuning.trials):
        say(f"  {tiling} -> " + (f"failed: {trial.error}" if trial.error else f"{trial.median * 1e3:.4f} ms"))
    for path, text in _race.texts_of(known.selector, "megablox").items():
        _race.write(folder / path, text)
    return tilings[tuning.trials.index(tuning.best)]


def _name(shape: Shape) -> str:
    return "m{}_k{}_n{}_g{}".format(*shape)


def _divisor(size: int, limit: int) -> int:
    """The largest divisor of ``size`` up to ``limit``."""
    return next(tile for tile in range(max(1, min(size, limit)), 0, -1) if size % tile == 0)


def _why_no_tpu() -> str:
    try:
        import jax
    except ImportError:
        return "JAX is not installed"
    backend = jax.default_backend()
    return "" if backend == "tpu" else f"JAX has no TPU here, its backend is {backend}"


__all__ = [
    "TilingManager",
    "auto_tune_for_startup",
    "get_default_cache_dir",
    "get_model_specific_shapes",
    "get_optimal_tiling_for_gmm",
    "get_tiling_manager",
    "initialize_tiling_manager",
]

if __name__ == "__main__":
    sys.exit(_command.run_command("auto_tune_startup", *sys.argv[1:]))
