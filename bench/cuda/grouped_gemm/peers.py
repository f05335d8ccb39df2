#!/usr/bin/env python3
"""peers.py OURS.jsonl OUT.jsonl [--tiles N] [--samples N] [--layers TEXT]

Measures the peers on the routings that grouped_gemm_bench wrote: torch._grouped_mm, and a grouped GEMM in Triton that was
written for this comparison, with the best of up to 24 tiles for each shape. The method is that of grouped_gemm_bench:
back-to-back launches, captured as a graph of about one millisecond, random operands, weights that rotate among copies
larger than the cache, the median of samples that take turns. Results are first compared with a product in float32. Needs
PyTorch and Triton.
"""
import argparse
import json
import os
import random
import sys

import torch
import triton
import triton.language as tl

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interleaved"))
from repeated import Repeated, medians  # noqa: E402

ROTATE_BYTES = 256 << 20
COPIES_MAX = 64
COPIES_BYTES_MAX = 24 << 30

# rows, columns, depth, row tiles of a band, warps, stages
TILES = [
    (16, 64, 64, 1, 4, 4), (16, 64, 128, 1, 4, 3), (16, 64, 128, 1, 4, 5), (16, 128, 64, 1, 4, 4),
    (16, 128, 128, 1, 4, 3), (16, 128, 128, 1, 8, 4), (16, 256, 64, 1, 8, 4), (32, 64, 128, 1, 4, 4),
    (32, 128, 64, 1, 4, 4), (32, 128, 128, 1, 4, 3), (32, 256, 64, 1, 8, 4), (64, 64, 64, 8, 4, 4),
    (64, 128, 64, 1, 4, 4), (64, 128, 64, 8, 4, 4), (64, 128, 128, 8, 4, 3), (64, 256, 64, 8, 8, 4),
    (128, 64, 64, 8, 4, 4), (128, 128, 64, 1, 8, 4), (128, 128, 64, 8, 8, 3), (128, 128, 64, 8, 4, 4),
    (128, 256, 64, 1, 8, 3), (128, 256, 64, 8, 8, 3), (128, 256, 64, 8, 8, 4), (256, 128, 64, 8, 8, 3),
]


@triton.jit
def grouped(x, w, y, ends, tile_ends, n, k, experts,
            ROWS: tl.constexpr, COLUMNS: tl.constexpr, DEPTH: tl.constexpr, BAND: tl.constexpr):
    """One program per tile. tile_ends: the row tiles of each expert and all before it. k is a multiple of DEPTH."""
    at = tl.program_id(0)
    column_tiles = tl.cdiv(n, COLUMNS)
    slot = at // column_tiles
    low = 0
    high = experts - 1
    while low < high:
        middle = (low + high) // 2
        if tl.load(tile_ends + middle) > slot:
            high = middle
        else:
            low = middle + 1
    expert = low
    first_slot = tl.load(tile_ends + expert - 1, mask=expert > 0, other=0)
    first_row = tl.load(ends + expert - 1, mask=expert > 0, other=0)
    end = tl.load(ends + expert)
    row_tiles = tl.load(tile_ends + expert) - first_slot
    within = at - first_slot * column_tiles
    band_first = within // (BAND * column_tiles) * BAND
    height = min(BAND, row_tiles - band_first)
    in_band = within - band_first * column_tiles
    row = first_row + (band_first + in_band % height) * ROWS + tl.arange(0, ROWS)
    column = in_band // height * COLUMNS + tl.arange(0, COLUMNS)
    depth = tl.arange(0, DEPTH)
    x_at = x + (row % end).to(tl.int64)[:, None] * k + depth[None, :]
    w_at = w + expert.to(tl.int64) * n * k + (column % n).to(tl.int64)[None, :] * k + depth[:, None]
    total = tl.zeros((ROWS, COLUMNS), dtype=tl.float32)
    for _ in range(0, k, DEPTH):
        total = tl.dot(tl.load(x_at), tl.load(w_at), total)
        x_at += DEPTH
        w_at += DEPTH
    y_at = y + row.to(tl.int64)[:, None] * n + column[None, :]
    tl.store(y_at, total.to(y.dtype.element_ty), mask=(row < end)[:, None] & (column < n)[None, :])


def right(y, x, w, rows):
    """Whether a few rows of every expert agree with a product in float32."""
    first = 0
    for expert, count in enumerate(rows):
        if count == 0:
            continue
        picked = sorted({first, first + count // 2, first + count - 1})
        expected = x[picked].float() @ w[expert].float().T
        error = (y[picked].float() - expected).norm() / expected.norm()
        if not error < 1e-2:
            return False
        first += count
    return True


def measure(entry, tiles, samples):
    n, k, experts = entry["shape"][1:4]
    rows = entry["rows"]
    tokens = sum(rows)
    read = entry["shape"][4] * n * k * 2
    whole = experts * n * k * 2
    copies = max(1, min(ROTATE_BYTES // read + 1, max(COPIES_BYTES_MAX // whole, 1), COPIES_MAX))
    # The random data is generated in its own type: a float32 original of some weights would not fit in
    # memory.
    w = torch.empty((copies, experts, n, k), dtype=torch.bfloat16, device="cuda").uniform_(-1, 1)
    x = torch.empty((tokens, k), dtype=torch.bfloat16, device="cuda").uniform_(-1, 1)
    y = torch.empty((tokens, n), dtype=torch.bfloat16, device="cuda")
    ends = torch.tensor(rows, device="cuda").cumsum(0).to(torch.int32)
    turn = [0]
    made = []

    def weights():
        turn[0] = (turn[0] + 1) % copies
        return w[turn[0]]

    def torch_launch():
        made[:] = [torch._grouped_mm(x, weights().transpose(1, 2), offs=ends)]

    running, wrong = {}, []
    torch_launch()
    if right(made[0], x, w[turn[0]], rows):
        running["torch._grouped_mm"] = Repeated(torch_launch)
    else:
        wrong.append("torch._grouped_mm")
    best = 1e30
    average = tokens / entry["shape"][4]
    for tile in tiles:
        rows_of_tile, columns, depth = tile[:3]
        # Leaves out tiles that can only lose: many rows for few tokens, few rows for many.
        if k % depth or (average < 8 and rows_of_tile > 32) or (average >= 256 and rows_of_tile < 64):
            continue
        counts = [(count + rows_of_tile - 1) // rows_of_tile for count in rows]
        tile_ends = torch.tensor(counts, device="cuda").cumsum(0).to(torch.int32)
        grid = (sum(counts) * ((n + columns - 1) // columns),)

        def launch(tile=tile, tile_ends=tile_ends, grid=grid):
            grouped[grid](x, weights(), y, ends, tile_ends, n, k, experts, ROWS=tile[0], COLUMNS=tile[1],
                          DEPTH=tile[2], BAND=tile[3], num_warps=tile[4], num_stages=tile[5])

        name = "triton_%dx%dx%d_b%d_w%d_s%d" % tile
        y.fill_(float("nan"))
        try:
            launch()
        except triton.runtime.errors.OutOfResources:
            continue
        if not right(y, x, w[turn[0]], rows):
            wrong.append(name)
            continue
        repeated = Repeated(launch, tile_ends)
        best = min(best, repeated.once_us)
        if repeated.once_us <= 2 * best:
            running[name] = repeated
    return medians(running, samples), wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ours")
    parser.add_argument("out")
    parser.add_argument("--tiles", type=int, default=len(TILES))
    parser.add_argument("--samples", type=int, default=7)
    parser.add_argument("--layers", default="")
    parser.add_argument("--tokens", default="")
    arguments = parser.parse_args()
    random.seed(1)
    torch.manual_seed(1)
    every_wrong = []
    tokens = {int(part) for part in arguments.tokens.split(",") if part}
    with open(arguments.ours) as ours, open(arguments.out, "w") as out:
        for line in ours:
            entry = json.loads(line)
            if arguments.layers not in entry["layer"] or (tokens and entry["routed"] not in tokens):
                continue
            us, wrong = measure(entry, TILES[: arguments.tiles], arguments.samples)
            every_wrong += [f"{entry['layer']} {entry['routed']}: {name}" for name in wrong]
            out.write(json.dumps({"layer": entry["layer"], "routed": entry["routed"],
                                  "us": {name: round(value, 2) for name, value in us.items()}}) + "\n")
            out.flush()
            best = min(us, key=us.get)
            print(f"{entry['layer']:20} {entry['routed']:5}  torch {us.get('torch._grouped_mm', float('nan')):8.1f} us"
                  f"  best {best} {us[best]:8.1f} us", flush=True)
    for line in every_wrong:
        print("wrong:", line, file=sys.stderr)
    return 1 if every_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
