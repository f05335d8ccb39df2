"""The blocks of Python in the documents name what the package has."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

import pytest

import adaptive_selector as ads

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/documents"))
BLOCKS = list(importlib.import_module("blocks").blocks(ROOT, "python"))
sys.path.pop(0)
# Modules of the package that need another one.
NEEDS = {"triton": "triton"}


def named(tree: ast.Module) -> set[str]:
    """The dotted names that begin with `ads.`, and the modules and names that are imported from the package."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            parts = [node.attr]
            value = node.value
            while isinstance(value, ast.Attribute):
                parts.append(value.attr)
                value = value.value
            if isinstance(value, ast.Name) and value.id == "ads":
                names.add(".".join(reversed(parts)))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "adaptive_selector":
            names |= {".".join([*node.module.split(".")[1:], alias.name]) for alias in node.names}
    return names


@pytest.mark.parametrize("block", BLOCKS, ids=[block.place for block in BLOCKS])
def test_names_exist(block: object) -> None:
    for name in sorted(named(ast.parse(block.text))):  # type: ignore[attr-defined]
        value: object = ads
        for depth, part in enumerate(parts := name.split(".")):
            if depth == 0 and part in NEEDS:
                pytest.importorskip(NEEDS[part])
            try:
                value = getattr(value, part)
            except AttributeError:
                value = importlib.import_module(".".join(["adaptive_selector", *parts[: depth + 1]]))
