"""Modules of other systems under their own names: programs need not be edited."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

#: Module of another system: what stands in for it.
_STAND_INS: Mapping[str, str] = {
    "metal_marlin.trellis.autotune_mixed_bpw": "metal_marlin",
    "sgl_jax.srt.auto_tune_startup": "megablox",
    "sgl_jax.srt.layers.gmm.tiling_manager": "megablox",
    "sgl_jax.srt.kernels.gmm.megablox_gmm_kernel.tuned_block_sizes": "sgl_jax",
    "tpu_inference.kernels.megablox.tuned_block_sizes": "tpu_inference.megablox",
    "tpu_inference.kernels.quantized_matmul.tuned_block_sizes": "tpu_inference.quantized_matmul",
    "tpu_inference.kernels.ragged_paged_attention.v3.tuned_block_sizes": "tpu_inference.ragged_paged_attention",
}

#: Packages above them, which are made where the system is not installed.
_PARENTS = {name.rsplit(".", depth)[0] for name in _STAND_INS for depth in range(1, name.count(".") + 1)}

_lock = threading.Lock()


def _ours(name: str) -> ModuleType:
    return importlib.import_module(f"{__package__}.{_STAND_INS[name]}")


class _Replaced:
    """What a module of an installed system had before, so that it can be given back."""

    def __init__(self, module: ModuleType, ours: ModuleType) -> None:
        self.module = module
        self.old: dict[str, Any] = {}
        for name in ours.__all__:
            if hasattr(module, name):
                self.old[name] = getattr(module, name)
            setattr(module, name, getattr(ours, name))
        originals = getattr(ours, "originals", None)
        if originals is not None:  # what a function of ours asks where it knows nothing better
            originals.update(self.old)
        self._ours = ours

    def undo(self) -> None:
        for name in self._ours.__all__:
            if name in self.old:
                setattr(self.module, name, self.old[name])
            else:
                delattr(self.module, name)
        getattr(self._ours, "originals", {}).clear()


class _Loader(importlib.abc.Loader):
    """Loads the system's own module where it is installed, and puts this package's functions into it."""

    def __init__(self, finder: _Finder, original: importlib.machinery.ModuleSpec | None) -> None:
        self._finder = finder
        self._original = original

    @property
    def made_up(self) -> bool:
        """Whether the system does not have the module."""
        return self._original is None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        if self._original is None or self._original.loader is None:
            return None
        return self._original.loader.create_module(self._original)

    def exec_module(self, module: ModuleType) -> None:
        if self._original is not None and self._original.loader is not None:
            self._original.loader.exec_module(module)
        if module.__name__ in _STAND_INS:
            self._finder.replaced[module.__name__] = _Replaced(module, _ours(module.__name__))

    def get_code(self, name: str) -> object:
        """For ``python -m``: the module's command is this package's."""
        ours = f"{__package__}.{_STAND_INS[name]}"
        program = f"import runpy\nrunpy.run_module({ours!r}, run_name='__main__', alter_sys=True)\n"
        return compile(program, f"<{name}>", "exec")


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self) -> None:
        self.replaced: dict[str, _Replaced] = {}
        self._busy = threading.local()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if (name not in _STAND_INS and name not in _PARENTS) or getattr(self._busy, "value", False):
            return None
        original = self._of_the_system(name)
        if original is not None and name in _PARENTS:
            return original
        spec = importlib.machinery.ModuleSpec(name, _Loader(self, original), is_package=name in _PARENTS)
        if original is not None:
            spec.origin, spec.has_location = original.origin, original.has_location
        return spec

    def _of_the_system(self, name: str) -> importlib.machinery.ModuleSpec | None:
        self._busy.value = True
        try:
            return importlib.util.find_spec(name)
        except ModuleNotFoundError:
            return None
        finally:
            self._busy.value = False


_finder: _Finder | None = None


def install() -> None:
    """From now on the modules of :func:`stands_in_for` have this package's functions, under the systems' own names.

    A system that is installed keeps its modules and everything else in them; one that is not gets modules that hold only
    these functions. What was imported from such a module before is not changed. Calling it again changes nothing.
    """
    global _finder
    with _lock:
        if _finder is not None:
            return
        _finder = _Finder()
        sys.meta_path.insert(0, _finder)
        for name in _STAND_INS:
            module = sys.modules.get(name)
            if module is not None:
                _finder.replaced[name] = _Replaced(module, _ours(name))


def uninstall() -> None:
    """Gives the systems their functions back. Modules that only :func:`install` had made are forgotten."""
    global _finder
    with _lock:
        if _finder is None:
            return
        sys.meta_path.remove(_finder)
        for replaced in _finder.replaced.values():
            replaced.undo()
        for name in [*_STAND_INS, *_PARENTS]:
            module = sys.modules.get(name)
            loader = module.__spec__.loader if module is not None and module.__spec__ is not None else None
            if isinstance(loader, _Loader) and loader.made_up:
                del sys.modules[name]
        _finder = None


def stands_in_for() -> dict[str, str]:
    """The modules of other systems and what this package has in their place."""
    return {name: f"{__package__}.{ours}" for name, ours in _STAND_INS.items()}
