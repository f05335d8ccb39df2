#!/usr/bin/env python3
"""peers.py OURS.jsonl OUT.jsonl [--samples N]

Measures PyTorch's products on the shapes that quantized_matmul_bench wrote: torch._scaled_mm with the same scaling (float8),
torch._int_mm (int8: the sums alone, without scales; up to 16 tokens with 32 rows, its least), and for int8 weights with
bfloat16 activations the dense product in bfloat16. A scaled product that PyTorch refuses for few tokens is measured with
16. The method is that of quantized_matmul_bench: back-to-back launches,
captured as a graph of about one millisecond, random operands, weights that rotate among copies larger than the cache, the
median of samples that take turns. Results are first compared with a product in float32. Needs PyTorch.
"""
import argparse
import json
import os
import random
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interleaved"))
from repeated import Repeated, medians  # noqa: E402

ROTATE_BYTES = 256 << 20
COPIES_MIN, COPIES_MAX = 4, 64
BLOCK = 128


class Weights:
    """Equal copies that launches use in turn."""

    def __init__(self, copy):
        count = max(COPIES_MIN, min(COPIES_MAX, ROTATE_BYTES // copy.numel() // copy.element_size() + 1))
        self.copies = [copy] + [copy.clone() for _ in range(count - 1)]
        self.turn = 0

    def next(self):
        self.turn = (self.turn + 1) % len(self.copies)
        return self.copies[self.turn].t()


def uniform(*shape):
    return torch.empty(shape, dtype=torch.bfloat16, device="cuda").uniform_(-1, 1)


def cut(size):
    return (size + BLOCK - 1) // BLOCK


def spread(scales, rows, columns):
    """Scales of blocks, repeated for each element."""
    return scales.repeat_interleave(BLOCK, 0)[:rows].repeat_interleave(BLOCK, 1)[:, :columns]


def scaled(scales, tokens, out, columns):
    """Launches of torch._scaled_mm by name, and the expected product of the first rows."""
    x = uniform(tokens, columns).to(torch.float8_e4m3fn)
    w = Weights(uniform(out, columns).to(torch.float8_e4m3fn))

    def positive(*shape):
        return torch.rand(shape, device="cuda") + 0.5

    if scales == "tensor":
        a, b = positive(), positive()
        full_a, full_b = a, b
    elif scales == "channel":
        a, b = positive(tokens, 1), positive(1, out)
        full_a, full_b = a, b.t()
    else:
        a = positive(cut(columns), tokens).t()
        stride = (cut(columns) + 3) // 4 * 4
        rows = positive(cut(out), stride)[:, : cut(columns)]
        b = rows.t()
        full_a, full_b = a.repeat_interleave(BLOCK, 1)[:, :columns], spread(rows, out, columns)
    checked = min(tokens, 16)
    if full_a.dim() > 0:
        full_a = full_a[:checked]
    expected = (x[:checked].float() * full_a) @ (w.copies[0].float() * full_b).t()

    def launch(fast):
        return torch._scaled_mm(x, w.next(), scale_a=a, scale_b=b, out_dtype=torch.bfloat16, use_fast_accum=fast)

    launches = {"torch._scaled_mm": lambda: launch(False)}
    if scales != "block128":
        launches["torch._scaled_mm fast"] = lambda: launch(True)
    return launches, expected


def integers(tokens, out, columns):
    rows = max(tokens, 32)
    x = torch.randint(-127, 128, (rows, columns), device="cuda", dtype=torch.int8)
    w = Weights(torch.randint(-127, 128, (out, columns), device="cuda", dtype=torch.int8))
    expected = x[:16].double() @ w.copies[0].double().t()
    return {"torch._int_mm": lambda: torch._int_mm(x, w.next())}, expected


def dense(tokens, out, columns):
    x = uniform(tokens, columns)
    w = Weights(uniform(out, columns))
    expected = x[:16].float() @ w.copies[0].float().t()
    return {"torch bfloat16": lambda: torch.mm(x, w.next())}, expected


def right(y, expected):
    error = (y[: expected.shape[0]].double() - expected.double()).norm() / expected.double().norm()
    return bool(error < 1e-2)


def measure(entry, samples):
    tokens = entry["shape"][0]
    us, wrong = measure_rows(entry, tokens, samples)
    if not us and wrong and tokens < 16:
        us, wrong = measure_rows(entry, 16, samples)
    return us, wrong


def measure_rows(entry, tokens, samples):
    dtype, scales = entry["kind"].split("/")
    out, columns = entry["shape"][1:3]
    if dtype == "fp8_w8a8":
        launches, expected = scaled(scales, tokens, out, columns)
    elif dtype == "int8_w8a16":
        launches, expected = dense(tokens, out, columns)
    elif scales == "channel":
        launches, expected = integers(tokens, out, columns)
    else:
        return {}, []
    running, wrong = {}, []
    for name, launch in launches.items():
        try:
            y = launch()
        except (RuntimeError, ValueError) as error:
            wrong.append(f"{name} does not run: {str(error).splitlines()[0]}")
            continue
        if not right(y, expected):
            wrong.append(f"{name}: wrong result")
            continue
        running[name] = Repeated(launch)
    return medians(running, samples), wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ours")
    parser.add_argument("out")
    parser.add_argument("--samples", type=int, default=7)
    arguments = parser.parse_args()
    random.seed(1)
    torch.manual_seed(1)
    torch.backends.cuda.matmul.allow_tf32 = False
    every_wrong = set()
    with open(arguments.ours, encoding="utf-8") as ours, open(arguments.out, "w", encoding="utf-8") as out:
        for line in ours:
            entry = json.loads(line)
            us, wrong = measure(entry, arguments.samples)
            every_wrong.update(f"{entry['kind']}: {text}" for text in wrong)
            out.write(json.dumps({"kind": entry["kind"], "shape": entry["shape"],
                                  "us": {name: round(value, 2) for name, value in us.items()}}) + "\n")
            out.flush()
    for text in sorted(every_wrong):
        print("not measured:", text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
