#include "kernels/ragged_paged_attention/cpu/workspace.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "kernels/common/cpu/helper_thread.hpp"
#include "kernels/common/float8.hpp"
#include "kernels/ragged_paged_attention/problem.hpp"

namespace adaptive::kernels::ragged_paged_attention {
namespace {

std::size_t index(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

std::int64_t parts_of(std::int64_t context, std::int64_t split) {
  return (context + split - 1) / split;
}

void store_row(const Operands& o, const void* from, std::int64_t row, void* cache, std::int64_t at,
               float scale) {
  const auto count = index(o.head_size);
  if (o.type == Type::float32) {
    std::memcpy(static_cast<float*>(cache) + at, static_cast<const float*>(from) + row,
                count * sizeof(float));
  } else if (o.type == Type::bfloat16) {
    std::memcpy(static_cast<std::uint16_t*>(cache) + at, static_cast<const std::uint16_t*>(from) + row,
                count * sizeof(std::uint16_t));
  } else {
    const std::uint16_t* const values = static_cast<const std::uint16_t*>(from) + row;
    std::uint8_t* const levels = static_cast<std::uint8_t*>(cache) + at;
    for (std::size_t i = 0; i < count; ++i) levels[i] = to_e4m3(from_bfloat16(values[i]) / scale);
  }
}

// All of them before the first attention, because a token sees those of its step that are before it.
void store_new_tokens(const Operands& o) {
  for (std::int64_t s = 0; s < o.sequences; ++s) {
    const std::int64_t end = o.first_token[s + 1];
    for (std::int64_t token = o.first_token[s]; token < end; ++token) {
      const std::int64_t position = o.contexts[s] - end + token;
      const std::int64_t page = o.page_table[s * o.pages_per_sequence + position / o.page_size];
      for (std::int64_t head = 0; head < o.kv_heads; ++head) {
        const std::int64_t row = (token * o.kv_heads + head) * o.head_size;
        const std::int64_t at =
            ((page * o.kv_heads + head) * o.page_size + position % o.page_size) * o.head_size;
        store_row(o, o.new_keys, row, o.key_cache, at, o.k_scale);
        store_row(o, o.new_values, row, o.value_cache, at, o.v_scale);
      }
    }
  }
}

/// Queries as float32, and zeros in the rest of a tile.
void load_queries(const Operands& o, const Item& item, std::int64_t group, float* to) {
  for (std::int64_t token = item.first_token; token < item.first_token + item.tokens; ++token) {
    const std::int64_t from = (token * o.q_heads + item.kv_head * group) * o.head_size;
    const std::int64_t count = group * o.head_size;
    if (o.type == Type::float32) {
      std::copy_n(static_cast<const float*>(o.q) + from, count, to);
    } else {
      const std::uint16_t* const q = static_cast<const std::uint16_t*>(o.q) + from;
      for (std::int64_t i = 0; i < count; ++i) to[i] = from_bfloat16(q[i]);
    }
    to += count;
  }
  std::fill_n(to, tile_max * o.head_size, 0.0F);
}

/// Sum of exp(score - top) of a head, and of its sink.
float denominator(const Operands& o, std::int64_t head, float sum, float top) {
  return o.sinks == nullptr ? sum : sum + std::exp(o.sinks[head] - top);
}

float top_of(const Operands& o, std::int64_t head, float largest) {
  return o.sinks == nullptr ? largest : std::max(largest, o.sinks[head]);
}

}  // namespace

std::uint64_t Workspace::part_bytes(std::int64_t tokens, std::int64_t q_heads, std::int64_t head_size,
                                    std::int64_t context, std::int64_t split) {
  return static_cast<std::uint64_t>(tokens * q_heads * parts_of(context, split) * (head_size + 2)) *
         sizeof(float);
}

Workspace::Workspace(const Operands& operands, std::int64_t split_min)
    : group_(operands.q_heads / operands.kv_heads), head_size_(operands.head_size) {
  std::int64_t longest = 0, most_tokens = 0;
  for (std::int64_t s = 0; s < operands.sequences; ++s) {
    longest = std::max<std::int64_t>(longest, operands.contexts[s]);
    most_tokens = std::max<std::int64_t>(most_tokens, operands.first_token[s + 1] - operands.first_token[s]);
  }
  const std::int64_t parts = split_min == 0 ? 1 : parts_of(longest, split_min);
  const std::int64_t works = operands.tokens * operands.kv_heads * parts;
  works_.reserve(index(works));
  if (split_min != 0) {
    joins_.reserve(index(operands.tokens * operands.kv_heads));
    part_out_ = Buffer<float>(index(works * group_ * head_size_));
    part_state_ = Buffer<float>(index(works * group_ * 2));
  }
  rows_max_ = std::min(most_tokens, queries_max) * group_ + tile_max;
  for (Thread& thread : threads_) {
    thread.q = Buffer<float>(index(rows_max_ * head_size_));
    thread.scores = Buffer<float>(index(scores_max * keys_max));
    thread.keys = Buffer<float>(index(keys_max * head_size_));
    thread.values = Buffer<float>(index(keys_max * head_size_));
    thread.out = Buffer<float>(index(rows_max_ * head_size_));
    thread.largest = Buffer<float>(index(rows_max_));
    thread.sum = Buffer<float>(index(rows_max_));
  }
}

Scratch Workspace::scratch(int thread) noexcept {
  Thread& own = threads_[static_cast<std::size_t>(thread)];
  return {own.q.data(),   own.scores.data(),  own.keys.data(), own.values.data(),
          own.out.data(), own.largest.data(), own.sum.data()};
}

void Workspace::plan_token(const Operands& o, const Method& method, Item item) noexcept {
  const std::int64_t end = item.end;
  const std::int64_t first_part = method.split == 0 ? 0 : item.begin / method.split;
  const std::int64_t parts = method.split == 0 ? 1 : (end - 1) / method.split - first_part + 1;
  for (item.kv_head = 0; item.kv_head < o.kv_heads; ++item.kv_head) {
    if (parts == 1) {
      works_.push_back({item, method.rows, -1});
      continue;
    }
    joins_.push_back({item.first_token, item.kv_head, parts_, parts});
    for (std::int64_t part = 0; part < parts; ++part) {
      Item of_part = item;
      of_part.begin = std::max(item.begin, (first_part + part) * method.split);
      of_part.end = std::min(end, (first_part + part + 1) * method.split);
      works_.push_back({of_part, method.rows, parts_++});
    }
  }
}

void Workspace::plan(const Operands& o, const Method& method) noexcept {
  works_.clear();
  joins_.clear();
  parts_ = 0;
  for (std::int64_t s = 0; s < o.sequences; ++s) {
    const std::int64_t first = o.first_token[s];
    const std::int64_t tokens = o.first_token[s + 1] - first;
    const std::int64_t past = o.contexts[s] - tokens;
    const bool by_rows = method.panels == nullptr || (method.rows != nullptr && tokens == 1);
    const std::int64_t step = by_rows ? 1 : method.queries;
    for (std::int64_t token = 0; token < tokens; token += step) {
      Item item{.sequence = s,
                .kv_head = 0,
                .first_token = first + token,
                .tokens = std::min(step, tokens - token),
                .position = past + token,
                .begin = first_seen(o, past + token),
                .end = past + std::min(token + step, tokens)};
      if (by_rows) {
        plan_token(o, method, item);
        continue;
      }
      for (; item.kv_head < o.kv_heads; ++item.kv_head) works_.push_back({item, method.panels, -1});
    }
  }
  // The longest work first, so that no thread ends with it alone.
  if (method.threads > 1)
    std::sort(works_.begin(), works_.end(), [](const Work& a, const Work& b) {
      return a.item.tokens * (a.item.end - a.item.begin) > b.item.tokens * (b.item.end - b.item.begin);
    });
}

void Workspace::run_work(const Operands& o, const Method& method, const Work& work, int thread) noexcept {
  const Scratch own = scratch(thread);
  load_queries(o, work.item, group_, own.q);
  work.kernel(o, work.item, own, method.keys);
  if (work.part >= 0) {
    std::copy_n(own.out, group_ * head_size_, part_out_.data() + work.part * group_ * head_size_);
    for (std::int64_t row = 0; row < group_; ++row) {
      part_state_[index((work.part * group_ + row) * 2)] = own.largest[row];
      part_state_[index((work.part * group_ + row) * 2 + 1)] = own.sum[row];
    }
    return;
  }
  for (std::int64_t row = 0; row < work.item.tokens * group_; ++row) {
    const std::int64_t head = work.item.kv_head * group_ + row % group_;
    const float top = top_of(o, head, own.largest[row]);
    const float weight = std::exp(own.largest[row] - top);
    const float factor = weight / denominator(o, head, own.sum[row] * weight, top);
    float* const y = o.y + ((work.item.first_token + row / group_) * o.q_heads + head) * head_size_;
    const float* const out = own.out + row * head_size_;
    for (std::int64_t i = 0; i < head_size_; ++i) y[i] = out[i] * factor;
  }
}

// In the order of the parts, whichever thread was the first to compute one.
void Workspace::join(const Operands& o, const Join& join) noexcept {
  for (std::int64_t row = 0; row < group_; ++row) {
    const std::int64_t head = join.kv_head * group_ + row;
    const auto state = [&](std::int64_t part) {
      return part_state_.data() + ((join.part + part) * group_ + row) * 2;
    };
    float top = top_of(o, head, lowest_score);
    for (std::int64_t part = 0; part < join.parts; ++part) top = std::max(top, state(part)[0]);
    float sum = 0;
    float* const y = o.y + (join.token * o.q_heads + head) * head_size_;
    std::fill_n(y, head_size_, 0.0F);
    for (std::int64_t part = 0; part < join.parts; ++part) {
      const float weight = std::exp(state(part)[0] - top);
      const float* const out = part_out_.data() + ((join.part + part) * group_ + row) * head_size_;
      sum += state(part)[1] * weight;
      for (std::int64_t i = 0; i < head_size_; ++i) y[i] += out[i] * weight;
    }
    const float factor = 1 / denominator(o, head, sum, top);
    for (std::int64_t i = 0; i < head_size_; ++i) y[i] *= factor;
  }
}

void Workspace::run(const Operands& operands, const Method& method) noexcept {
  store_new_tokens(operands);
  plan(operands, method);
  auto piece = [&](std::size_t at, int thread) { run_work(operands, method, works_[at], thread); };
  if (method.threads == 1)
    for (std::size_t at = 0; at < works_.size(); ++at) piece(at, 0);
  else
    run_on_two_threads(works_.size(), piece);
  for (const Join& each : joins_) join(operands, each);
}

}  // namespace adaptive::kernels::ragged_paged_attention
