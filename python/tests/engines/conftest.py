from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest



@pytest.fixture
def engine_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes the plugin of an engine as it is in a new process, switched on."""
    from adaptive_selector.engines import _rebind

    def of(name: str) -> Any:
        from importlib import import_module

        from adaptive_selector.engines._choices import Engine

        module: Any = import_module(f"adaptive_selector.engines._{name}")
        monkeypatch.setattr(module, "_installed", False)
        monkeypatch.setattr(module, "engine", Engine(module._derived))
        return module

    monkeypatch.setenv("ADAPTIVE_ENGINES", "1")
    yield of
    _rebind.forget()
