"""What mkdocs.yml adds to docs/: the documents that stand elsewhere in the tree, with links as they are there, and a page for each
public header, whose comments are the reference."""

from __future__ import annotations

import pathlib
import posixpath
import re
from collections.abc import Callable
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Documents of the tree outside of docs/, and their pages of the site. Others that a document links to are added.
ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "policies/README.md": "policies.md",
    "policies/gaussian.md": "policy_gaussian.md",
    "configs/models/README.md": "models.md",
    "docs/benchmarks": "benchmarks/index.md",
    "docs/replaces": "replaces/README.md",
}
# Code, or a link or an image: [text](target).
_LINK = re.compile(r"`[^`\n]*`|(?P<before>!?\[(?P<text>[^\]\n]*)\]\()(?P<target>[^)\s]+)\)")
# A block of code.
_BLOCK = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)


def page_of(path: str) -> str | None:
    """The page of a file of the tree; None if the site has none."""
    path = path.rstrip("/")
    if path in ELSEWHERE:
        return ELSEWHERE[path]
    return path.removeprefix("docs/") if path.startswith("docs/") else None


def changed_links(text: str, change: Callable[[re.Match[str]], str]) -> str:
    """The text with each link as `change` returns it."""

    def outside(part: str) -> str:
        return _LINK.sub(lambda match: change(match) if match["target"] else match[0], part)

    return "".join(part if index % 2 else outside(part) for index, part in enumerate(_BLOCK.split(text)))


def file_of(target: str, document: str) -> str | None:
    """The file or folder of the tree to which a link of a document leads; None if it leads elsewhere."""
    if target.startswith(("http://", "https://", "mailto:", "#")):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(document), target.partition("#")[0]))


def moved_links(text: str, document: str, page: str) -> str:
    """The text of a document of the tree, with links as its page needs them. A link to a file that the site does not show, such as a
    source, becomes its text."""

    def moved(match: re.Match[str]) -> str:
        path = file_of(match["target"], document)
        if path is None:
            return match[0]
        known = page_of(path)
        if known is None:
            return match["text"] if (ROOT / path).exists() else match[0]  # MkDocs reports what does not exist
        relative = posixpath.relpath(known, posixpath.dirname(page) or ".")
        return f"{match['before']}{relative}{''.join(match['target'].partition('#')[1:])})"

    return changed_links(text, moved)


def find_pages() -> None:
    """Adds the documents outside of docs/ that other documents link to."""
    waiting = [*(name for name in ELSEWHERE if name.endswith(".md")),
               *(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))]
    while waiting:
        document = waiting.pop()

        def found(match: re.Match[str]) -> str:
            path = file_of(match["target"], document)
            if path and path.endswith(".md") and page_of(path) is None and (ROOT / path).is_file():
                ELSEWHERE[path] = "tree/" + path.lower()
                waiting.append(path)
            return match[0]

        changed_links((ROOT / document).read_text(encoding="utf-8"), found)


def title(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("# ")


def on_files(files: Files, config: Any) -> Files:
    def add(page: str, content: str) -> None:
        files.append(File.generated(config, page, content=content))

    find_pages()
    for document, page in ELSEWHERE.items():
        if document.endswith(".md") and page != "replaces/README.md":
            add(page, moved_links((ROOT / document).read_text(encoding="utf-8"), document, page))
    figures = sorted((ROOT / "docs/benchmarks").glob("*.md"))
    add("benchmarks/index.md", "# Figures\n\nMeasured, with device, date and command.\n\n"
        + "".join(f"- [{title(path)}]({path.name})\n" for path in figures))
    names = []
    for path in sorted((ROOT / "include/adaptive").rglob("*.h*")):
        name = path.relative_to(ROOT / "include").as_posix()
        if "/detail/" in name:
            continue
        page = name.replace("/", "_").replace(".", "_") + ".md"
        code = path.read_text(encoding="utf-8").removeprefix("#pragma once\n").strip("\n")
        add(f"api/{page}", f"# `<{name}>`\n\n```{'c' if name.endswith('.h') else 'cpp'}\n{code}\n```\n")
        names.append(f"- [`<{name}>`]({page})\n")
    add("api/index.md", "# Public headers\n\nThe comments of the headers are the reference: parameters, units, errors, threads.\n\n" + "".join(names))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    if page.file.generated_by is None:
        return moved_links(markdown, "docs/" + page.file.src_uri, page.file.src_uri)
    return markdown
