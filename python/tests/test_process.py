"""What a process does with the package: fork, end, run for long."""

from __future__ import annotations

from collections.abc import Callable

import adaptive_selector as ads

_USED = """
import os, sys, threading
import adaptive_selector as ads
selector = ads.Selector(tables=None, device="host", log=lambda level, line: None)
operation = selector.define("gemm", ["m"], ["a", {"name": "b", "supports": lambda m: True}])
for call in range(500):
    decision = operation.select(16)
    operation.record(decision, seconds=(2e-5, 1e-5)[decision.variant] * (1 + 0.001 * (call % 7)))
"""


def test_fork_after_use(run_python: Callable[[str], str], tmp_path: object) -> None:
    printed = run_python(_USED + f"""
path = {str(tmp_path)!r}
children = []
for child in range(2):
    pid = os.fork()
    if pid == 0:
        for call in range(500):
            decision = operation.select(17 + child)
            operation.record(decision, seconds=(2e-5, 1e-5)[decision.variant] * (1 + 0.001 * (call % 7)))
        selector.save(path + "/t.json")
        sys.exit(0 if operation.pin(17 + child).name == "b" else 1)
    children.append(pid)
codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
selector.save(path + "/t.json")
again = ads.Selector(tables=path, device="host").define("gemm", ["m"], ["a", "b"])
print(codes, [again.pin(m).name for m in (16, 17, 18)], [again.explain(m).match for m in (16, 17, 18)])
""")
    assert printed == "[0, 0] ['b', 'b', 'b'] ['exact', 'exact', 'exact']\n"


def test_the_interpreter_ends_with_launches_in_flight(run_python: Callable[[str], str]) -> None:
    run_python(_USED + """
keep = [operation.select(m) for m in range(100)]
site, pin, launch, forced = operation.site(1), operation.pin(1), operation.launch(1), operation.force("b")
launch.__enter__(); forced.__enter__()
""")


def test_the_interpreter_ends_while_threads_launch(run_python: Callable[[str], str]) -> None:
    run_python(_USED + """
started = threading.Event()
def work():
    m = 0
    while True:
        m += 1
        operation.record(operation.select(m % 50), seconds=1e-5)
        started.set()
threading.Thread(target=work, daemon=True).start()
started.wait()
""")


def test_the_interpreter_ends_with_a_saver_and_a_store(run_python: Callable[[str], str], tmp_path: object) -> None:
    run_python(_USED + f"""
class Store:
    def read(self, group): return {{}}
    def write(self, group, writer, records): pass
saver = ads.Saver(selector, {str(tmp_path) + "/t.json"!r}, store=Store(), interval=0.001)
operation.record(operation.select(3), seconds=1e-5)
""")


def _resident_kib() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4


def test_ten_million_calls_take_no_memory(gemm: ads.Operation) -> None:
    site = gemm.site(1, 2, 3)

    def calls(count: int) -> None:
        select, record, pin, site_select = gemm.select, gemm.record, gemm.pin, site.select
        for _ in range(count // 5):
            decision = select(1, 2, 3)
            record(decision, seconds=1e-5)
            site_select().variant
            site.variant()
            pin(1, 2, 3)

    calls(200_000)
    before = _resident_kib()
    calls(10_000_000)
    assert _resident_kib() - before < 1024


def test_objects_are_given_back(gemm: ads.Operation) -> None:
    def use() -> None:
        for _ in range(2000):
            gemm.explain(1, 2, 3)._repr_html_()
            with gemm.launch(1, 2, 3) as launch:
                launch.name
            selector = ads.Selector(tables=None, device="host", log=lambda level, line: None)
            selector.define("op", ["m"], ["a", {"name": "b", "supports": lambda m: True}]).select(1).name

    use()
    before = _resident_kib()
    use()
    assert _resident_kib() - before < 4096
