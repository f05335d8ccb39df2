#include "table/looks_like.hpp"

#include <algorithm>

namespace adaptive::table {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool any_member(JsonValue value, std::string_view prefix) {
  if (!value.is(JsonKind::object)) return false;
  for (const JsonValue member : value)
    if (member.name().starts_with(prefix)) return true;
  return false;
}

}  // namespace

std::string_view looks_like(JsonValue member) noexcept {
  const std::string_view name = member.name();
  if (all_digits(name) && any_member(member, "BLOCK_SIZE_")) return "a vLLM or SGLang configuration";
  if (all_digits(name) && any_member(member, "q_")) return "a tpu-inference attention table";
  if (name == "optimal_tiling") return "a Megablox tuning cache";
  if (name == "tile_size_mapping" || name == "simdgroup_mapping") return "a Metal Marlin table";
  // "batch,out,in,x_dtype,w_dtype"
  if (std::count(name.begin(), name.end(), ',') == 4 && all_digits(name.substr(0, name.find(','))))
    return "a tpu-inference matmul table";
  if (name == "latency_us") return "a trace";
  return {};
}

}  // namespace adaptive::table
