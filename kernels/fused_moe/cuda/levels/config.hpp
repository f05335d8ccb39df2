#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "kernels/common/host_device.hpp"
#include "kernels/grouped_gemm/cuda/config.hpp"

// The tiles of the kernels for types other than bfloat16. Needs no CUDA.

namespace adaptive::kernels::fused_moe::levels {

struct StreamConfig {
  int rows;     ///< height of a tile: rows of one expert
  int columns;  ///< width of a tile: outputs
  int blocks;   ///< blocks that run on a multiprocessor at the same time
};

constexpr std::array<StreamConfig, 2> stream_configs = {{
    {16, 64, 3},
    {64, 64, 2},
}};

constexpr int stream_threads = 128;

/// What the weights and the rows of a type take of a stage, which has 128 columns of both.
struct StageLines {
  int x_lines;       ///< lines of 128 bytes of a row of x
  int w_line_bytes;  ///< bytes of a row of the weights
};

constexpr int stage_depth = 128;
constexpr StageLines levels_lines = {1, 128};  ///< of one byte in both operands

/// Without the scales.
ADAPTIVE_HOST_DEVICE constexpr int stream_stage_bytes(const StreamConfig& config, const StageLines& lines) {
  return config.columns * lines.w_line_bytes + config.rows * lines.x_lines * 128;
}
ADAPTIVE_HOST_DEVICE constexpr int stream_scale_bytes(const StreamConfig& config) {
  return 4 * (config.rows + config.columns);
}

/// The sums of a tile, and the schedule.
ADAPTIVE_HOST_DEVICE constexpr int stream_fixed_bytes(const StreamConfig& config) {
  return config.rows * (config.columns + 4) * 4 + grouped_gemm::schedule_bytes;
}

/// As many as fit into a multiprocessor, of whose memory each block takes 1 KiB beside its own.
ADAPTIVE_HOST_DEVICE constexpr int stream_stages(const StreamConfig& config, const StageLines& lines) {
  const int all = (228 * 1024 / config.blocks - 1024 - stream_fixed_bytes(config)) /
                  (stream_stage_bytes(config, lines) + stream_scale_bytes(config));
  return all < 8 ? all : 8;
}

ADAPTIVE_HOST_DEVICE constexpr int stream_shared_bytes(const StreamConfig& config, const StageLines& lines) {
  return stream_stages(config, lines) * (stream_stage_bytes(config, lines) + stream_scale_bytes(config)) +
         stream_fixed_bytes(config);
}

inline std::string name_of(const StreamConfig& config) {
  return "stream_c" + std::to_string(config.columns);
}

/// float8 on wgmma. The tiles of gate and up have 256 columns, which make 128 of h.
struct WgmmaConfig {
  int rows;     ///< height of a tile, 64 for each group of four warps
  int columns;  ///< width of a tile
  int stages;   ///< of 128 columns of both operands
  int band;     ///< row tiles of an expert that are taken through all columns together
};

constexpr std::array<WgmmaConfig, 5> wgmma_configs = {{
    {64, 256, 5, 16},
    {128, 256, 4, 16},
    {64, 128, 8, 16},
    {128, 128, 6, 16},
    {128, 256, 4, 16},
}};
constexpr std::size_t gated_configs = 2;  ///< the first ones are for gate and up, the others for down

ADAPTIVE_HOST_DEVICE constexpr int wgmma_shared_bytes(const WgmmaConfig& config) {
  return config.stages * ((config.rows + config.columns) * 128 + 16) + config.rows / 16 * 16 * 128 +
         grouped_gemm::schedule_bytes;
}

inline std::string name_of(const WgmmaConfig& config) {
  return "wgmma_c" + std::to_string(config.columns) + "_s" + std::to_string(config.stages);
}

}  // namespace adaptive::kernels::fused_moe::levels
