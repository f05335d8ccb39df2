#!/usr/bin/env python3
"""peers.py OURS.jsonl OUT.jsonl [--samples N] [--models TEXT] [--tokens N,…] [--pairs N]

Measures a fused MoE in Triton (triton_moe.py) on the routings that fused_moe_bench wrote. The method is that of
fused_moe_bench: back-to-back launches, captured as a graph of about one millisecond, random operands, weights that rotate
among copies larger than the cache, the median of samples that take turns. Each product is timed alone with up to 22
tiles; the best pairs of tiles with the same number of rows are then timed as the whole operation. Results are first
compared with a computation in float32. Needs PyTorch and Triton.
"""
import argparse
import json
import os
import random
import sys

import torch
import triton

import triton_moe

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interleaved"))
from repeated import Repeated, medians  # noqa: E402

ROTATE_BYTES = 256 << 20
COPIES_MAX = 64
COPIES_BYTES_MAX = 24 << 30

# rows, columns, depth, row tiles of a group, warps, stages
TILES = [
    (16, 64, 64, 1, 4, 4), (16, 64, 128, 1, 4, 3), (16, 64, 128, 1, 4, 5), (16, 128, 64, 1, 4, 4),
    (16, 128, 128, 1, 4, 3), (16, 128, 128, 1, 8, 4), (16, 32, 128, 1, 4, 4), (32, 64, 128, 1, 4, 4),
    (32, 128, 64, 1, 4, 4), (32, 128, 128, 1, 4, 3), (32, 64, 64, 1, 4, 4), (64, 64, 64, 8, 4, 4),
    (64, 128, 64, 1, 4, 4), (64, 128, 64, 8, 4, 4), (64, 128, 128, 8, 4, 3), (64, 256, 64, 8, 8, 4),
    (128, 64, 64, 8, 4, 4), (128, 128, 64, 8, 8, 3), (128, 128, 64, 8, 4, 4), (128, 256, 64, 1, 8, 3),
    (128, 256, 64, 8, 8, 3), (128, 256, 64, 8, 8, 4),
]


def tiles_for(average):
    """Leaves out tiles that can only lose: many rows for few pairs, few rows for many."""
    return [tile for tile in TILES
            if not (average < 4 and tile[0] > 16) and not (average < 12 and tile[0] > 32)
            and not (average < 24 and tile[0] > 64) and not (average >= 24 and tile[0] < 32)
            and not (average >= 96 and tile[0] < 64) and not (average >= 512 and tile[0] < 128)]


def compile_all(processes):
    """Compiles the tiles into Triton's cache, in processes of their own, before this one touches the GPU."""
    children = []
    for share in range(processes):
        child = os.fork()
        if child:
            children.append(child)
            continue
        try:
            ids = torch.zeros(64, dtype=torch.int32, device="cuda")
            layer = triton_moe.Layer(32, 256, 128, 4, 2, False, ids, torch.ones(64, device="cuda"))
            x = torch.zeros((32, 256), dtype=torch.bfloat16, device="cuda")
            up = torch.zeros((4, 256, 256), dtype=torch.bfloat16, device="cuda")
            for tile in TILES[share::processes]:
                try:
                    layer.align(tile[0])
                    layer.up(x, up, tile)
                    layer.down(up, tile)
                except triton.runtime.errors.OutOfResources:
                    pass
            torch.cuda.synchronize()
        finally:
            os._exit(0)
    for child in children:
        os.waitpid(child, 0)


def expected(layer, x, up, down, tokens):
    ids = layer.ids.view(layer.tokens, layer.top_k)
    weights = layer.weights.view(layer.tokens, layer.top_k)
    rows = []
    for token in tokens:
        total = torch.zeros(layer.hidden, device="cuda")
        for slot in range(layer.top_k):
            expert = int(ids[token, slot])
            gate, above = (up[expert].float() @ x[token].float()).chunk(2)
            if layer.clamped:
                gate, above = gate.clamp(max=7), above.clamp(-7, 7) + 1
            h = gate * torch.sigmoid(gate * (1.702 if layer.clamped else 1)) * above
            total += weights[token, slot] * (down[expert].float() @ h)
        rows.append(total)
    return torch.stack(rows)


def measure(entry, samples, pairs):
    tokens, hidden, width, experts, filled, top_k, _, activation, _ = entry["shape"]
    read, whole = filled * 3 * hidden * width * 2, experts * 3 * hidden * width * 2
    copies = max(1, min(max(ROTATE_BYTES // read + 1, 4), COPIES_BYTES_MAX // whole, COPIES_MAX))

    def uniform(bound, *sizes):
        return torch.empty(sizes, dtype=torch.bfloat16, device="cuda").uniform_(-bound, bound)

    x = uniform(3, tokens, hidden)
    up = uniform(3 / hidden**0.5, copies, experts, 2 * width, hidden)
    down = uniform(1 / width**0.5, copies, experts, hidden, width)
    ids = torch.tensor(entry["experts"], dtype=torch.int32, device="cuda")
    weights = torch.rand(tokens * top_k, device="cuda") / top_k
    layer = triton_moe.Layer(tokens, hidden, width, experts, top_k, activation == 2, ids, weights)
    picked = sorted({0, tokens // 2, tokens - 1})
    exact = expected(layer, x, up[0], down[0], picked)
    turn = [0]

    def copy():
        turn[0] = (turn[0] + 1) % copies
        return turn[0]

    wrong = []
    alone = {"up": {}, "down": {}}  # microseconds of a product, by rows and tile
    for tile in tiles_for(tokens * top_k / filled):
        if hidden % tile[2] or width % tile[2]:
            continue
        layer.align(tile[0])
        torch.cuda.synchronize()  # the products are timed on streams of their own
        try:
            for name, launch in (("up", lambda tile=tile: layer.up(x, up[copy()], tile)),
                                 ("down", lambda tile=tile: layer.down(down[copy()], tile))):
                repeated = Repeated(launch)
                repeated.sample_us()
                alone[name].setdefault(tile[0], []).append((min(repeated.sample_us() for _ in range(2)), tile))
        except triton.runtime.errors.OutOfResources:
            continue
    choices = []
    for rows in alone["up"]:
        ups, downs = sorted(alone["up"][rows])[:2], sorted(alone["down"][rows])[:2]
        choices += [(a + b, up_tile, down_tile) for a, up_tile in ups for b, down_tile in downs]
    running = {}
    for _, up_tile, down_tile in sorted(choices)[:pairs]:
        name = "triton_%dx%dx%d_g%d_w%d_s%d" % up_tile + "+%dx%d_g%d_w%d_s%d" % down_tile[1:]
        layer.y.fill_(float("nan"))
        layer.run(x, up[0], down[0], up_tile, down_tile)
        if not (layer.y[picked].float() - exact).norm() / exact.norm() < 1e-2 or layer.y.isnan().any():
            wrong.append(name)
            continue

        def whole_operation(up_tile=up_tile, down_tile=down_tile):
            at = copy()
            layer.run(x, up[at], down[at], up_tile, down_tile)

        running[name] = Repeated(whole_operation)
    return medians(running, samples), wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ours")
    parser.add_argument("out")
    parser.add_argument("--samples", type=int, default=7)
    parser.add_argument("--models", default="")
    parser.add_argument("--tokens", default="")
    parser.add_argument("--pairs", type=int, default=3, help="pairs of tiles that are timed as a whole")
    parser.add_argument("--processes", type=int, default=11)
    arguments = parser.parse_args()
    random.seed(1)
    compile_all(arguments.processes)
    torch.manual_seed(1)
    every_wrong = []
    tokens = {int(part) for part in arguments.tokens.split(",") if part}
    models = arguments.models.split(",")
    with open(arguments.ours) as ours, open(arguments.out, "w") as out:
        for line in ours:
            entry = json.loads(line)
            if not any(model in entry["model"] for model in models) or (tokens and entry["tokens"] not in tokens):
                continue
            us, wrong = measure(entry, arguments.samples, arguments.pairs)
            every_wrong += [f"{entry['model']} {entry['tokens']}: {name}" for name in wrong]
            out.write(json.dumps({"model": entry["model"], "tokens": entry["tokens"],
                                  "us": {name: round(value, 2) for name, value in us.items()}}) + "\n")
            out.flush()
            if us:
                best = min(us, key=us.get)
                print(f"{entry['model']:18} {entry['tokens']:5}  {best:56} {us[best]:8.1f} us", flush=True)
    for line in every_wrong:
        print("wrong:", line, file=sys.stderr)
    return 1 if every_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
