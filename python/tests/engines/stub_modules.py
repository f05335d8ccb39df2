"""Modules that an engine's files import and the tests do not need: whatever is asked of them is there and does nothing."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock


class Silent(MagicMock):
    """Records no calls: a record of every launch is garbage that grows."""

    def _increment_mock_call(self, *args: Any, **kwargs: Any) -> None:
        pass


class Stub(ModuleType):
    def __init__(self, name: str, members: Mapping[str, Any] = {}) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        vars(self).update(members)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = Silent(name=f"{self.__name__}.{name}")
        setattr(self, name, made)
        return made


class _Loader(importlib.abc.Loader):
    def __init__(self, members: Mapping[str, Any]) -> None:
        self._members = members

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return Stub(spec.name, self._members)

    def exec_module(self, module: ModuleType) -> None:
        pass


class _Finder(importlib.abc.MetaPathFinder):
    """The files of a tree under their own names, and stubs for everything else of some packages."""

    def __init__(self, tree: Path, packages: Sequence[str], real: Sequence[str],
                 members: Mapping[str, Mapping[str, Any]]) -> None:
        self._tree, self._packages, self._real, self._members = tree, packages, real, members

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] not in self._packages:
            return None
        if name in self._real:
            place = self._tree.joinpath(*name.split("."))
            file = place / "__init__.py" if (place / "__init__.py").exists() else place.with_suffix(".py")
            return importlib.util.spec_from_file_location(
                name, file, submodule_search_locations=[str(place)] if file.name == "__init__.py" else None)
        return importlib.machinery.ModuleSpec(name, _Loader(self._members.get(name, {})), is_package=True)


@contextmanager
def stubbed(tree: Path, packages: Sequence[str], real: Sequence[str], members: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """While it lasts, ``packages`` consist of the modules ``real`` from a tree, and of stubs with ``members``."""
    before = dict(sys.modules)
    for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
        del sys.modules[name]
    finder = _Finder(tree, packages, real, members)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
            del sys.modules[name]
        sys.modules.update({name: module for name, module in before.items() if name.partition(".")[0] in packages})
