#!/usr/bin/env python3
"""peers.py OURS.jsonl OUT.jsonl [--samples N] [--models TEXT] [--tokens N,…] [--pairs N]

Measures a fused MoE in Triton (triton_moe.py) on the routings that fused_moe_bench wrote. The method is that of
fused_moe_bench: back-to-back launches, captured as a graph of about one millisecond, random operands, weights that rotate
among copies larger than the cache, the median of samples that take turns. Each product is timed alone with up to 22
tiles; the best pairs of tiles with the same number of rows are then timed as the whole operation. Results are first
compared with a computation in float32. Needs PyTorch and Triton. OURS.jsonl has one dtype, bfloat16 or fp8_w8a8.
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


# For float8 the depth is that of a scale.
FLOAT8_TILES = [
    (16, 32, 128, 1, 4, 4), (16, 64, 128, 1, 4, 3), (16, 64, 128, 1, 4, 5), (16, 128, 128, 1, 4, 3),
    (16, 128, 128, 1, 4, 5), (32, 64, 128, 1, 4, 4), (32, 128, 128, 1, 4, 3), (32, 128, 128, 1, 4, 5),
    (64, 64, 128, 1, 4, 4), (64, 128, 128, 1, 4, 3), (64, 128, 128, 8, 4, 4), (64, 128, 128, 8, 8, 4),
    (64, 256, 128, 8, 8, 3), (128, 64, 128, 8, 4, 4), (128, 128, 128, 8, 4, 3), (128, 128, 128, 8, 8, 3),
    (128, 128, 128, 8, 8, 4), (128, 256, 128, 8, 8, 3),
]


def tiles_for(average, tiles):
    """Leaves out tiles that can only lose: many rows for few pairs, few rows for many."""
    return [tile for tile in tiles
            if not (average < 4 and tile[0] > 16) and not (average < 12 and tile[0] > 32)
            and not (average < 24 and tile[0] > 64) and not (average >= 24 and tile[0] < 32)
            and not (average >= 96 and tile[0] < 64) and not (average >= 512 and tile[0] < 128)]


def compile_all(processes, float8):
    """Compiles the tiles into Triton's cache, in processes of their own, before this one touches the GPU."""
    children = []
    for share in range(processes):
        child = os.fork()
        if child:
            children.append(child)
            continue
        try:
            ids = torch.zeros(64, dtype=torch.int32, device="cuda")
            layer = triton_moe.Layer(32, 256, 128, 4, 2, False, ids, torch.ones(64, device="cuda"), float8)
            x = torch.zeros((32, 256), dtype=torch.bfloat16, device="cuda")
            up = torch.zeros((4, 256, 256), dtype=torch.bfloat16, device="cuda")
            if float8:
                up = up.to(torch.float8_e4m3fn), torch.zeros((4, 2, 2), device="cuda")
                layer.quantise(x)
            for tile in (FLOAT8_TILES if float8 else TILES)[share::processes]:
                try:
                    layer.align(tile[0])
                    if float8:
                        layer.up_float8(up, tile)
                        layer.down_float8(up, tile)
                    else:
                        layer.up(x, up, tile)
                        layer.down(up, tile)
                except triton.runtime.errors.OutOfResources:
                    pass
            torch.cuda.synchronize()
        finally:
            os._exit(0)
    for child in children:
        os.waitpid(child, 0)


def expected_float8(layer, x, up, down, tokens):
    """As expected(), with x and h quantised. `up` and `down` are levels and scales."""
    def quantised(value):
        groups = value.view(-1, 128)
        scale = groups.abs().amax(1, keepdim=True) / 448
        return ((groups / scale.clamp(min=1e-30)).to(torch.float8_e4m3fn).float() * scale).view(-1)

    def widened(w, expert):
        levels, scales = w[0][expert].float(), w[1][expert]
        return levels * scales.repeat_interleave(128, 0).repeat_interleave(128, 1)

    ids = layer.ids.view(layer.tokens, layer.top_k)
    weights = layer.weights.view(layer.tokens, layer.top_k)
    rows = []
    for token in tokens:
        total = torch.zeros(layer.hidden, device="cuda")
        for slot in range(layer.top_k):
            expert = int(ids[token, slot])
            gate, above = (widened(up, expert) @ quantised(x[token].float())).chunk(2)
            total += weights[token, slot] * (widened(down, expert) @
                                             quantised((gate * torch.sigmoid(gate) * above).bfloat16().float()))
        rows.append(total)
    return torch.stack(rows)


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
    float8 = entry.get("dtype") == "fp8_w8a8"
    element = 1 if float8 else 2
    read, whole = filled * 3 * hidden * width * element, experts * 3 * hidden * width * element
    copies = max(1, min(max(ROTATE_BYTES // read + 1, 4), COPIES_BYTES_MAX // whole, COPIES_MAX))

    def uniform(bound, *sizes):
        return torch.empty(sizes, dtype=torch.bfloat16, device="cuda").uniform_(-bound, bound)

    def weights_of(bound, rows, columns):
        if not float8:
            return list(uniform(bound, copies, experts, rows, columns))
        # Random numbers between -448 and 448 in the levels; one layer after the other saves memory.
        return [(uniform(448, experts, rows, columns).to(torch.float8_e4m3fn),
                 torch.empty((experts, rows // 128, columns // 128), device="cuda").uniform_(0.5, 1.5) * bound / 448)
                for _ in range(copies)]

    x = uniform(3, tokens, hidden)
    up = weights_of(3 / hidden**0.5, 2 * width, hidden)
    down = weights_of(1 / width**0.5, hidden, width)
    ids = torch.tensor(entry["experts"], dtype=torch.int32, device="cuda")
    weights = torch.rand(tokens * top_k, device="cuda") / top_k
    layer = triton_moe.Layer(tokens, hidden, width, experts, top_k, activation == 2, ids, weights, float8)
    if float8:
        layer.quantise(x)
        layer.h_levels.copy_(uniform(448, tokens * top_k, width).to(torch.float8_e4m3fn))
        layer.h_scales.fill_(1 / 448)
    picked = sorted({0, tokens // 2, tokens - 1})
    exact = (expected_float8 if float8 else expected)(layer, x, up[0], down[0], picked)
    run = layer.run_float8 if float8 else layer.run
    turn = [0]

    def copy():
        turn[0] = (turn[0] + 1) % copies
        return turn[0]

    def launch_up(tile):
        return layer.up_float8(up[copy()], tile) if float8 else layer.up(x, up[copy()], tile)

    def launch_down(tile):
        return (layer.down_float8 if float8 else layer.down)(down[copy()], tile)

    wrong = []
    alone = {"up": {}, "down": {}}  # microseconds of a product, by rows and tile
    for tile in tiles_for(tokens * top_k / filled, FLOAT8_TILES if float8 else TILES):
        if hidden % tile[2] or width % tile[2]:
            continue
        layer.align(tile[0])
        torch.cuda.synchronize()  # the products are timed on streams of their own
        try:
            for name, launch in (("up", launch_up), ("down", launch_down)):
                repeated = Repeated(lambda launch=launch, tile=tile: launch(tile))
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
        run(x, up[0], down[0], up_tile, down_tile)
        error = float((layer.y[picked].float() - exact).norm() / exact.norm())
        # Numbers of h that lie between two levels of float8 may become either.
        if not error < (5e-2 if float8 else 1e-2) or layer.y.isnan().any():
            wrong.append(f"{name} ({error:.2e})")
            continue

        def whole_operation(up_tile=up_tile, down_tile=down_tile):
            at = copy()
            run(x, up[at], down[at], up_tile, down_tile)

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
    with open(arguments.ours) as ours:
        compile_all(arguments.processes, '"fp8_w8a8"' in ours.readline())
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
