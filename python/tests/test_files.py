from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from launches import learn

import adaptive_selector as ads


def make(**options: object) -> ads.Operation:
    selector = ads.Selector(device="host", **{"tables": None, **options})  # type: ignore[arg-type]
    return selector.define("gemm", ["m"], ["a", "b"])


def test_what_was_learned_is_found_again(tmp_path: Path) -> None:
    table = tmp_path / "adapted.json"
    operation = make()
    learn(operation, 16, latencies=(20e-6, 10e-6))
    operation.selector.save(table)
    assert json.loads(table.read_text())["operations"]

    again = make(tables=table)
    assert again.select(16).name == "b"
    assert again.explain(16).match == "exact"
    assert str(table) in again.explain(16).source
    assert again.explain(17).match in ("nearest", "predicted")
    for tables in (str(table), tmp_path, [table], [str(tmp_path)]):
        assert make(tables=tables).pin(16).name == "b"

    loaded = make()
    loaded.selector.load(table)
    assert loaded.pin(16).name == "b"


def test_a_table_carries_the_mapping_of_its_operation(tmp_path: Path) -> None:
    """A stranger's operation reaches vLLM without any further file."""
    import subprocess

    from adaptive_selector.compat import _command

    if not (Path(ads.__file__).parent / "bin" / "adaptive").exists():
        pytest.skip("the package was built without the tool")
    mapping = {"mappings": [{"to": "fused_moe", "key": {"m": "rows", "E": "experts", "N": 64},
                             "parameters": {"BLOCK_SIZE_M": "tile", "num_warps": 4}}]}
    for declared in (mapping, json.dumps(mapping)):
        selector = ads.Selector(device=ads.Fingerprint("NVIDIA H200"), tables=None, background=False)
        op = selector.define("my_moe", ["rows", "experts"], [{"name": "a", "parameters": {"tile": 16}},
                                                             {"name": "b", "parameters": {"tile": 64}}], mapping=declared)
        learn(op, 128, 8, latencies=(20e-6, 10e-6))
        selector.save(tmp_path / "mine.json")
        done = subprocess.run([_command.tool(), "export", "--to", "vllm", str(tmp_path / "mine.json"), "-o",
                               str(tmp_path / "configs")], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        rows = json.loads((tmp_path / "configs" / "E=8,N=64,device_name=NVIDIA_H200.json").read_text())
        assert rows == {"128": {"BLOCK_SIZE_M": 64, "num_warps": 4}}

    with pytest.raises(ads.Error, match="/mappings/0"):
        selector.define("other", ["m"], ["a"], mapping={"mappings": [{}]})


def test_standard_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    operation = make()
    learn(operation, 16, latencies=(20e-6, 10e-6))
    (tmp_path / "one").mkdir()
    operation.selector.save(tmp_path / "one" / "t.json")
    monkeypatch.setenv("ADAPTIVE_TABLES", str(tmp_path / "one"))
    assert make(tables="standard").pin(16).name == "b"


def test_the_tables_of_the_package_are_found() -> None:
    device = ads.Fingerprint("NVIDIA H200", libraries={"compute_capability": "9.0"})
    lines: list[str] = []
    selector = ads.Selector(device=device, log=lambda level, line: lines.append(line))
    selector.define("dense_gemm", ["m"], ["a"])
    assert any("configs/nvidia_h200/dense_gemm.json" in line for line in lines), lines


def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"operations":\n  [}')
    operation = make()
    with pytest.raises(ads.Error, match=r"broken\.json:2") as caught:
        operation.selector.load(broken)
    assert caught.value.where.startswith(str(broken))
    assert isinstance(caught.value, RuntimeError)
    with pytest.raises(ads.Error, match="No such file"):
        operation.selector.load(tmp_path / "none.json")


@pytest.mark.parametrize("tables", [5, [5], object()])
def test_tables_that_are_no_paths(tables: object) -> None:
    with pytest.raises(TypeError, match="tables is 'standard', a path, several paths or None"):
        make(tables=tables)


def test_saver(tmp_path: Path) -> None:
    operation = make()
    with ads.Saver(operation.selector, tmp_path / "t.json", interval=3600.0) as saver:
        learn(operation, 16, latencies=(20e-6, 10e-6))
        saver.save()
        assert (tmp_path / "t.json").exists()
        assert saver.status.failed == 0
    assert make(tables=tmp_path).pin(16).name == "b"
    saver.close()
    with pytest.raises(ads.Error, match="the saver is closed"):
        saver.save()
    with pytest.raises(ads.Error):
        ads.Saver(operation.selector)
    with pytest.raises(TypeError):
        ads.Saver(operation, tmp_path / "t.json")  # type: ignore[arg-type]


def test_processes_share_through_a_folder(tmp_path: Path) -> None:
    store = ads.file_store(tmp_path / "store")
    first, second = make(), make()
    learn(first, 16, latencies=(20e-6, 10e-6))
    ads.Saver(first.selector, store=store, interval=3600.0).close()
    saver = ads.Saver(second.selector, store=store, interval=3600.0)
    saver.close()
    assert saver.status.exchanges_failed == 0
    assert second.pin(16).name == "b"


def test_a_store_written_in_python() -> None:
    class Memory:
        def __init__(self) -> None:
            self.groups: dict[str, dict[str, str]] = {}

        def read(self, group: str) -> dict[str, str]:
            return self.groups.get(group, {})

        def write(self, group: str, writer: str, records: dict[str, str]) -> None:
            assert writer
            self.groups.setdefault(group, {}).update(records)

    store = Memory()
    first, second = make(), make()
    learn(first, 16, latencies=(20e-6, 10e-6))
    ads.Saver(first.selector, store=store, interval=3600.0).close()
    assert store.groups
    ads.Saver(second.selector, store=store, interval=3600.0).close()
    assert second.pin(16).name == "b"
    zero, one = (ads.RankEpochs(make(rank_consistent=True).selector, store, "job", rank=rank) for rank in (0, 1))
    assert not zero.step(0) and not one.step(0)
    assert "ranks-job" in store.groups


def test_ranks_take_up_a_table_at_the_same_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tuned = make()
    learn(tuned, 16, latencies=(20e-6, 10e-6))
    tuned.selector.save(tmp_path / "better.json")
    store = ads.file_store(tmp_path / "store")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    second = make()
    assert second.selector.rank_consistent
    epochs = ads.RankEpochs(second.selector, store, "job", interval=10, patience=0.0)
    assert epochs.rank == 1
    with pytest.raises(ads.Error, match="rank 0 has not decided"):
        epochs.step(0)
    first = make(rank_consistent=True)
    zero = ads.RankEpochs(first.selector, store, "job", rank=0, interval=10)
    risen = []
    for step in range(30):
        risen.append(zero.step(step))
        assert epochs.step(step) == risen[-1]
        if step == 3:
            zero.announce(tmp_path / "better.json")
    assert risen.index(True) == 20 and sum(risen) == 1
    assert first.select(16).name == second.select(16).name == "b"
    with pytest.raises(ads.Error, match="may not announce"):
        epochs.announce(tmp_path / "better.json")
    with pytest.raises(ads.Error, match="not rank consistent"):
        ads.RankEpochs(make(rank_consistent=False).selector, store, "job")
    monkeypatch.setenv("ADAPTIVE_RANK_CONSISTENT", "0")
    assert not make().selector.rank_consistent


def test_a_store_that_fails() -> None:
    class Broken:
        def read(self, group: str) -> dict[str, str]:
            raise OSError("the network is down")

        def write(self, group: str, writer: str, records: dict[str, str]) -> None:
            raise OSError("the network is down")

    lines: list[str] = []
    operation = make(log=lambda level, line: lines.append(f"{level} {line}"))
    learn(operation, 16, latencies=(20e-6, 10e-6))
    ads.Saver(operation.selector, store=Broken(), interval=3600.0).close()
    assert any("the network is down" in line for line in lines), lines


def test_a_saver_saves_when_the_program_ends(tmp_path: Path, run_python: Callable[[str], str]) -> None:
    run_python(f"""
import adaptive_selector as ads
selector = ads.Selector(tables=None, device="host")
saver = ads.Saver(selector, {str(tmp_path / "t.json")!r}, interval=3600.0)
operation = selector.define("gemm", ["m"], ["a", "b"])
for call in range(2000):
    decision = operation.select(16)
    operation.record(decision, seconds=(2e-5, 1e-5)[decision.variant] * (1 + 0.001 * (call % 7)))
""")
    assert make(tables=tmp_path).pin(16).name == "b"


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTIVE_VARIANT", "gemm=b")
    assert make().select(1).name == "b"
    assert make(use_environment=False).select(1).name == "a"
    assert os.environ["ADAPTIVE_VARIANT"]


def test_an_audit_file_tells_what_changed_and_why(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    selector = ads.Selector(tables=None, device="host", background=False, audit=path, log=lambda level, line: None)
    operation = selector.define("gemm", ["m"], ["a", "b"])
    for i in range(20):
        for variant, seconds in enumerate((2e-3, 1e-3)):
            operation.record_latency(64, variant=variant, seconds=seconds * (1 + 0.01 * (i % 3)))
    selector.learn()  # without the thread, this writes
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["start", "promotion"]
    assert lines[1]["key"] == {"m": 64} and lines[1]["why"].startswith("b is surely faster")


def test_a_socket_shows_the_selector_and_takes_the_kill_switch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    selector = ads.Selector(tables=None, device="host", socket=tmp_path / "named", socket_name="served")
    selector.define("gemm", ["m"], ["a", "b"]).select(16)
    (path,) = (tmp_path / "named").glob("*.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, connection.makefile("rw") as lines:
        connection.connect(str(path))
        for question in ({"ask": "status"}, {"ask": "mode", "mode": "off"}):
            print(json.dumps({"version": 1, **question}), file=lines, flush=True)
        status, changed = json.loads(lines.readline()), json.loads(lines.readline())
    assert (status["name"], status["mode"]) == ("served", "online")
    assert [operation["name"] for operation in status["operations"]] == ["gemm"]
    assert changed["mode"] == "off" and selector.mode == "off"

    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    listening = ads.Selector(tables=None, device="host", socket=True)
    assert len(list((tmp_path / "adaptive").glob("*.sock"))) == 1
    del listening, selector
    assert not list(tmp_path.glob("*/*.sock"))
    for silent in (None, False):
        ads.Selector(tables=None, device="host", socket=silent)
        assert not list(tmp_path.glob("*/*.sock"))
    with pytest.raises(TypeError, match="socket is True"):
        ads.Selector(tables=None, device="host", socket=7)  # type: ignore[arg-type]
