"""A kernel of Triton inside torch.compile: an operator of torch.library keeps the choice out of the compiled graph.

    python python/examples/torch_compile.py
"""

from __future__ import annotations

import sys

try:
    import torch
    import triton
    import triton.language as tl
except ImportError as error:
    sys.exit(print(f"left out: {error}"))

import adaptive_selector as ads


@ads.triton.autotune(configs=[triton.Config({"BLOCK": block}) for block in (128, 256, 512, 1024)], key=["n"])
@triton.jit  # type: ignore
def scale_kernel(x_ptr, out_ptr, n, factor, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    tl.store(out_ptr + offsets, x * factor, mask=offsets < n)


# The graph calls the operator; which configuration runs is decided in each call.
library = torch.library.Library("adaptive_example", "DEF")
library.define("scale(Tensor x, float factor) -> Tensor")


def scale(x: torch.Tensor, factor: float) -> torch.Tensor:
    out = torch.empty_like(x)
    if x.is_cuda:
        n = x.numel()
        scale_kernel[lambda meta: (triton.cdiv(n, meta["BLOCK"]),)](x, out, n, factor)
    else:
        torch.mul(x, factor, out=out)
    return out


library.impl("scale", scale, "CompositeExplicitAutograd")
torch.library.register_fake("adaptive_example::scale", lambda x, factor: torch.empty_like(x), lib=library)


def layer(x: torch.Tensor) -> torch.Tensor:
    return torch.ops.adaptive_example.scale(x.relu(), 3.0) + 1.0


def main() -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    # The compiler that needs no GPU shows the graph just as well.
    compiled = torch.compile(layer, backend="inductor" if device == "cuda" else "eager", fullgraph=True)
    x = torch.randn(1 << 16, device=device)
    for _ in range(1000):
        result = compiled(x)
    torch.testing.assert_close(result, x.relu() * 3.0 + 1.0)
    if device == "cuda":
        ads.triton.selector().drain()
        print(f"n = {x.numel()}: {scale_kernel.best_config}")
    print(f"the compiled graph and the operator agree, on {device}")


if __name__ == "__main__":
    main()
