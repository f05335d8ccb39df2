"""The commands of the documents: python3 commands_test.py ROOT [TOOL]. Each block of a shell parses; each script, subcommand and
option that it names exists. Each block of Python parses. What needs a GPU, other packages or minutes is not run here: README.md's
programs, the tour and the commands for packages are run by tests of their own."""

from __future__ import annotations

import ast
import pathlib
import re
import subprocess
import sys
from functools import cache

from blocks import blocks

root = pathlib.Path(sys.argv[1])
tool = sys.argv[2] if len(sys.argv) > 2 else None
faults: list[str] = []


@cache
def help_of(*words: str) -> str | None:
    """What the tool prints for a command; None if there is no such command."""
    assert tool
    done = subprocess.run([tool, *words, "--help"], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def commands(text: str) -> list[tuple[int, list[str]]]:
    """The simple commands of a block with their lines: the words, without assignments before them. Enough for documents: what is
    quoted stays one word, and substitutions are not looked into."""
    found = []
    joined = re.sub(r"\\\n", lambda _: "  ", text)
    for number, line in enumerate(joined.split("\n")):
        line = re.sub(r"(^|\s)#.*", "", line)
        for part in re.split(r"&&|\|\||[|;&]", re.sub(r"'[^']*'|\"[^\"]*\"", '""', line)):
            words = part.split()
            while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
                words.pop(0)
            if words:
                found.append((number, words))
    return found


def options(words: list[str]) -> list[str]:
    return [match[0] for word in words if (match := re.match(r"--[a-z][\w-]*", word))]


for block in blocks(root, "sh"):
    # Three dots in a document stand for what the reader fills in.
    text = block.text.replace("…", "X")
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        faults.append(f"{block.place}: {done.stderr.strip()}")
    for line, words in commands(text):
        place = f"{block.document}:{block.line + line}"
        if re.fullmatch(r"(\./)?scripts/\w+", words[0]):
            script = root / words[0]
            code = script.read_text(encoding="utf-8") if script.is_file() else None
            if code is None:
                faults.append(f"{place}: there is no {words[0]}")
            elif words[0] != "scripts/demo":  # hands its options on
                faults += [f"{place}: {words[0]} has no option {option}" for option in options(words) if option not in code]
        elif words[0] == "adaptive" and tool and len(words) > 1 and not words[1].startswith("-"):
            usage = help_of(words[1])
            if usage is None:
                faults.append(f"{place}: the tool has no command {words[1]}")
            else:
                known = set(re.findall(r"--[a-z][\w-]*", usage)) | {"--help"}
                faults += [f"{place}: adaptive {words[1]} has no option {option}" for option in options(words) if option not in known]
        elif words[0] == "cmake" and (preset := re.search(r"--preset (\w+)", " ".join(words))):
            if f'"name": "{preset[1]}"' not in (root / "CMakePresets.json").read_text(encoding="utf-8"):
                faults.append(f"{place}: there is no preset {preset[1]}")

for block in blocks(root, "python"):
    try:
        ast.parse(block.text)
    except SyntaxError as error:
        faults.append(f"{block.document}:{block.line + (error.lineno or 1) - 1}: {error.msg}")

for fault in faults:
    print(fault)
sys.exit(bool(faults))
