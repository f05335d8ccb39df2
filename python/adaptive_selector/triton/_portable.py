"""Kernels as data: what a worker process needs to compile a kernel, without importing the program that defines it.

Importing the program would run it a second time, and a forked process would inherit locks of its threads. So a kernel
travels as its source text together with the values of the names that the text uses.
"""

from __future__ import annotations

import __future__

import ast
import importlib
import inspect
import linecache
import pickle
import textwrap
import types
from collections.abc import Mapping
from typing import Any

from triton.runtime.jit import JITCallable, JITFunction

#: A tree of attributes: `a.b` and `a.c` of a module `a` are {"b": {}, "c": {}}.
_Tree = dict[str, Any]


class NotPortable(Exception):
    """A kernel uses something that cannot travel to another process; the message says what."""


class Encoder:
    """Encodes kernels and constants. One encoder makes one job; what several kernels share is encoded once.

    base: an encoder whose functions this one begins with. It stays as it is.
    """

    def __init__(self, base: Encoder | None = None) -> None:
        self.functions: list[dict[str, Any]] = [] if base is None else list(base.functions)
        self._known: dict[int, int] = {} if base is None else dict(base._known)

    def value(self, value: Any, used: _Tree | None = None, where: str = "") -> tuple[str, Any]:
        """One value. ``used`` are the attributes that are read of it. Raises NotPortable."""
        if value is None or type(value) in (bool, int, float, str, bytes, complex):
            return ("value", value)
        if isinstance(value, JITCallable):
            return ("function", self.function(value))
        kind = type(value)
        if kind in (tuple, list, set, frozenset):
            return (kind.__name__, [self.value(item, None, where) for item in value])
        if kind is dict:
            return ("dict", [(self.value(k, None, where), self.value(v, None, where)) for k, v in value.items()])
        if isinstance(value, types.ModuleType):
            return self._module(value, used or {}, where)
        if isinstance(value, types.FunctionType) and not _is_importable(value):
            return ("function", self.function(value))
        if kind.__module__.partition(".")[0] == "triton" and kind.__name__ == "constexpr":
            return ("constexpr", self.value(value.value, None, where))
        if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
            if _is_importable(value):
                return ("import", (value.__module__, value.__qualname__))
            raise NotPortable(f"{where or value!r} is defined by the program")
        if kind.__module__.partition(".")[0] in ("triton", "torch"):
            try:
                return ("pickle", pickle.dumps(value))
            except Exception as error:
                raise NotPortable(f"{where or value!r}: {error}") from error
        raise NotPortable(f"{where or value!r} is a {kind.__module__}.{kind.__qualname__}")

    def function(self, function: Any) -> int:
        """The number of a kernel, or of a function that is called while kernels are compiled."""
        known = self._known.get(id(function))
        if known is not None:
            return known
        number = len(self.functions)
        self._known[id(function)] = number
        self.functions.append({})  # a function may call itself
        self.functions[number] = self._described(function)
        return number

    def _described(self, function: Any) -> dict[str, Any]:
        python = function.fn if isinstance(function, JITCallable) else function
        kind = type(function)
        if kind not in (JITFunction, types.FunctionType) and kind.__name__ != "ConstexprFunction":
            raise NotPortable(f"{python.__qualname__} is a {kind.__module__}.{kind.__qualname__}")
        try:
            lines, first = inspect.getsourcelines(python)
        except (OSError, TypeError) as error:
            raise NotPortable(f"{python.__qualname__} has no source") from error
        text = getattr(function, "_src", None) or textwrap.dedent("".join(lines))
        tree = ast.parse(text)
        scope = {**python.__globals__, **inspect.getclosurevars(python).nonlocals}
        names = {
            name: self.value(scope[name], used, f"{name} in {python.__qualname__}")
            for name, used in _names_of(tree.body[0]).items()
            if name in scope
        }
        described = {
            "kind": "jit" if kind is JITFunction else "constexpr" if isinstance(function, JITCallable) else "python",
            "name": python.__name__,
            "qualname": python.__qualname__,
            "module": python.__module__,
            "file": python.__code__.co_filename,
            "flags": python.__code__.co_flags & __future__.annotations.compiler_flag,
            "line": first,
            "lines": lines,
            "text": text,
            "names": names,
        }
        if kind is JITFunction:
            described["key"] = function.cache_key
            described["attributes"] = {
                name: value
                for name, value in vars(function).items()
                if value is None or type(value) in (bool, int, str) and name not in ("_src", "hash")
            }
            described["options"] = {
                "do_not_specialize": list(function.do_not_specialize),
                "do_not_specialize_on_alignment": list(function.do_not_specialize_on_alignment),
                "noinline": function.noinline,
                "debug": function.debug,
            }
        return described

    def _module(self, module: types.ModuleType, used: _Tree, where: str) -> tuple[str, Any]:
        name = module.__name__
        if name.partition(".")[0] in ("triton", "math", "builtins", "typing", "functools", "operator"):
            return ("module", name)
        # A module of the program: only what the kernel reads of it.
        encoded = {}
        for attribute, deeper in used.items():
            if hasattr(module, attribute):
                encoded[attribute] = self.value(getattr(module, attribute), deeper, f"{name}.{attribute}")
        return ("namespace", (name, encoded))


def _is_importable(value: Any) -> bool:
    """Whether a function or class is one of Triton's or the standard types, found under its own name."""
    module = getattr(value, "__module__", None) or ""
    if module.partition(".")[0] not in ("triton", "builtins", "math", "operator", "functools"):
        return False
    try:
        return _imported(module, value.__qualname__) is value
    except (ImportError, AttributeError):
        return False


def _imported(module: str, qualname: str) -> Any:
    found: Any = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    return found


def _names_of(tree: ast.AST) -> dict[str, _Tree]:
    """The names that a function reads, each with the attributes that are read of it."""
    names: dict[str, _Tree] = {}

    def visit(node: ast.AST) -> None:
        chain: list[str] = []
        inner = node
        while isinstance(inner, ast.Attribute):
            chain.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name):
            used = names.setdefault(inner.id, {})
            for attribute in reversed(chain):
                used = used.setdefault(attribute, {})
            return
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return names


class Decoder:
    """Makes the functions of a job again."""

    def __init__(self, functions: list[dict[str, Any]]) -> None:
        self._described = functions
        self._made: dict[int, Any] = {}

    def value(self, encoded: tuple[str, Any]) -> Any:
        kind, content = encoded
        if kind == "value":
            return content
        if kind == "function":
            return self.function(content)
        if kind in ("tuple", "list", "set", "frozenset"):
            made = [self.value(item) for item in content]
            return made if kind == "list" else {"tuple": tuple, "set": set, "frozenset": frozenset}[kind](made)
        if kind == "dict":
            return {self.value(k): self.value(v) for k, v in content}
        if kind == "constexpr":
            from triton.language import constexpr

            return constexpr(self.value(content))
        if kind == "import":
            return _imported(*content)
        if kind == "pickle":
            return pickle.loads(content)
        if kind == "module":
            return importlib.import_module(content)
        assert kind == "namespace", kind
        name, attributes = content
        module = types.ModuleType(name)
        for attribute, value in attributes.items():
            setattr(module, attribute, self.value(value))
        return module

    def function(self, number: int) -> Any:
        if number not in self._made:
            self._make(number, self._described[number])
        return self._made[number]

    def _make(self, number: int, described: Mapping[str, Any]) -> None:
        file, line, text = described["file"], described["line"], described["text"]
        # The compiler writes file and line into the kernel, and the lines are where it looks for the text.
        before = len(described["lines"]) - len(text.splitlines())
        known = linecache.cache.get(file)
        lines = list(known[2]) if known is not None and len(known) == 4 and known[1] is None else []
        lines.extend("\n" for _ in range(line - 1 + len(described["lines"]) - len(lines)))
        lines[line - 1 : line - 1 + len(described["lines"])] = described["lines"]
        linecache.cache[file] = (len(lines), None, lines, file)

        namespace: dict[str, Any] = {"__name__": described["module"], "__file__": file}
        code = compile(
            "\n" * (line - 1 + before) + text, file, "exec", flags=described["flags"], dont_inherit=True
        )
        # The function's globals are complete before anything looks at them, but for the function itself.
        own = {name for name, value in described["names"].items() if value == ("function", number)}
        pending = {name: value for name, value in described["names"].items() if name not in own}
        eager = {name: value for name, value in pending.items() if value[0] != "function"}
        for name, value in eager.items():
            namespace[name] = self.value(value)
        exec(code, namespace)
        python = namespace[described["name"]]
        python.__qualname__ = described["qualname"]
        if described["kind"] == "jit":
            made: Any = JITFunction(python, **described["options"])
            vars(made).update(described["attributes"])
            made.raw_src = described["lines"]
            made._unsafe_update_src(text)
            made.hash = described["key"]
        elif described["kind"] == "constexpr":
            from triton.runtime.jit import constexpr_function

            made = constexpr_function(python)
        else:
            made = python
        self._made[number] = made
        for name in own:
            namespace[name] = made
        for name, value in pending.items():
            if name not in eager:
                namespace[name] = self.value(value)
