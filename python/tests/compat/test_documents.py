"""The documents of the systems that this package replaces: their snippets and commands, word for word.

The documents are read from beside the folder that ADAPTIVE_TEST_DATA names, and are not part of this project."""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import adaptive_selector as ads
from adaptive_selector import compat
from adaptive_selector.compat import _command, metal_marlin

DATA = os.environ.get("ADAPTIVE_TEST_DATA")  # before the tests hide it
TOOL = Path(ads.__file__).parent / "bin" / "adaptive"


def blocks(document: str, language: str) -> list[str]:
    path = Path(DATA).parent / "reference" / f"{document}.md" if DATA else None
    if path is None or not path.exists():
        pytest.skip("ADAPTIVE_TEST_DATA names no folder beside the documents")
    found = re.findall(r"^ *```(\w*)\n(.*?)^ *```", path.read_text(), re.MULTILINE | re.DOTALL)
    texts = [inspect.cleandoc(text) for kind, text in found if kind == language]
    assert texts
    return texts


@pytest.fixture(autouse=True)
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    compat.install()
    yield
    compat.uninstall()


def module(monkeypatch: pytest.MonkeyPatch, name: str, **members: Any) -> None:
    made = ModuleType(name)
    vars(made).update(members)
    monkeypatch.setitem(sys.modules, name, made)


class Layer:
    in_features, out_features, bits = 4096, 4096, [2, 3, 4]

    def launch(self, batch_size: int, config: Any) -> None:
        pass


class Loader:
    """Stands for Metal Marlin's own loader of models, which needs its weights."""

    def __init__(self, folder: str) -> None:
        pass

    def load_weight(self, name: str) -> Layer:
        return Layer()


def compiles(text: str) -> bool:
    try:
        compile(text, "snippet", "exec")
    except SyntaxError:
        return False
    return True


def test_snippets_of_metal_marlin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module(monkeypatch, "metal_marlin.trellis.loader", TrellisModelLoader=Loader)
    module(monkeypatch, "metal_marlin.trellis.kernel_selection_mixed",
           get_mixed_kernel=lambda available_kernels, **rest: (next(iter(available_kernels)), rest))
    names: dict[str, Any] = {
        "measure_kernel_execution_time": lambda kernel: 0.8, "kernel": None, "batch_size": 4, "hidden_dim": 4096,
        "layer_bit_widths": [2, 3, 4], "current_batch_size": 4, "current_hidden_dim": 4096,
        "current_bit_widths": [2, 3, 4], "active_expert_bits": [2, 3, 4],
    }
    snippets = [text for text in blocks("metal-marlin-mixed-bpw", "python") if compiles(text) and "@dataclass" not in text]
    assert len(snippets) == 6
    for text in snippets:
        if "device_family.lower()" in text:
            names["autotuner"].export_config("configs/autotune_mixed_bpw_m4.json")
        exec(compile(text, "snippet", "exec"), names)
    assert len(names["results"]) == 3 and len(names["results"]["mlp_gate"]) == 6
    assert names["kernel_config"].kernel_name == names["kernel"], "the row that was tuned"
    assert names["adapted_config"] is None, "one latency is not enough"
    assert names["autotuner"].device_name == "M4 Max"


def test_signatures_of_metal_marlin() -> None:
    described = [text for text in blocks("metal-marlin-mixed-bpw", "python") if not compiles(text)]
    assert len(described) == 8
    types = {name: Any for name in ("TrellisLinear", "KernelConfig", "BenchmarkResult", "MixedBPWAutoTuner")}
    for text in described:
        match = re.fullmatch(r"(?:\w+ = )?(?:\w+\.)?(\w+)\((.*)\)(?: -> (.*))?", text, re.DOTALL)
        assert match, text
        names: dict[str, Any] = {}
        exec(f"from typing import *\nfrom pathlib import Path\ndef f({match[2]}): ...", {**types}, names)
        exec(f"from __future__ import annotations\ndef f({match[2]}): ...", names)
        documented = inspect.signature(names["f"]).parameters
        ours = getattr(metal_marlin.MixedBPWAutoTuner, match[1], metal_marlin.MixedBPWAutoTuner)
        parameters = {name: p for name, p in inspect.signature(ours).parameters.items()
                      if name != "self" and p.kind != inspect.Parameter.KEYWORD_ONLY}
        assert [(n, p.default) for n, p in parameters.items()] == [(n, p.default) for n, p in documented.items()], match[1]


def test_data_classes_of_metal_marlin() -> None:
    described = [text for text in blocks("metal-marlin-mixed-bpw", "python") if "@dataclass" in text]
    names: dict[str, Any] = {"dataclass": dataclasses.dataclass, "KernelConfig": metal_marlin.KernelConfig}
    for text in described:
        exec(text, names)
    for name in ("KernelConfig", "BenchmarkResult"):
        ours, theirs = dataclasses.fields(getattr(metal_marlin, name)), dataclasses.fields(names[name])
        assert [(f.name, f.default) for f in ours] == [(f.name, f.default) for f in theirs], name


def test_configuration_of_metal_marlin(tmp_path: Path) -> None:
    (text,) = blocks("metal-marlin-mixed-bpw", "json")
    (tmp_path / "documented.json").write_text(text)
    tuner = metal_marlin.MixedBPWAutoTuner.load_config(tmp_path / "documented.json")
    assert json.loads(tuner.export_config()) == json.loads(text)
    row = tuner.select_kernel(4, 4096, [4, 2])
    assert row is not None and row.simdgroups == 12


def need_tool() -> None:
    if not TOOL.exists():
        pytest.skip("the package was built without the tool")


def run(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of a document, with `python -m adaptive_selector.compat` in place of its `python`, and links to the tool
    for its other programs."""
    for name in ("run_tuning.sh", "tpu-tune"):
        if not (folder / name).exists():
            (folder / name).symlink_to(TOOL)
    words = shlex.split(command.replace("\\\n", " "), comments=True)
    if words[:2] == ["uv", "run"]:
        words = words[2:]
    if words[0] == "python":
        words = [sys.executable, "-m", "adaptive_selector.compat", *words[1:]]
    elif words[0] == "tpu-tune":
        words[0] = "./tpu-tune"
    path = os.pathsep.join(entry for entry in [str(Path(ads.__file__).parents[1]), os.environ.get("PYTHONPATH", "")] if entry)
    return subprocess.run(words, capture_output=True, text=True, timeout=300, cwd=folder,
                          env={**os.environ, "PYTHONPATH": path, **environment})


def small_models(folder: Path) -> str:
    """Models of the documents' names with small layers: the commands are what is tested."""
    for name in ("llama-7b", "llama-13b", "mixtral-8x7b"):
        model = {"hidden_size": 64, "intermediate_size": 32, "num_attention_heads": 4, "torch_dtype": "bfloat16"}
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps(model))
    return str(folder)


def test_commands_of_metal_marlin(tmp_path: Path) -> None:
    need_tool()
    commands = [text for text in blocks("metal-marlin-mixed-bpw", "bash") if "-m metal_marlin" in text]
    assert len(commands) == 2
    for command in commands:
        if "--iterations 20" in command:  # as it stands it takes a minute
            command = command.replace("1,4,8,16,32,64", "1").replace("--iterations 20", "--iterations 2")
        done = run(command, tmp_path)
        assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "configs").glob("autotune_mixed_bpw*.json"))) == 2
    for path in (tmp_path / "configs").glob("*.json"):
        assert metal_marlin.MixedBPWAutoTuner.load_config(path).get_statistics()["lookup_entries"] > 0


def test_snippets_of_megablox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                              caplog: pytest.LogCaptureFixture) -> None:
    startup, integration = blocks("megablox-gmm", "python")
    if TOOL.exists():
        monkeypatch.setenv("ADAPTIVE_MODELS", small_models(tmp_path / "models"))
        names: dict[str, Any] = {}
        exec(startup, names)
        assert "Initialized tiling manager with 0 cached configurations" in capsys.readouterr().out
        assert "10 shapes are not tuned: JAX" in caplog.text, "without a TPU it is said what is missing"

    class Moe:
        num_experts = 8

    (sample,) = [text for text in blocks("megablox-gmm", "json")]
    (tmp_path / "tuning_cache").mkdir(exist_ok=True)
    (tmp_path / "tuning_cache" / "m1024_k4096_n11008_g8.json").write_text(sample)
    names = {"m": 1024, "k": 4096, "n": 11008, "self": Moe()}
    exec("from sgl_jax.srt.auto_tune_startup import initialize_tiling_manager\n"
         "from sgl_jax.srt.layers.gmm.tiling_manager import get_optimal_tiling_for_gmm\n"
         "initialize_tiling_manager(verbose=True)\n" + integration, names)
    assert names["tiling"] == (128, 512, 1024)
    assert "Initialized tiling manager with 1 cached configurations" in capsys.readouterr().out


def test_commands_of_megablox(tmp_path: Path) -> None:
    need_tool()
    commands = [text for text in blocks("megablox-gmm", "bash") if "[OPTIONS]" not in text]
    assert len(commands) == 5
    for command in commands:
        done = run(command, tmp_path, ADAPTIVE_MODELS=small_models(tmp_path / "models"))
        # 1: the winners of this machine's processor have no tiles in the sense of Megablox, and stderr says so.
        assert done.returncode == 0 or (done.returncode == 1 and "no row of megablox_gmm" in done.stderr), done.stderr
    help_text = _help("auto_tune_startup")
    for option in re.findall(r"^ +(--[\w-]+)", "\n".join(blocks("megablox-gmm", "bash")), re.MULTILINE):
        assert option in help_text, option


def _help(command: str) -> str:
    return subprocess.run([_command.tool(), command, "--help"], capture_output=True, text=True, check=True).stdout


def test_options_of_the_grouped_gemm() -> None:
    need_tool()
    text = " ".join(blocks("sglang-grouped-gemm", "bash"))
    options = set(re.findall(r"--[\w-]+", text))
    assert len(options) == 6
    help_text = _help("run_tuning")
    assert all(option in help_text for option in options)


def test_commands_of_tpu_tune_and_vllm(tmp_path: Path) -> None:
    need_tool()
    commands = [c for text in blocks("tpu-tune", "bash") for c in re.findall(r"^tpu-tune (?:\\\n|.)*", text, re.MULTILINE)]
    assert len(commands) == 4
    for command in commands:
        command = command.replace("--max-model-len 8192", "--max-model-len 512")  # as it stands it takes a minute
        done = run(command, tmp_path, XDG_DATA_HOME=str(tmp_path), CUDA_VISIBLE_DEVICES="")
        if "quantized-matmul" in command or "rpa-v3" in command:
            assert done.returncode == 0, done.stderr
            assert list(tmp_path.glob("tuning_runs/*/results.json"))
            continue
        assert done.returncode == 2
        assert "tuning_runs/my_run/results.json" in done.stderr, "there is no such run"
    (command,) = [text for text in blocks("vllm-moe-configs", "bash") if "benchmark_moe" in text]
    model = {"hidden_size": 64, "intermediate_size": 32, "num_attention_heads": 4, "num_experts": 2,
             "num_experts_per_tok": 1, "torch_dtype": "bfloat16"}
    (tmp_path / "small.json").write_text(json.dumps(model))
    for name, value in (("<model_name>", "small.json"), ("<tensor_parallelism>", "2"), ("<batch_size>", "16")):
        command = command.replace(name, value)
    done = run(command, tmp_path, CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 0 and "tokens=16 hidden_size=64 intermediate_size=16" in done.stdout, done.stderr
