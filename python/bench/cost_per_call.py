"""What a call from Python costs, beside an empty call of nanobind and a look-up in a dict, all in one run.

    cmake -S . -B build/python -G Ninja -DADAPTIVE_BUILD_PYTHON=ON -DADAPTIVE_BUILD_BENCH=ON …
    PYTHONPATH=build/python/python python python/bench/cost_per_call.py

The module `_empty` is built by CMake beside the extension. Every figure is the least of rounds that take the
calls in turns (what disturbs a call can only add to it); the cost of the loop is subtracted.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import time

import _empty

import adaptive_selector as ads

LIMITS = {
    "op.select(m, n, k)": 3.0,
    "site.select()": 2.0,
    "site.variant()": 1.5,
    "op.record(decision, seconds=s)": 9.0,
}


def settled_operation() -> ads.Operation:
    """An operation whose key is settled, as nearly every call of a program finds it."""
    selector = ads.Selector(tables=None, device="host", seed=1)
    operation = selector.define("gemm", ["m", "n", "k"], ["a", "b"])
    for call in range(20_000):
        decision = operation.select(17, 4096, 4096)
        noise = 1.0 + 0.01 * ((call * 7919) % 13 - 6) / 6
        operation.record(decision, seconds=(20e-6, 10e-6)[decision.variant] * noise)
    return operation


def timed(statement: str, names: dict[str, object], calls: int) -> float:
    """Nanoseconds per call, with the cost of the loop."""
    code = f"def loop(count):\n    begin = clock()\n    for _ in count:\n        {statement}\n    return clock() - begin\n"
    scope: dict[str, object] = {"clock": time.perf_counter_ns, **names}
    exec(f"def make({', '.join(scope)}):\n    " + code.replace("\n", "\n    ") + "return loop", made := {})
    loop = made["make"](**scope)
    loop(range(1000))  # lets the interpreter specialise the call
    return min(loop(range(calls)) for _ in range(3)) / calls


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()

    op = settled_operation()
    names: dict[str, object] = {
        "op": op,
        "site": op.site(17, 4096, 4096),
        "decision": op.select(17, 4096, 4096),
        "empty": _empty.call,
        "table": {(17, 4096, 4096): 1},
        "m": 17, "n": 4096, "k": 4096, "s": 10e-6,
    }
    statements = {
        "pass": "pass",
        "empty nanobind call": "empty()",
        "dict look-up by tuple": "table[m, n, k]",
        "op.select(m, n, k)": "op.select(m, n, k)",
        "op.select(m, n, k).variant": "op.select(m, n, k).variant",
        "site.select()": "site.select()",
        "site.variant()": "site.variant()",
        "op.record(decision, seconds=s)": "op.record(decision, seconds=s)",
        "decision.variant": "decision.variant",
        "decision.timed": "decision.timed",
    }
    rounds: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(arguments.rounds):
        for name, statement in statements.items():
            rounds[name].append(timed(statement, names, arguments.calls))
    loop = min(rounds.pop("pass"))
    ns = {name: min(values) - loop for name, values in rounds.items()}
    empty = ns["empty nanobind call"]

    if arguments.json:
        print(json.dumps({"ns": ns, "empty": empty}))
    else:
        print(f"{datetime.date.today()}, {platform.python_implementation()} {platform.python_version()}, "
              f"{ads.host_device().device}")
        print(f"{'call':34} {'ns':>7} {'empty calls':>12} {'limit':>6}")
        for name, cost in ns.items():
            limit = LIMITS.get(name)
            print(f"{name:34} {cost:7.1f} {cost / empty:12.2f} {limit if limit else '':>6}")


if __name__ == "__main__":
    main()
