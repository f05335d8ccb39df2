#include "kernels/ragged_paged_attention/cuda/methods.hpp"

#include <algorithm>

namespace adaptive::kernels::ragged_paged_attention {
namespace {

/// Configurations of `rows` for the short sequences of mixed steps, by their index: without parts, also for
/// few sequences, and with parts of 1,024 positions.
constexpr int mixed_rows[] = {0, 6, 3};
static_assert(rows_configs[0].part == 0 && rows_configs[6].warps == 8 && rows_configs[3].part == 1024);
/// The configuration of `tiles` for the others.
constexpr int mixed_tiles = 0;

}  // namespace

const std::vector<DeviceMethod>& device_methods() {
  static const std::vector<DeviceMethod> all = [] {
    constexpr int rows = rows_configs.size();
    constexpr int tiles = tiles_configs.size();
    constexpr int wgmma = wgmma_configs.size();
    std::vector<DeviceMethod> made(1);
    for (int i = 0; i < rows; ++i) made.push_back({.rows = i});
    // The first candidate is what runs before anything is known, and wgmma is hardly ever the slower one.
    for (int i = 0; i < wgmma; ++i) made.push_back({.wgmma = i});
    for (int i = 0; i < tiles; ++i) made.push_back({.tiles = i});
    for (const int short_ones : mixed_rows) {
      for (int i = 0; i < wgmma; ++i) made.push_back({.rows = short_ones, .wgmma = i});
      made.push_back({.rows = short_ones, .tiles = mixed_tiles});
    }
    return made;
  }();
  return all;
}

bool worth_trying(const DeviceMethod& method, const Shape& shape) {
  const Sizes sizes(shape);
  if (method.is_plain()) return false;
  if (!method.has_rows() || method.is_mixed()) return true;
  // Parts pay if the blocks would not fill the device otherwise, and cost if there are many more blocks.
  const std::int64_t part = method.rows_config().part;
  const std::int64_t seen = sizes.window == 0 ? sizes.context : std::min(sizes.window, sizes.context);
  const std::int64_t blocks = (sizes.tokens * sizes.group() / rows_height + sizes.sequences) * sizes.kv_heads;
  return part == 0 || blocks * (seen / part) <= 16384;
}

}  // namespace adaptive::kernels::ragged_paged_attention
