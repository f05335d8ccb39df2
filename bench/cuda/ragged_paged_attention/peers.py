#!/usr/bin/env python3
"""peers.py OURS.jsonl OUT.jsonl [--samples N] [--kinds decode,prefill,...]

Times PyTorch's scaled_dot_product_attention with the cuDNN and the flash backend on the lengths that attention_bench
wrote, in bfloat16 and with a contiguous cache [sequences, kv_heads, context, head_size]: no pages, no store of new tokens,
and no float8, so these do less than a launch of ours. Lengths of one step must be equal, apart from mixed steps, for which
the decodes and the prompt are two calls; ragged steps have no peer. The method is that of attention_bench: back-to-back
launches captured as a graph of about one millisecond, caches that rotate among copies larger than the cache, the median
of samples that take turns.
"""
import argparse
import json
import os
import random
import sys

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interleaved"))
from repeated import Repeated, medians  # noqa: E402

ROTATE_BYTES = 256 << 20
COPIES_MAX = 64
COPIES_BYTES_MAX = 24 << 30
BACKENDS = {"cudnn": SDPBackend.CUDNN_ATTENTION, "flash": SDPBackend.FLASH_ATTENTION}


class Operands:
    """The queries and rotating caches of sequences of one length."""

    def __init__(self, sequences, tokens, context, q_heads, kv_heads, head_size):
        each = 2 * sequences * kv_heads * context * head_size * 2
        self.copies = max(1, min(COPIES_BYTES_MAX // each, max(4, min(COPIES_MAX, ROTATE_BYTES // each + 1))))

        def uniform(*shape):
            return torch.empty(shape, dtype=torch.bfloat16, device="cuda").uniform_(-1, 1)

        self.q = uniform(sequences, q_heads, tokens, head_size)
        self.k = [uniform(sequences, kv_heads, context, head_size) for _ in range(self.copies)]
        self.v = [uniform(sequences, kv_heads, context, head_size) for _ in range(self.copies)]
        self.causal = tokens > 1
        self.square = tokens in (1, context)
        self.turn = 0

    def launch(self):
        self.turn = (self.turn + 1) % self.copies
        return scaled_dot_product_attention(self.q, self.k[self.turn], self.v[self.turn], is_causal=self.causal,
                                            enable_gqa=True)


def measure(entry, samples):
    _, _, _, q_heads, kv_heads, head_size, _, window = entry["shape"][:8]
    pairs = sorted(set(zip(entry["tokens"], entry["contexts"])))
    if entry["kind"] == "ragged" or window or len(pairs) > 2:
        return {}
    count = {pair: list(zip(entry["tokens"], entry["contexts"])).count(pair) for pair in pairs}
    operands = [Operands(count[pair], *pair, q_heads, kv_heads, head_size) for pair in pairs]
    if not all(one.square for one in operands):  # PyTorch's causal mask begins at the first key
        return {}
    running = {}
    for name, backend in BACKENDS.items():
        def launch():
            for one in operands:
                one.launch()
        try:
            with sdpa_kernel(backend):
                running[name] = Repeated(launch)
        except RuntimeError as error:
            print(f"  {name} refuses {entry['kind']}: {str(error).splitlines()[0][:100]}", flush=True)
            torch.cuda.synchronize()
    return medians(running, samples)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ours")
    parser.add_argument("out")
    parser.add_argument("--samples", type=int, default=7)
    parser.add_argument("--kinds", default="")
    arguments = parser.parse_args()
    random.seed(1)
    torch.manual_seed(1)
    kinds = [part for part in arguments.kinds.split(",") if part]
    with open(arguments.ours) as ours, open(arguments.out, "w") as out:
        for line in ours:
            entry = json.loads(line)
            if kinds and not any(entry["kind"].startswith(kind) for kind in kinds):
                continue
            us = measure(entry, arguments.samples)
            torch.cuda.empty_cache()
            out.write(json.dumps({"kind": entry["kind"], "shape": entry["shape"], "contexts": entry["contexts"],
                                  "us": {name: round(value, 2) for name, value in us.items()}}) + "\n")
            out.flush()
            print(entry["kind"], entry["shape"], " ".join(f"{name} {value:.1f} us" for name, value in us.items()),
                  flush=True)


if __name__ == "__main__":
    main()
