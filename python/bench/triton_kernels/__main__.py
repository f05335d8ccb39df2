"""What kernels of Triton gain, beside triton.autotune. Needs a GPU and PyTorch; prints every figure of
docs/benchmarks/python.md that concerns Triton.

    python python/bench/triton_kernels [serving] [host] [in_place] [packages]

`packages` needs liger-kernel and flash-linear-attention (pip install --no-deps liger-kernel fla-core
flash-linear-attention einops); what is missing is left out and named.
"""

from __future__ import annotations

import datetime
import sys

import torch
import triton

import host
import in_place
import packages
import serving

SECTIONS = {"host": host.main, "in_place": in_place.main, "serving": serving.main, "packages": packages.main}


def main() -> None:
    """Sections by their names, each followed by its own options; all of them where none is named."""
    print(f"{datetime.date.today()}, {torch.cuda.get_device_name()}, PyTorch {torch.__version__}, Triton {triton.__version__}")
    wanted: list[tuple[str, list[str]]] = []
    for argument in sys.argv[1:] or list(SECTIONS):
        if argument in SECTIONS:
            wanted.append((argument, []))
        elif wanted:
            wanted[-1][1].append(argument)
        else:
            sys.exit(f"there is no section {argument}; there are {', '.join(SECTIONS)}")
    for name, options in wanted:
        print(f"\n== {name}", flush=True)
        SECTIONS[name](options)


if __name__ == "__main__":
    main()
