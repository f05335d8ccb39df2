"""The blocks of code in the documents of the tree."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator
from typing import NamedTuple


class Block(NamedTuple):
    document: str  # relative to the root
    line: int  # of its first line of code, from 1
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.document}:{self.line}"


def documents(root: pathlib.Path) -> list[pathlib.Path]:
    return [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "policies").glob("*.md")), *sorted((root / "docs").rglob("*.md"))]


def blocks(root: pathlib.Path, language: str) -> Iterator[Block]:
    """Every block of a language. One that stands in a list is indented."""
    fence = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
    for path in documents(root):
        text = path.read_text(encoding="utf-8")
        for match in fence.finditer(text):
            indent, found, code = match.groups()
            if found == language:
                code = "".join(line.removeprefix(indent) for line in code.splitlines(keepends=True))
                yield Block(path.relative_to(root).as_posix(), text.count("\n", 0, match.start(3)) + 1, language, code)
