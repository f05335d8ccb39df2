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
import random
import statistics

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

ROTATE_BYTES = 256 << 20
COPIES_MAX = 64
COPIES_BYTES_MAX = 24 << 30
BACKENDS = {"cudnn": SDPBackend.CUDNN_ATTENTION, "flash": SDPBackend.FLASH_ATTENTION}


class Repeated:
    """Launches captured as a graph of about a millisecond."""

    def __init__(self, launch):
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            launch()
            launch()
            stream.synchronize()
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            launch()
            end.record()
            end.synchronize()
            once_us = begin.elapsed_time(end) * 1e3
        self.count = max(2, min(50, int(1000 / once_us)))
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, stream=stream):
            for _ in range(self.count):
                launch()
        self.begin, self.end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)

    def sample_us(self):
        self.begin.record()
        self.graph.replay()
        self.end.record()
        self.end.synchronize()
        return self.begin.elapsed_time(self.end) * 1e3 / self.count


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
    running, taken = {}, {}
    for name, backend in BACKENDS.items():
        def launch():
            for one in operands:
                one.launch()
        try:
            with sdpa_kernel(backend):
                running[name] = Repeated(launch)
                taken[name] = []
        except RuntimeError as error:
            print(f"  {name} refuses {entry['kind']}: {str(error).splitlines()[0][:100]}", flush=True)
            torch.cuda.synchronize()
    order = list(running)
    for sample in range(-1, samples):
        random.shuffle(order)
        for name in order:
            us = running[name].sample_us()
            if sample >= 0:
                taken[name].append(us)
    return {name: statistics.median(values) for name, values in taken.items()}


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
