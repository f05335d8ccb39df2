#include "replay/environments/changing_sizes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/statistics/normal.hpp"
#include "replay/environments/noise.hpp"

namespace adaptive::inline v1::replay {
namespace {

constexpr double tokens_max = 16'384.0;
constexpr double noise = 0.03;  // standard deviation of the logarithm of a launch

struct Weight {
  std::int64_t n;
  std::int64_t k;
};
constexpr std::array<Weight, 4> weights = {Weight{6'144, 4'096}, Weight{4'096, 4'096}, Weight{28'672, 4'096},
                                           Weight{4'096, 14'336}};

struct Tile {
  double m;
  double n;
};
// The first, the default, is a middling one, as a program with a single tile for all sizes would choose.
constexpr std::array<Tile, 20> tiles = {Tile{64, 128}, Tile{16, 32},  Tile{16, 64},   Tile{16, 128},
                                        Tile{16, 256}, Tile{32, 32},  Tile{32, 64},   Tile{32, 128},
                                        Tile{32, 256}, Tile{64, 32},  Tile{64, 64},   Tile{64, 256},
                                        Tile{128, 32}, Tile{128, 64}, Tile{128, 128}, Tile{128, 256},
                                        Tile{256, 32}, Tile{256, 64}, Tile{256, 128}, Tile{256, 256}};

// Orders of magnitude of an H200 with 16-bit operands.
constexpr double multiprocessors = 132.0;
constexpr double operations_per_ns = 6'000.0;  // of one multiprocessor with large tiles
constexpr double side_lost =
    8.0;  // a tile takes as long as one without overhead whose sides are longer by this
constexpr double bytes_per_ns = 4'000.0;  // of the device's memory
constexpr double launch_ns = 4'000.0;
constexpr double wave_ns = 300.0;  // prologue and epilogue of a block

double latency_of(const Tile& tile, double tokens, double n, double k) {
  const double blocks = std::ceil(tokens / tile.m) * std::ceil(n / tile.n);
  const double waves = std::ceil(blocks / multiprocessors);
  const double overhead = 1.0 + side_lost / tile.m + side_lost / tile.n;
  const double compute = 2.0 * tile.m * tile.n * k * overhead / operations_per_ns;
  const double memory = 2.0 * (n * k + tokens * k + tokens * n) / bytes_per_ns;
  return launch_ns + std::max(waves * (wave_ns + compute), memory);
}

}  // namespace

ChangingSizes::ChangingSizes() {
  restart(0);
}

void ChangingSizes::restart(std::uint64_t seed, std::uint64_t draw) {
  random_ = Random(seed_of_draw(seed, draw));
  key_ = {1, weights.front().n, weights.front().k};
  set_means(means_at(key_));
}

void ChangingSizes::advance() {
  const auto tokens = static_cast<std::int64_t>(std::exp(random_.uniform() * std::log(tokens_max + 1.0)));
  const Weight& weight = weights[random_.below(weights.size())];
  key_ = {tokens, weight.n, weight.k};
  set_means(means_at(key_));
  factor_ = std::exp(noise * core::normal(random_));
}

std::string ChangingSizes::variant_name(std::uint32_t variant) const {
  const Tile& tile = tiles[variant];
  return std::to_string(static_cast<int>(tile.m)) + "x" + std::to_string(static_cast<int>(tile.n));
}

Parameters ChangingSizes::variant_parameters(std::uint32_t variant) const {
  return {{"tile_m", static_cast<std::int64_t>(tiles[variant].m)},
          {"tile_n", static_cast<std::int64_t>(tiles[variant].n)}};
}

std::vector<Dimension> ChangingSizes::dimensions() const {
  return {{"tokens"}, {"n"}, {"k"}};
}

std::vector<double> ChangingSizes::means_at(const Key& key) const {
  std::vector<double> means;
  means.reserve(tiles.size());
  for (const Tile& tile : tiles)
    means.push_back(latency_of(tile, static_cast<double>(key[0]), static_cast<double>(key[1]),
                               static_cast<double>(key[2])));
  return means;
}

}  // namespace adaptive::replay
