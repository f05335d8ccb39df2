"""Writes a file of C++ that contains every block of C++ of the documents, each in a function of its own, with the line numbers of its
document: python3 cpp_blocks.py ROOT OUTPUT PART..., where the parts that are built are among cuda, redis. What a block uses without
declaring it comes from context.hpp. Whole programs are left out, because tests run those."""

from __future__ import annotations

import pathlib
import re
import sys

from blocks import blocks

root, output, parts = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
includes: list[str] = []
functions: list[str] = []
for number, block in enumerate(blocks(root, "cpp")):
    cuda = re.search(r"cuda(::|Stream)", block.text) is not None
    if "int main(" in block.text or (cuda and "cuda" not in parts) or ("redis" in block.text and "redis" not in parts):
        continue
    lines = block.text.split("\n")
    for index, line in enumerate(lines):
        if line.startswith("#include"):
            includes.append(f'#line {block.line + index} "{block.document}"\n{line}\n')
            lines[index] = ""
    code = "\n".join(lines)
    # Dots stand for what the reader fills in: a list, further members, statements.
    code = re.sub(r", …|\.\.\. .* \.\.\.|(?<=\{)\.\.\.(?=\})|^\.\.\.$", "", code, flags=re.MULTILINE)
    space = "adaptive::kernels" if block.document in ("docs/kernels.md", "docs/gpu-kernels.md") else "adaptive"
    context = "documents::DeviceContext" if cuda else "documents::Context"
    functions.append(f"namespace {space} {{\nstruct Block{number} : {context} {{\n  void run();\n}};\nvoid Block{number}::run() {{\n"
                     f'#line {block.line} "{block.document}"\n{code}\n}}\n}}\n')
text = "".join(['#include "context.hpp"\n', *dict.fromkeys(includes), *functions])
if not output.is_file() or output.read_text(encoding="utf-8") != text:
    output.write_text(text, encoding="utf-8")
