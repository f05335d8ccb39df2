"""What mkdocs.yml adds to docs/: the documents that stand elsewhere in the tree, with links as they are there, and a page for each
public header, whose comments are the reference."""

from __future__ import annotations

import pathlib
import posixpath
import re
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Documents of the tree, and their pages of the site.
ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "policies/README.md": "policies.md",
    "configs/models/README.md": "models.md",
    "docs/benchmarks": "benchmarks/index.md",
    "docs/replaces": "replaces/README.md",
}
# A link or an image, outside of code: [text](target).
_LINK = re.compile(r"(`[^`\n]*`)|(\]\()([^)\s]+)(\))")


def page_of(path: str) -> str | None:
    """The page of a file of the tree; None if the site has none."""
    path = path.rstrip("/")
    if path in ELSEWHERE:
        return ELSEWHERE[path]
    return path.removeprefix("docs/") if path.startswith("docs/") else None


def moved_links(text: str, document: str, page: str) -> str:
    """The text of a document of the tree, with links as its page needs them. A link to what the site has not keeps its text."""

    def moved(match: re.Match[str]) -> str:
        code, opening, target, closing = match.groups()
        if code or target.startswith(("http://", "https://", "mailto:", "#")):
            return match.group(0)
        path, hash_sign, anchor = target.partition("#")
        known = page_of(posixpath.normpath(posixpath.join(posixpath.dirname(document), path)))
        if known is None:
            return match.group(0)  # MkDocs reports it
        relative = posixpath.relpath(known, posixpath.dirname(page) or ".")
        return f"{opening}{relative}{hash_sign}{anchor}{closing}"

    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else _LINK.sub(moved, part) for part in parts)


def title(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("# ")


def on_files(files: Files, config: Any) -> Files:
    def add(page: str, content: str) -> None:
        files.append(File.generated(config, page, content=content))

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


def on_nav(nav: Any, config: Any, files: Files) -> Any:
    # The pages of the headers are reached from their index.
    return nav


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    if page.file.generated_by is None:
        return moved_links(markdown, "docs/" + page.file.src_uri, page.file.src_uri)
    return markdown
