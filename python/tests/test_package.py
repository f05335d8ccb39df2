"""What the package is made of: what it imports, its types, its command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

import adaptive_selector as ads

PACKAGE = Path(ads.__file__).parent
TESTS = Path(__file__).parent


def command(*arguments: str, **options: object) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=300, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return str(done.stdout)


def test_importing_pulls_in_nothing(run_python: Callable[[str], str]) -> None:
    printed = run_python("""
import sys
before = set(sys.modules)
import adaptive_selector
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(new - set(sys.builtin_module_names)))
""")
    # nanobind's backend is a part of the extension. Nothing else, not even of the standard library.
    assert printed.strip() in ("['adaptive_selector', 'nanobind_backend']", "['adaptive_selector']")


def test_every_public_name_is_documented() -> None:
    for name in ads.__all__:
        assert getattr(ads, name).__doc__, name
        if isinstance(getattr(ads, name), type):
            for member, value in vars(getattr(ads, name)).items():
                if callable(value) and not member.startswith("_"):
                    assert value.__doc__, f"{name}.{member}"


def test_the_stubs_are_complete() -> None:
    stub = (PACKAGE / "_core.pyi").read_text()
    for unknown in ("std::", ": Any", "types.", "adaptive::", "nanobind"):
        assert unknown not in stub, unknown


def test_the_stubs_say_what_the_module_has() -> None:
    """Every name of the compiled module and its classes is in the stub, and every name of the stub is there."""
    import ast

    from adaptive_selector import _core

    def public(names: Iterable[str]) -> set[str]:
        return {name for name in names if not name.startswith("__")}

    tree = ast.parse((PACKAGE / "_core.pyi").read_text())
    functions = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    values = {node.target.id for node in tree.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)}
    assert functions | values == public(vars(_core))
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            members = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
            assert public(members) == public(vars(getattr(_core, node.name))), node.name


def test_types_of_the_package_and_of_its_users(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    examples = sorted(TESTS.parent.joinpath("examples").glob("*.py"))
    mypy = [sys.executable, "-m", "mypy", "--config-file", str(TESTS.parents[1] / "pyproject.toml"), "--cache-dir",
            str(tmp_path / "cache")]
    command(*mypy, "-p", "adaptive_selector", cwd=tmp_path)
    command(*mypy, *map(str, examples), cwd=tmp_path)


def test_the_command_of_the_module() -> None:
    printed = command(sys.executable, "-m", "adaptive_selector")
    assert f"adaptive_selector {ads.__version__}" in printed
    assert f"device: {ads.host_device().device}" in printed
    assert str((PACKAGE / "configs").resolve()) in printed


def test_without_replays_the_rest_works(run_python: Callable[[str], str]) -> None:
    """A package that was built without CLI11 or fmt has neither the tool nor replays."""
    printed = run_python("""
import adaptive_selector as ads
from adaptive_selector import _core
for name in [name for name in vars(_core) if name == "replay" or name.startswith("Policy")]:
    delattr(_core, name)
import adaptive_selector._types
print(ads.tune.__name__, ads.jit_choice.__name__)
""")
    assert printed.split() == ["tune", "jit_choice"]


def test_the_tool() -> None:
    if not (PACKAGE / "bin" / "adaptive").exists():
        pytest.skip("the package was built without the tool")
    tool = Path(sys.executable).with_name("adaptive")
    run = [str(tool)] if tool.exists() else [sys.executable, "-c", "from adaptive_selector._tool import main; main()"]
    command(*run, "validate", str(PACKAGE / "configs" / "nvidia_h200" / "dense_gemm.json"))


def test_examples_run(tmp_path: Path) -> None:
    for example in sorted(TESTS.parent.joinpath("examples").glob("*.py")):
        command(sys.executable, str(example), cwd=tmp_path)


def test_the_program_of_the_readme(tmp_path: Path) -> None:
    """The first Python program of the README runs word for word."""
    readme = TESTS.parents[1] / "README.md"
    if not readme.exists():
        pytest.skip("not in a source tree")
    program = readme.read_text().partition("```python\n")[2].partition("```")[0]
    assert "import adaptive_selector as ads" in program
    command(sys.executable, "-c", program, cwd=tmp_path)
    assert (tmp_path / "adapted.json").exists()


def test_the_tour_renders(tmp_path: Path) -> None:
    renderer = TESTS.parents[1] / "docs" / "render_tour.py"
    if not renderer.exists():
        pytest.skip("not in a source tree")
    command(sys.executable, str(renderer), str(tmp_path))
    page = (tmp_path / "tour.md").read_text()
    assert "of 1000 launches were timed" in page and "![Latency" in page
    assert (tmp_path / "tour.svg").read_text().count("<circle") > 1000
