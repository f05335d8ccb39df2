#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/common/cuda/loaded_code.hpp"

// The variants of the library's own kernels and their resource requirements, known before a launch. Needs no
// CUDA.

namespace adaptive::kernels::grouped_gemm {

/// Maximum number of experts, which is the length of the schedule on the device. No published model has a
/// layer with more.
constexpr int experts_max = 256;

struct Config {
  enum class Kernel {
    mma,    ///< mma.sync on tiles that cp.async loads, from Ampere on (mma_kernel.cuh)
    wgmma,  ///< wgmma on tiles that the copy engine loads, Hopper only (wgmma_kernel.cuh)
  };
  Kernel kernel;
  int rows;     ///< height of a tile: tokens of one expert
  int columns;  ///< width of a tile: outputs
  int depth;    ///< depth of a stage, along k
  int stages;
  int split;   ///< mma: blocks of a cluster that share k; wgmma: blocks of a cluster that share rows
  int blocks;  ///< blocks that run on a multiprocessor at the same time
  int band;    ///< row tiles of an expert that are taken through all columns together
};

constexpr std::array<Config, 8> mma_configs = {{
    {Config::Kernel::mma, 16, 64, 64, 6, 1, 3, 1},
    {Config::Kernel::mma, 16, 64, 128, 5, 1, 2, 1},
    {Config::Kernel::mma, 16, 32, 128, 5, 1, 3, 1},
    {Config::Kernel::mma, 16, 64, 128, 5, 2, 2, 1},
    {Config::Kernel::mma, 16, 64, 128, 5, 4, 2, 1},
    {Config::Kernel::mma, 32, 64, 64, 6, 1, 3, 1},
    {Config::Kernel::mma, 64, 64, 64, 4, 1, 3, 8},
    {Config::Kernel::mma, 128, 128, 64, 6, 1, 1, 8},
}};

/// The height of a band makes the tiles that run together about square: 2,048 rows for large tiles.
constexpr std::array<Config, 12> wgmma_configs = {{
    {Config::Kernel::wgmma, 16, 64, 128, 5, 1, 2, 1},
    {Config::Kernel::wgmma, 16, 128, 128, 6, 1, 1, 1},
    {Config::Kernel::wgmma, 32, 64, 128, 4, 1, 2, 1},
    {Config::Kernel::wgmma, 32, 128, 128, 5, 1, 1, 1},
    {Config::Kernel::wgmma, 64, 64, 64, 5, 1, 2, 8},
    {Config::Kernel::wgmma, 64, 128, 64, 8, 1, 1, 16},
    {Config::Kernel::wgmma, 128, 128, 64, 6, 1, 1, 8},
    {Config::Kernel::wgmma, 128, 128, 64, 6, 2, 1, 16},
    {Config::Kernel::wgmma, 128, 256, 64, 4, 1, 1, 16},
    {Config::Kernel::wgmma, 128, 256, 64, 4, 2, 1, 16},
    {Config::Kernel::wgmma, 256, 128, 64, 4, 1, 1, 8},
    {Config::Kernel::wgmma, 256, 128, 64, 4, 2, 1, 8},
}};

constexpr cuda::Instructions instructions_of(const Config& config) {
  if (config.kernel == Config::Kernel::wgmma) return cuda::Instructions::hopper;
  return config.split > 1 ? cuda::Instructions::cluster : cuda::Instructions::ampere;
}

/// Bytes of one element of either type.
constexpr int element_bytes = 2;
constexpr int schedule_bytes = 2 * 4 * experts_max;
/// Number of tiles that a wgmma block knows in advance; each takes a number and two barriers.
constexpr int tiles_ahead = 4;

constexpr int smaller(int a, int b) {
  return a < b ? a : b;
}

// mma: four warps along the columns, or two for fewer than 64 columns; for 128 rows and more there are two
// such lines of warps along the rows.
constexpr int mma_warps(const Config& config) {
  const int along_columns = config.columns >= 64 ? 4 : 2;
  return config.rows >= 128 ? 2 * along_columns : along_columns;
}

// wgmma: a group of four warps computes 64 or 128 columns.
constexpr int wgmma_groups(const Config& config) {
  return config.columns >= 128 ? 2 : 1;
}
/// If the sums fill the register file, the threads that load give registers to those that multiply.
constexpr bool wgmma_donates(const Config& config) {
  return config.rows * config.columns / (128 * wgmma_groups(config)) >= 128;
}
constexpr int box_rows(const Config& config) {
  return smaller(config.rows, 64);
}

constexpr int threads_of(const Config& config) {
  if (config.kernel == Config::Kernel::mma) return 32 * mma_warps(config);
  return 128 * wgmma_groups(config) + (wgmma_donates(config) ? 128 : 32);
}

/// Dynamic shared memory of a block.
constexpr int shared_bytes(const Config& config) {
  const int stage = (config.rows + config.columns) * config.depth * element_bytes;
  if (config.kernel == Config::Kernel::mma) {
    const int sums = config.rows * (config.columns + 4) * 4;
    const int pipeline = config.stages * stage;
    return (pipeline > sums ? pipeline : sums) + schedule_bytes;
  }
  const int staging = 2 * wgmma_groups(config) * box_rows(config) * 64 * element_bytes;
  return config.stages * (stage + 16) + staging + schedule_bytes + tiles_ahead * (4 + 16);
}

/// The same values as constants, which device code may use.
template <const auto& configs, std::size_t index>
struct Needs {
  static constexpr Config config = configs[index];
  static constexpr int threads = threads_of(config);
  static constexpr int shared = shared_bytes(config);
  static constexpr int warps = threads / 32;
  static constexpr bool donates = wgmma_donates(config);
};

inline std::string name_of(const Config& config) {
  const bool mma = config.kernel == Config::Kernel::mma;
  std::string name = mma ? "mma" : "wgmma";
  name += "_r" + std::to_string(config.rows) + "_c" + std::to_string(config.columns) + "_k" +
          std::to_string(config.depth) + "_s" + std::to_string(config.stages);
  if (config.split > 1) name += (mma ? "_x" : "_m") + std::to_string(config.split);
  return name;
}

/// Variants of one class give the same bits: sums run along k in steps of 16, whatever the tile.
inline std::string class_of(const Config& config) {
  if (config.kernel == Config::Kernel::wgmma) return "wgmma";
  return config.split == 1 ? "mma" : "mma_x" + std::to_string(config.split);
}

}  // namespace adaptive::kernels::grouped_gemm
