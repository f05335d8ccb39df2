"""A fused MoE in Triton in the form that vLLM and SGLang have it, written for this comparison.

Pairs of token and slot are sorted by expert into blocks of ROWS that are padded with a sentinel. One kernel multiplies
gathered rows by the weights of their expert; it runs for gate and up, and, with the router's weights in its epilogue,
for down. Between the two a kernel computes the activation, and after them one adds the rows of each token. Six launches;
five where the pairs are few and one program sorts them all. For float8 with scales of blocks of 128, a kernel more
quantises x, and that of the activation also quantises h.
"""
import torch
import triton
import triton.language as tl

FEW_PAIRS = 128  # that one program sorts


@triton.jit
def align_few(ids, sorted_ids, expert_ids, padded, pairs, blocks, slots, ROWS: tl.constexpr, PAIRS: tl.constexpr,
              EXPERTS: tl.constexpr, BLOCKS: tl.constexpr, SLOTS: tl.constexpr):
    """Sorts up to FEW_PAIRS pairs by comparing each with each."""
    place = tl.arange(0, PAIRS)
    expert = tl.load(ids + place, mask=place < pairs, other=EXPERTS - 1)
    each = tl.arange(0, EXPERTS)
    counts = tl.sum(((expert[:, None] == each[None, :]) & (place < pairs)[:, None]).to(tl.int32), axis=0)
    rounded = (counts + ROWS - 1) // ROWS * ROWS
    ends = tl.cumsum(rounded, axis=0)
    total = tl.sum(rounded, axis=0)
    tl.store(padded, total)
    for first in range(0, blocks, BLOCKS):
        at = first + tl.arange(0, BLOCKS)
        block_expert = tl.sum((ends[None, :] <= (at * ROWS)[:, None]).to(tl.int32), axis=1)
        tl.store(expert_ids + at, block_expert, mask=at < blocks)
    for first in range(0, slots, SLOTS):
        slot = first + tl.arange(0, SLOTS)
        tl.store(sorted_ids + slot, tl.zeros((SLOTS,), tl.int32) + pairs, mask=slot < slots)
    earlier = (expert[:, None] == expert[None, :]) & (place[None, :] < place[:, None])
    rank = tl.sum(earlier.to(tl.int32), axis=1)
    begin = tl.sum(tl.where(each[None, :] < expert[:, None], rounded[None, :], 0), axis=1)
    tl.debug_barrier()
    tl.store(sorted_ids + begin + rank, place, mask=place < pairs)


@triton.jit
def align_count(ids, sorted_ids, expert_ids, padded, cursor, pairs, blocks, slots, ROWS: tl.constexpr,
                CHUNK: tl.constexpr, EXPERTS: tl.constexpr, BLOCKS: tl.constexpr, SLOTS: tl.constexpr):
    """The first program counts the pairs of each expert; the others write the sentinel everywhere."""
    program = tl.program_id(0)
    if program > 0:
        slot = (program - 1) * SLOTS + tl.arange(0, SLOTS)
        tl.store(sorted_ids + slot, tl.zeros((SLOTS,), tl.int32) + pairs, mask=slot < slots)
    else:
        counts = tl.zeros((EXPERTS,), tl.int32)
        for first in range(0, pairs, CHUNK):
            place = first + tl.arange(0, CHUNK)
            inside = place < pairs
            counts += tl.histogram(tl.load(ids + place, mask=inside, other=0), EXPERTS, mask=inside)
        rounded = (counts + ROWS - 1) // ROWS * ROWS
        ends = tl.cumsum(rounded, axis=0)
        tl.store(padded, tl.sum(rounded, axis=0))
        tl.store(cursor + tl.arange(0, EXPERTS), ends - rounded)
        for first in range(0, blocks, BLOCKS):
            at = first + tl.arange(0, BLOCKS)
            expert = tl.sum((ends[None, :] <= (at * ROWS)[:, None]).to(tl.int32), axis=1)
            tl.store(expert_ids + at, expert, mask=at < blocks)


@triton.jit
def align_place(ids, sorted_ids, cursor, pairs, CHUNK: tl.constexpr):
    place = tl.program_id(0) * CHUNK + tl.arange(0, CHUNK)
    inside = place < pairs
    expert = tl.load(ids + place, mask=inside, other=0)
    to = tl.atomic_add(cursor + expert, 1, mask=inside)
    tl.store(sorted_ids + to, place, mask=inside)


@triton.jit(do_not_specialize=["pairs"])
def multiply(x, w, y, weights, sorted_ids, expert_ids, padded, pairs, n, k, slots, top_k, ROWS: tl.constexpr,
             COLUMNS: tl.constexpr, DEPTH: tl.constexpr, GROUP: tl.constexpr, WEIGHTED: tl.constexpr):
    """One program for each tile. k is a multiple of DEPTH; row i of x belongs to the pairs from i * top_k on."""
    program = tl.program_id(0)
    row_tiles = tl.cdiv(slots, ROWS)
    column_tiles = tl.cdiv(n, COLUMNS)
    band = GROUP * column_tiles
    first = program // band * GROUP
    height = min(row_tiles - first, GROUP)
    row_tile = first + program % band % height
    column_tile = program % band // height
    if row_tile * ROWS >= tl.load(padded):
        return
    pair = tl.load(sorted_ids + row_tile * ROWS + tl.arange(0, ROWS))
    inside = pair < pairs
    expert = tl.load(expert_ids + row_tile).to(tl.int64)
    column = column_tile * COLUMNS + tl.arange(0, COLUMNS)
    depth = tl.arange(0, DEPTH)
    x_at = x + (pair // top_k).to(tl.int64)[:, None] * k + depth[None, :]
    w_at = w + expert * n * k + (column % n).to(tl.int64)[None, :] * k + depth[:, None]
    total = tl.zeros((ROWS, COLUMNS), dtype=tl.float32)
    for _ in range(0, k, DEPTH):
        total = tl.dot(tl.load(x_at, mask=inside[:, None], other=0.0), tl.load(w_at), total)
        x_at += DEPTH
        w_at += DEPTH
    if WEIGHTED:
        total *= tl.load(weights + pair, mask=inside, other=0.0)[:, None]
    y_at = y + pair.to(tl.int64)[:, None] * n + column[None, :]
    tl.store(y_at, total.to(y.dtype.element_ty), mask=inside[:, None] & (column < n)[None, :])


@triton.jit(do_not_specialize=["pairs"])
def multiply_float8(x, x_scales, w, w_scales, y, weights, sorted_ids, expert_ids, padded, pairs, n, k, slots, top_k,
                    ROWS: tl.constexpr, COLUMNS: tl.constexpr, GROUP: tl.constexpr, WEIGHTED: tl.constexpr):
    """multiply() for float8 with a scale for 128 columns of a row of x, and for 128 by 128 weights."""
    program = tl.program_id(0)
    row_tiles = tl.cdiv(slots, ROWS)
    column_tiles = tl.cdiv(n, COLUMNS)
    band = GROUP * column_tiles
    first = program // band * GROUP
    height = min(row_tiles - first, GROUP)
    row_tile = first + program % band % height
    column_tile = program % band // height
    if row_tile * ROWS >= tl.load(padded):
        return
    pair = tl.load(sorted_ids + row_tile * ROWS + tl.arange(0, ROWS))
    inside = pair < pairs
    expert = tl.load(expert_ids + row_tile).to(tl.int64)
    column = column_tile * COLUMNS + tl.arange(0, COLUMNS)
    depth = tl.arange(0, 128)
    segments = k // 128
    row = (pair // top_k).to(tl.int64)
    x_at = x + row[:, None] * k + depth[None, :]
    x_scale_at = x_scales + row * segments
    w_at = w + expert * n * k + (column % n).to(tl.int64)[None, :] * k + depth[:, None]
    total = tl.zeros((ROWS, COLUMNS), dtype=tl.float32)
    if COLUMNS <= 128:
        w_scale_at = w_scales + (expert * (n // 128) + column_tile * COLUMNS // 128) * segments
        for _ in range(0, segments):
            part = tl.dot(tl.load(x_at, mask=inside[:, None], other=0.0), tl.load(w_at))
            total += part * (tl.load(x_scale_at, mask=inside, other=0.0) * tl.load(w_scale_at))[:, None]
            x_at += 128
            w_at += 128
            x_scale_at += 1
            w_scale_at += 1
    else:
        w_scales_at = w_scales + (expert * (n // 128) + column % n // 128) * segments
        for _ in range(0, segments):
            part = tl.dot(tl.load(x_at, mask=inside[:, None], other=0.0), tl.load(w_at))
            total += part * tl.load(x_scale_at, mask=inside, other=0.0)[:, None] * tl.load(w_scales_at)[None, :]
            x_at += 128
            w_at += 128
            x_scale_at += 1
            w_scales_at += 1
    if WEIGHTED:
        total *= tl.load(weights + pair, mask=inside, other=0.0)[:, None]
    y_at = y + pair.to(tl.int64)[:, None] * n + column[None, :]
    tl.store(y_at, total.to(y.dtype.element_ty), mask=inside[:, None] & (column < n)[None, :])


@triton.jit
def store_levels(value, levels, scales, at, row, segments, segment):
    """Quantises the 128 numbers of `value`."""
    scale = tl.max(tl.abs(value), axis=0) / 448.0
    tl.store(levels + at, (value / tl.maximum(scale, 1e-30)).to(levels.dtype.element_ty))
    tl.store(scales + row * segments + segment, scale)


@triton.jit
def quantise(x, levels, scales, width):
    row = tl.program_id(0).to(tl.int64)
    segment = tl.program_id(1)
    at = row * width + segment * 128 + tl.arange(0, 128)
    store_levels(tl.load(x + at).to(tl.float32), levels, scales, at, row, width // 128, segment)


@triton.jit
def activate_quantise(both, levels, scales, width, CLAMPED: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    segment = tl.program_id(1)
    column = segment * 128 + tl.arange(0, 128)
    gate = tl.load(both + row * 2 * width + column).to(tl.float32)
    up = tl.load(both + row * 2 * width + width + column).to(tl.float32)
    if CLAMPED:
        gate = tl.minimum(gate, 7.0)
        up = tl.minimum(tl.maximum(up, -7.0), 7.0) + 1.0
        value = gate * tl.sigmoid(1.702 * gate) * up
    else:
        value = gate * tl.sigmoid(gate) * up
    store_levels(value, levels, scales, row * width + column, row, width // 128, segment)


@triton.jit
def activate(both, h, width, CLAMPED: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    gate = tl.load(both + row * 2 * width + column, mask=inside, other=0.0).to(tl.float32)
    up = tl.load(both + row * 2 * width + width + column, mask=inside, other=0.0).to(tl.float32)
    if CLAMPED:
        gate = tl.minimum(gate, 7.0)
        up = tl.minimum(tl.maximum(up, -7.0), 7.0) + 1.0
        value = gate * tl.sigmoid(1.702 * gate) * up
    else:
        value = gate * tl.sigmoid(gate) * up
    tl.store(h + row * width + column, value.to(h.dtype.element_ty), mask=inside)


@triton.jit
def add_slots(z, y, width, TOP_K: tl.constexpr, BLOCK: tl.constexpr):
    token = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    total = tl.zeros((BLOCK,), tl.float32)
    for slot in tl.static_range(TOP_K):
        total += tl.load(z + (token * TOP_K + slot) * width + column, mask=inside, other=0.0).to(tl.float32)
    tl.store(y + token * width + column, total.to(y.dtype.element_ty), mask=inside)


def power_of_two(value):
    return triton.next_power_of_2(max(value, 1))


class Layer:
    """The buffers of one shape. `tile`: rows, columns, depth, rows of tiles in a group, warps, stages."""

    def __init__(self, tokens, hidden, width, experts, top_k, clamped, ids, weights, float8=False):
        self.tokens, self.hidden, self.width, self.experts, self.top_k = tokens, hidden, width, experts, top_k
        self.clamped, self.ids, self.weights, self.pairs = clamped, ids, weights, tokens * top_k

        def empty(*sizes, dtype=torch.bfloat16):
            return torch.empty(sizes, dtype=dtype, device="cuda")

        self.both, self.h = empty(self.pairs, 2 * width), empty(self.pairs, width)
        self.z, self.y = empty(self.pairs, hidden), empty(tokens, hidden)
        if float8:
            self.x_levels, self.h_levels = (empty(*sizes, dtype=torch.float8_e4m3fn)
                                            for sizes in ((tokens, hidden), (self.pairs, width)))
            self.x_scales, self.h_scales = (empty(*sizes, dtype=torch.float32)
                                            for sizes in ((tokens, hidden // 128), (self.pairs, width // 128)))
        most = self.slots(256)
        self.sorted_ids, self.expert_ids = empty(most, dtype=torch.int32), empty(most, dtype=torch.int32)
        self.padded, self.cursor = empty(1, dtype=torch.int32), empty(power_of_two(experts + 1), dtype=torch.int32)

    def slots(self, rows):
        """Room for the padded pairs: a program does not know how many experts have some."""
        if self.pairs < self.experts:
            return self.pairs * rows
        return (self.pairs + self.experts * (rows - 1) + rows - 1) // rows * rows

    def align(self, rows):
        slots = self.slots(rows)
        blocks = slots // rows
        experts = power_of_two(self.experts + 1)
        if self.pairs <= FEW_PAIRS:
            align_few[(1,)](self.ids, self.sorted_ids, self.expert_ids, self.padded, self.pairs, blocks, slots,
                            ROWS=rows, PAIRS=power_of_two(self.pairs), EXPERTS=experts, BLOCKS=64, SLOTS=1024,
                            num_warps=8)
            return
        fills = (slots + 4095) // 4096
        align_count[(1 + fills,)](self.ids, self.sorted_ids, self.expert_ids, self.padded, self.cursor, self.pairs,
                                  blocks, slots, ROWS=rows, CHUNK=2048, EXPERTS=experts, BLOCKS=64, SLOTS=4096,
                                  num_warps=8)
        align_place[((self.pairs + 255) // 256,)](self.ids, self.sorted_ids, self.cursor, self.pairs, CHUNK=256)

    def product(self, x, w, y, n, k, top_k, weighted, tile):
        rows, columns, depth, group, warps, stages = tile
        slots = min(self.slots(rows), self.pairs * rows)
        grid = (triton.cdiv(slots, rows) * triton.cdiv(n, columns),)
        multiply[grid](x, w, y, self.weights, self.sorted_ids, self.expert_ids, self.padded, self.pairs, n, k, slots,
                       top_k, ROWS=rows, COLUMNS=columns, DEPTH=depth, GROUP=group, WEIGHTED=weighted,
                       num_warps=warps, num_stages=stages)

    def up(self, x, w, tile):
        self.product(x, w, self.both, 2 * self.width, self.hidden, self.top_k, False, tile)

    def down(self, w, tile):
        self.product(self.h, w, self.z, self.hidden, self.width, 1, True, tile)

    def activate(self):
        block = min(power_of_two(self.width), 1024)
        activate[(self.pairs, triton.cdiv(self.width, block))](self.both, self.h, self.width, CLAMPED=self.clamped,
                                                               BLOCK=block)

    def add(self):
        block = min(power_of_two(self.hidden), 1024)
        add_slots[(self.tokens, triton.cdiv(self.hidden, block))](self.z, self.y, self.hidden, TOP_K=self.top_k,
                                                                  BLOCK=block)

    def run_float8(self, x, up, down, up_tile, down_tile):
        """`up` and `down` are pairs of levels and scales. The activation also quantises h."""
        self.align(up_tile[0])
        self.quantise(x)
        self.up_float8(up, up_tile)
        self.activate_quantise()
        self.down_float8(down, down_tile)
        self.add()
        return self.y

    def product_float8(self, x, x_scales, w, y, n, k, top_k, weighted, tile):
        rows, columns, _, group, warps, stages = tile
        slots = min(self.slots(rows), self.pairs * rows)
        grid = (triton.cdiv(slots, rows) * triton.cdiv(n, columns),)
        multiply_float8[grid](x, x_scales, w[0], w[1], y, self.weights, self.sorted_ids, self.expert_ids, self.padded,
                              self.pairs, n, k, slots, top_k, ROWS=rows, COLUMNS=columns, GROUP=group,
                              WEIGHTED=weighted, num_warps=warps, num_stages=stages)

    def quantise(self, x):
        quantise[(self.tokens, self.hidden // 128)](x, self.x_levels, self.x_scales, self.hidden, num_warps=1)

    def up_float8(self, w, tile):
        self.product_float8(self.x_levels, self.x_scales, w, self.both, 2 * self.width, self.hidden, self.top_k, False,
                            tile)

    def activate_quantise(self):
        activate_quantise[(self.pairs, self.width // 128)](self.both, self.h_levels, self.h_scales, self.width,
                                                           CLAMPED=self.clamped, num_warps=1)

    def down_float8(self, w, tile):
        self.product_float8(self.h_levels, self.h_scales, w, self.z, self.hidden, self.width, 1, True, tile)

    def run(self, x, up, down, up_tile, down_tile):
        self.align(up_tile[0])
        self.up(x, up, up_tile)
        self.activate()
        self.down(down, down_tile)
        self.add()
        return self.y
