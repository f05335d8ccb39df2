"""vLLM's fused experts on a GPU: its own Python files and its own Triton kernel. What vLLM has compiled, such as the alignment
of tokens, is supplied here, prepared before any launch, so that a launch consists of the Triton kernels alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
import triton
from stub_modules import Silent, stubbed

MOE = "vllm.model_executor.layers.fused_moe"

Config = dict[str, Any]


class Layer(NamedTuple):
    """A layer of experts of this rank."""

    experts: int
    width: int
    hidden: int
    top_k: int


#: Qwen3-30B-A3B on one device, for which vLLM ships a file for the H200.
QWEN3_30B = Layer(128, 768, 2048, 8)


class Problem:
    """Tokens of one count, with their routing, aligned for every tile of rows."""

    def __init__(self, layer: Layer, m: int) -> None:
        generator = torch.Generator().manual_seed(m)
        scores = torch.rand(m, layer.experts, generator=generator)
        chosen = scores.topk(layer.top_k)
        self.hidden = torch.randn(m, layer.hidden, generator=generator).bfloat16().cuda()
        self.ids = chosen.indices.int().cuda()
        self.weights = torch.softmax(chosen.values, -1).float().cuda()
        self._aligned: dict[int, Any] = {}
        self._flat = chosen.indices.view(-1)
        self._experts = layer.experts

    def aligned(self, tile: int) -> Any:
        """What `moe_align_block_size` returns: rows sorted by expert and filled up to tiles, the expert of each tile, and
        the number of rows."""
        if tile not in self._aligned:
            flat, count = self._flat, self._flat.numel()
            length = count + self._experts * (tile - 1)
            if count < self._experts:
                length = min(count * tile, length)
            rows = torch.full((length,), count, dtype=torch.int32)
            experts = torch.zeros(triton.cdiv(length, tile), dtype=torch.int32)
            begin = 0
            for expert in flat.unique().tolist():
                members = (flat == expert).nonzero().view(-1)
                rows[begin:begin + len(members)] = members.int()
                tiles = triton.cdiv(len(members), tile)
                experts[begin // tile:begin // tile + tiles] = expert
                begin += tiles * tile
            padded = torch.tensor([begin], dtype=torch.int32)
            self._aligned[tile] = (rows.cuda(), experts.cuda(), padded.cuda())
        return self._aligned[tile]


class Vllm:
    """The module with the fused experts, and one layer."""

    def __init__(self, layer: Layer) -> None:
        from importlib import import_module

        self.layer = layer
        self.module = import_module(f"{MOE}.fused_moe")
        shape = (layer.experts, 2 * layer.width, layer.hidden), (layer.experts, layer.hidden, layer.width)
        torch.manual_seed(1)
        self.w1, self.w2 = (torch.randn(size, dtype=torch.bfloat16, device="cuda") / size[2] ** 0.5 for size in shape)
        self._problems: dict[int, Problem] = {}
        self._current: Problem | None = None
        self.fixed: Config | None = None  # what `override_config` sets
        #: Whether the activation and the sum over experts are done; figures are of the Triton kernels alone.
        self.whole = True
        package: Any = sys.modules[MOE]
        package.get_config = lambda: self.fixed
        self.module.moe_align_block_size = lambda ids, tile, *_, **__: self._aligned(tile)
        self.module.apply_moe_activation = lambda activation, output, input: self._activate(output, input)
        self.module.ops = SimpleNamespace(moe_sum=lambda parts, output: self._sum(parts, output))

    def problem(self, m: int) -> Problem:
        if m not in self._problems:
            self._problems[m] = Problem(self.layer, m)
        return self._problems[m]

    def run(self, m: int) -> torch.Tensor:
        problem = self._current = self.problem(m)
        output: torch.Tensor = self.module.fused_experts_impl(problem.hidden, self.w1, self.w2, problem.weights, problem.ids)
        return output

    def default(self, m: int) -> Config:
        """vLLM's choice where it has no file."""
        config: Config = self.module.get_default_config(m, self.layer.experts, self.layer.width, self.layer.hidden,
                                                        self.layer.top_k, None)
        return config

    def shipped(self, m: int) -> Config | None:
        """The row of vLLM's file that vLLM takes; None without a file."""
        function = getattr(self.module.get_moe_configs, "__wrapped__", self.module.get_moe_configs)
        rows = function(self.layer.experts, self.layer.width, None, 0, 0)
        return rows[min(rows, key=lambda known: abs(known - m))] if rows else None

    def expected(self, m: int) -> torch.Tensor:
        """The same in float32, expert by expert."""
        problem = self.problem(m)
        output = torch.zeros(m, self.layer.hidden, device="cuda")
        for expert in problem.ids.unique().tolist():
            tokens, slots = (problem.ids == expert).nonzero(as_tuple=True)
            both = (problem.hidden[tokens].float() @ self.w1[expert].float().T).bfloat16().float()
            gate, up = both.chunk(2, -1)
            inner = (torch.nn.functional.silu(gate) * up).bfloat16().float()
            output.index_add_(0, tokens, (inner @ self.w2[expert].float().T) * problem.weights[tokens, slots, None])
        return output

    def prepare(self, counts: list[int], tiles: tuple[int, ...] = (16, 32, 64, 128)) -> None:
        """Everything that a launch needs besides its kernels."""
        for m in counts:
            for tile in tiles:
                self.problem(m).aligned(tile)

    def _aligned(self, tile: int) -> Any:
        assert self._current is not None
        return self._current.aligned(tile)

    def _activate(self, output: torch.Tensor, input: torch.Tensor) -> None:
        if self.whole:
            gate, up = input.chunk(2, -1)
            output.copy_(torch.nn.functional.silu(gate.float()) * up.float())

    def _sum(self, parts: torch.Tensor, output: torch.Tensor) -> None:
        if self.whole:
            output.copy_(parts.float().sum(1))


@contextmanager
def vllm_files(folder: Path) -> Iterator[None]:
    """vLLM as far as the fused experts need it."""
    platform = Silent()
    platform.get_device_name.return_value = torch.cuda.get_device_name()
    platform.is_rocm.return_value = platform.is_xpu.return_value = False

    class Modular:
        @staticmethod
        def adjust_N_for_activation(n: int, activation: Any) -> int:
            return n // 2

    members: dict[str, dict[str, Any]] = {
        "vllm.envs": {"VLLM_BATCH_INVARIANT": False, "VLLM_TUNED_CONFIG_FOLDER": None},
        "vllm.platforms": {"current_platform": platform},
        "vllm.triton_utils": {"triton": triton, "tl": triton.language},
        MOE: {"get_config": lambda: None},
        f"{MOE}.config": {"_get_config_dtype_str": lambda **flags: None},
        f"{MOE}.modular_kernel": {"FusedMoEExpertsModular": Modular},
        f"{MOE}.utils": {"moe_kernel_quantize_input": lambda A, A_scale, **rest: (A, A_scale)},
    }
    with stubbed(folder, ["vllm"], [f"{MOE}.fused_moe"], members):
        yield
