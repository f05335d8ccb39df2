#include "kernels/fused_moe/cpu/workspace.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "kernels/common/cpu/helper_thread.hpp"

namespace adaptive::kernels::fused_moe {
namespace {

constexpr int tile_max = 12;
/// With eight pieces, a delayed thread delays the end by at most an eighth.
constexpr std::int64_t pieces = 8;
/// Columns whose activation is computed at once where rows are interleaved afterwards.
constexpr std::int64_t chunk = 64;

constexpr Part whole = {0, 1};

std::int64_t blocks_of(std::int64_t columns) {
  return (columns + block_columns - 1) / block_columns;
}

std::size_t size_of(std::int64_t rows, std::int64_t columns) {
  return static_cast<std::size_t>(rows * columns);
}

float widened(std::uint16_t value) {
  const std::uint32_t bits = std::uint32_t{value} << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

float widened(float value) {
  return value;
}

template <int T, class Element>
void interleave_rows(const Element* const* rows, std::int64_t columns, float* out) {
  for (std::int64_t k = 0; k < columns; ++k)
    for (int t = 0; t < T; ++t) out[k * T + t] = widened(rows[t][k]);
}

/// Interleaves the rows of a tile, [columns][tile]. The tiles of the kernels are known to the compiler.
template <class Element>
void interleave(const Element* const* rows, std::int64_t tile, std::int64_t columns, float* out) {
  switch (tile) {
    case 1:
      return interleave_rows<1>(rows, columns, out);
    case 2:
      return interleave_rows<2>(rows, columns, out);
    case 4:
      return interleave_rows<4>(rows, columns, out);
    case 6:
      return interleave_rows<6>(rows, columns, out);
    default:
      return interleave_rows<tile_max>(rows, columns, out);
  }
}

/// Sums over groups of columns of a tile, in the same order for every tile.
void sum_groups(const float* tile_rows, std::int64_t tile, std::int64_t groups, float* sums) {
  for (std::int64_t group = 0; group < groups; ++group)
    for (std::int64_t t = 0; t < tile; ++t) {
      const float* x = tile_rows + group * group_columns * tile + t;
      float lanes[16] = {};
      for (std::int64_t i = 0; i < group_columns; i += 16)
        for (int lane = 0; lane < 16; ++lane) lanes[lane] += x[(i + lane) * tile];
      float sum = 0;
      for (const float lane : lanes) sum += lane;
      sums[group * tile + t] = sum;
    }
}

const float* sums_at(const Buffer<float>& sums, std::int64_t tile_row, std::int64_t stride) {
  return sums.size() == 0 ? nullptr : sums.data() + tile_row * (stride / group_columns);
}

/// Columns [begin, end) of y.
struct Columns {
  std::int64_t begin, end;
};

Columns columns_of(const Operands& o, Part part) {
  const std::int64_t blocks = blocks_of(o.hidden_size);
  return {blocks * part.index / part.count * block_columns,
          std::min(blocks * (part.index + 1) / part.count * block_columns, o.hidden_size)};
}

}  // namespace

Workspace::Workspace(const Operands& o)
    : alignment_(o),
      up_(o.up, o.type, o.experts, 2, o.intermediate_size, o.tokens),
      down_(o.down, o.type, o.experts, 1, o.hidden_size, o.tokens),
      tile_rows_(static_cast<std::size_t>(alignment_.groups_max())),
      panels_(2 * panel_floats) {
  const std::int64_t rows = alignment_.rows_max();
  const std::int64_t tile_rows = rows + alignment_.groups_max() * tile_max;
  x_tiles_ = Buffer<float>(size_of(tile_rows, o.up.stride));
  gate_up_ = Buffer<float>(size_of(rows, 2 * blocks_of(o.intermediate_size) * block_columns));
  h_tiles_ = Buffer<float>(size_of(tile_rows, o.down.stride));
  z_ = Buffer<float>(size_of(rows, o.hidden_size));
  if (o.type == Type::float32)
    zero_floats_ = Buffer<float>(size_of(1, o.up.stride));
  else
    zero_bfloats_ = Buffer<std::uint16_t>(size_of(1, o.up.stride));
  if (o.type != Type::int4_w4a16) return;
  x_sums_ = Buffer<float>(size_of(tile_rows, o.up.stride / group_columns));
  h_sums_ = Buffer<float>(size_of(tile_rows, o.down.stride / group_columns));
}

void Workspace::run(const Operands& o, const Method& m) noexcept {
  alignment_.align(o);
  std::int64_t tile_row = 0;
  for (std::size_t g = 0; g < alignment_.groups().size(); ++g) {
    tile_rows_[g] = tile_row;
    tile_row += (alignment_.groups()[g].rows + m.tile - 1) / m.tile * m.tile;
  }
  if (m.sum == Sum::experts) std::fill_n(o.y, o.tokens * o.hidden_size, 0.0F);
  if (m.split == Split::columns)
    run_by_column(o, m);
  else
    run_by_expert(o, m);
}

// On one thread, the same part of each buffer serves one expert after the other and stays in the cache.
Workspace::Job Workspace::job(const Operands& o, const Method& m, std::size_t group,
                              int thread) const noexcept {
  const grouped_gemm::Group& rows = alignment_.groups()[group];
  const bool reuses = m.split == Split::none;
  const Place place{.tile_row = reuses ? 0 : tile_rows_[group],
                    .row = reuses ? 0 : rows.first_row,
                    .z_row = reuses && m.sum == Sum::experts ? 0 : rows.first_row};
  return {o, m, rows, place, thread};
}

void Workspace::run_by_expert(const Operands& o, const Method& m) noexcept {
  auto expert = [&](std::size_t group, int thread) {
    const Job one = job(o, m, group, thread);
    gather(one);
    multiply_up(one, whole);
    sum_columns(one);
    multiply_down(one, whole);
    if (m.sum == Sum::experts) add_expert(one);
  };
  if (m.split == Split::none) {
    for (std::size_t group = 0; group < alignment_.groups().size(); ++group) expert(group, 0);
    if (m.sum == Sum::slots) sum_slots(o, m, 0, o.tokens, whole);
    return;
  }
  run_on_two_threads(alignment_.groups().size(), expert);
  auto tokens = [&](std::size_t piece, int) {
    const auto index = static_cast<std::int64_t>(piece);
    sum_slots(o, m, o.tokens * index / pieces, o.tokens * (index + 1) / pieces, whole);
  };
  run_on_two_threads(static_cast<std::size_t>(pieces), tokens);
}

void Workspace::run_by_column(const Operands& o, const Method& m) noexcept {
  const std::size_t groups = alignment_.groups().size();
  auto gathered = [&](std::size_t group, int thread) { gather(job(o, m, group, thread)); };
  run_on_two_threads(groups, gathered);
  auto up = [&](std::size_t piece, int thread) {
    for (std::size_t group = 0; group < groups; ++group)
      multiply_up(job(o, m, group, thread), {static_cast<std::int64_t>(piece), pieces});
  };
  run_on_two_threads(static_cast<std::size_t>(pieces), up);
  auto summed = [&](std::size_t group, int thread) { sum_columns(job(o, m, group, thread)); };
  if (m.needs_sums) run_on_two_threads(groups, summed);
  auto down = [&](std::size_t piece, int thread) {
    const Part part{static_cast<std::int64_t>(piece), pieces};
    for (std::size_t group = 0; group < groups; ++group) multiply_down(job(o, m, group, thread), part);
    sum_slots(o, m, 0, o.tokens, part);
  };
  run_on_two_threads(static_cast<std::size_t>(pieces), down);
}

/// Copies the rows of an expert into tiles, and clears what no product writes to h.
void Workspace::gather(const Job& job) noexcept {
  const Operands& o = job.o;
  const std::int64_t tile = job.m.tile;
  for (std::int64_t row = 0; row < job.group.rows; row += tile) {
    const std::int64_t count = std::min(tile, job.group.rows - row);
    const std::int64_t tile_row = job.place.tile_row + row;
    float* const x = x_tiles_.data() + tile_row * o.up.stride;
    const auto copy = [&](const auto* from, const auto* zeros) {
      std::array<decltype(from), tile_max> rows;
      rows.fill(zeros);  // rows that do not exist
      for (std::int64_t t = 0; t < count; ++t)
        rows[static_cast<std::size_t>(t)] =
            from + alignment_.token_of(job.group.first_row + row + t) * o.up.stride;
      interleave(rows.data(), tile, o.up.stride, x);
    };
    if (o.type == Type::float32)
      copy(o.x_floats, zero_floats_.data());
    else
      copy(o.x_bfloats, zero_bfloats_.data());
    if (job.m.needs_sums)
      sum_groups(x, tile, o.up.stride / group_columns,
                 x_sums_.data() + tile_row * (o.up.stride / group_columns));
    float* const h = h_tiles_.data() + tile_row * o.down.stride;
    const std::int64_t kept = count == tile ? o.intermediate_size : 0;
    std::fill(h + kept * tile, h + o.down.stride * tile, 0.0F);
  }
}

/// Computes gate and up of a share of the columns of h, and their activation.
void Workspace::multiply_up(const Job& job, Part part) noexcept {
  const Operands& o = job.o;
  const std::int64_t blocks = up_.part_blocks();
  const std::int64_t begin = blocks * part.index / part.count, end = blocks * (part.index + 1) / part.count;
  const float* const x = x_tiles_.data() + job.place.tile_row * o.up.stride;
  if (job.m.pairs != nullptr) {
    job.m.pairs({.gate = up_.packed(job.group.expert, 0),
                 .up = up_.packed(job.group.expert, blocks),
                 .is_bfloat16 = o.type == Type::bfloat16,
                 .activation = o.activation,
                 .k_stride = o.up.stride,
                 .h_stride = o.down.stride,
                 .tiles = (job.group.rows + job.m.tile - 1) / job.m.tile,
                 .x = x,
                 .h = h_tiles_.data() + job.place.tile_row * o.down.stride},
                begin, end);
    return;
  }
  const ExpertRows rows{.expert = job.group.expert,
                        .rows = job.group.rows,
                        .tile = job.m.tile,
                        .tiles = x,
                        .sums = sums_at(x_sums_, job.place.tile_row, o.up.stride)};
  float* const out = gate_up_.data() + job.place.row * up_.columns(job.m.up);
  float* const panel = panels_.data() + job.thread * panel_floats;
  if (part.count == 1) {
    up_.multiply(job.m.up, rows, whole, panel, out);
  } else {  // the blocks of up follow those of gate, and there are as many
    up_.multiply(job.m.up, rows, {part.index, 2 * part.count}, panel, out);
    up_.multiply(job.m.up, rows, {part.count + part.index, 2 * part.count}, panel, out);
  }
  activate(job, part);
}

void Workspace::activate(const Job& job, Part part) noexcept {
  const Operands& o = job.o;
  const std::int64_t tile = job.m.tile;
  const std::int64_t blocks = up_.part_blocks();
  const std::int64_t begin = blocks * part.index / part.count * block_columns;
  const std::int64_t end =
      std::min(blocks * (part.index + 1) / part.count * block_columns, o.intermediate_size);
  const std::int64_t columns = up_.columns(job.m.up), up_at = up_.part_columns(job.m.up);
  for (std::int64_t row = 0; row < job.group.rows; ++row) {
    const float* const gate = gate_up_.data() + (job.place.row + row) * columns;
    const std::int64_t t = row % tile;
    float* const h = h_tiles_.data() + (job.place.tile_row + row - t) * o.down.stride + t;
    if (tile == 1) {
      if (begin < end)
        job.m.elementwise.activate(gate + begin, gate + up_at + begin, end - begin, o.activation, h + begin);
      continue;
    }
    for (std::int64_t column = begin; column < end; column += chunk) {
      const std::int64_t count = std::min(chunk, end - column);
      float values[chunk];
      job.m.elementwise.activate(gate + column, gate + up_at + column, count, o.activation, values);
      for (std::int64_t i = 0; i < count; ++i) h[(column + i) * tile] = values[i];
    }
  }
}

void Workspace::sum_columns(const Job& job) noexcept {
  if (!job.m.needs_sums) return;
  const std::int64_t groups = job.o.down.stride / group_columns;
  for (std::int64_t row = 0; row < job.group.rows; row += job.m.tile) {
    const std::int64_t tile_row = job.place.tile_row + row;
    sum_groups(h_tiles_.data() + tile_row * job.o.down.stride, job.m.tile, groups,
               h_sums_.data() + tile_row * groups);
  }
}

void Workspace::multiply_down(const Job& job, Part part) noexcept {
  const Operands& o = job.o;
  down_.multiply(job.m.down,
                 {.expert = job.group.expert,
                  .rows = job.group.rows,
                  .tile = job.m.tile,
                  .tiles = h_tiles_.data() + job.place.tile_row * o.down.stride,
                  .sums = sums_at(h_sums_, job.place.tile_row, o.down.stride)},
                 part, panels_.data() + job.thread * panel_floats,
                 z_.data() + job.place.z_row * o.hidden_size);
}

void Workspace::add_expert(const Job& job) noexcept {
  const std::int64_t columns = job.o.hidden_size;
  for (std::int64_t row = 0; row < job.group.rows; ++row) {
    const std::int64_t aligned = job.group.first_row + row;
    job.m.elementwise.add_scaled(z_.data() + (job.place.z_row + row) * columns, alignment_.weight_of(aligned),
                                 columns, job.o.y + alignment_.token_of(aligned) * columns);
  }
}

void Workspace::sum_slots(const Operands& o, const Method& m, std::int64_t token, std::int64_t last_token,
                          Part part) noexcept {
  const Columns columns = columns_of(o, part);
  if (columns.begin >= columns.end) return;
  for (; token < last_token; ++token) {
    float* const y = o.y + token * o.hidden_size;
    std::fill(y + columns.begin, y + columns.end, 0.0F);
    for (std::int64_t slot = token * o.top_k; slot < (token + 1) * o.top_k; ++slot)
      if (const std::int64_t row = alignment_.row_of(slot); row >= 0)
        m.elementwise.add_scaled(z_.data() + row * o.hidden_size + columns.begin, o.weights[slot],
                                 columns.end - columns.begin, y + columns.begin);
  }
}

}  // namespace adaptive::kernels::fused_moe
