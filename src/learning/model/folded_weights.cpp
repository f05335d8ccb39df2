#include "learning/model/folded_weights.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace adaptive::inline v1::core {
namespace {

constexpr std::size_t tabulated_max = 1024;

// Logarithm to base 2 of a whole number, from a table if the number is small, as most numbers of waves are:
// computing a logarithm takes longer than the rest of a score.
double log2_of_whole(double number) noexcept {
  static const auto table = [] {
    std::array<double, tabulated_max> logs{};
    for (std::size_t i = 1; i < tabulated_max; ++i) logs[i] = std::log2(static_cast<double>(i));
    return logs;
  }();
  return number < static_cast<double>(tabulated_max) ? table[static_cast<std::size_t>(number)]
                                                     : std::log2(number);
}

// As `std::ceil`, which is a library call if the compiler may not assume SSE 4.1. `x` is at least 0 and below
// 2^63.
double ceiling(double x) noexcept {
  const auto whole = static_cast<double>(static_cast<std::int64_t>(x));
  return whole < x ? whole + 1.0 : whole;
}

}  // namespace

// Takes the weights in the order in which `ModelFeatures::emit` writes the features.
FoldedWeights::FoldedWeights(const ModelFeatures& features, const Eigen::VectorXd& weights)
    : variants_(features.variants()),
      multiprocessors_(features.multiprocessors_),
      log_multiprocessors_(std::log2(multiprocessors_)) {
  const ModelFeatures& f = features;
  const std::size_t numbers = f.numbers_;
  const std::size_t labels = f.labels_;
  const std::size_t parameters = f.space_.dimensions;
  const double* w = weights.data();
  const auto take = [&](std::size_t count) {
    const std::span<const double> taken(w, count);
    w += count;
    return taken;
  };
  if (f.estimated_) of_cost_ = 1.0 + take(1).front();
  const auto common = take(1 + numbers + numbers * ModelFeatures::knots.size() + labels);
  common_.assign(common.begin(), common.end());
  const auto of_parameter = take(parameters);
  std::vector<Side> sides_of_first;
  if (f.tiled_ >= 2) {
    std::size_t in_blocks = 0;
    for (std::size_t d = 0; d < f.dimensions_.size(); ++d) {
      const bool depth = f.depth_ == d;
      if (f.tiles_.front()[d] == 0.0) {
        if (f.dimensions_[d].kind == DimensionKind::size && !depth) rest_.push_back(d);
        continue;
      }
      const bool is_side = !depth && in_blocks < 2;
      if (is_side) ++in_blocks;
      if (!is_side && !depth) rest_.push_back(d);
      sides_of_first.push_back({d, 1.0, take(1).front(), is_side});
    }
    for (Waves* const by : {&waves_of_blocks_, &waves_of_all_}) {
      const auto three = take(3);
      *by = {three[0], three[1], three[2]};
    }
    if (rest_.empty())
      waves_of_blocks_ = {waves_of_blocks_.of_waves + waves_of_all_.of_waves,
                          waves_of_blocks_.of_partial + waves_of_all_.of_partial,
                          waves_of_blocks_.of_last + waves_of_all_.of_last};
  }
  const auto of_product = take(numbers * parameters);
  const auto of_square = take(parameters * (parameters + 1) / 2);
  cuts_each_ = sides_of_first.size();
  stride_ = 1 + 2 * numbers + labels;
  rows_.assign(variants_ * stride_, 0.0);
  for (std::size_t v = 0; v < variants_; ++v) {
    double* const row = rows_.data() + v * stride_;
    const float* const u = f.space_.coordinates.data() + v * parameters;
    std::size_t square = 0;
    for (std::size_t p = 0; p < parameters; ++p) {
      row[0] += of_parameter[p] * double{u[p]};
      for (std::size_t q = 0; q <= p; ++q) row[0] += of_square[square++] * double{u[p]} * double{u[q]};
      for (std::size_t x = 0; x < numbers; ++x)
        row[1 + x] += 0.5 * of_product[x * parameters + p] * double{u[p]};
    }
    const auto own = take(f.own_);
    for (std::size_t i = 0; i < own.size(); ++i) row[i] += own[i];
    for (Side side : sides_of_first) {
      side.tile = f.tiles_[v][side.dimension];
      const auto known = std::find_if(sides_.begin(), sides_.end(), [&](const Side& s) {
        return s.dimension == side.dimension && s.tile == side.tile;
      });
      cuts_.push_back(static_cast<std::uint32_t>(known - sides_.begin()));
      if (known == sides_.end()) sides_.push_back(side);
    }
  }
}

FoldedWeights::Cut FoldedWeights::cut(const Side& side, const ModelFeatures::Point& point) const noexcept {
  const double size = point.size[side.dimension];
  const double tiles = ceiling(size / side.tile);
  const double log_tiles = log2_of_whole(tiles);
  if (!side.in_blocks) return {side.weight * log_tiles, 1.0, 0.0};
  return {side.weight * (log_tiles + std::log2(side.tile / size)), tiles, log_tiles};
}

double FoldedWeights::score_of(const Waves& by, double loaded, double log_loaded) noexcept {
  const double waves = ceiling(loaded);
  const double log_waves = log2_of_whole(waves);
  const double last = waves > 1.0 ? log_waves - log_loaded : 0.0;
  return by.of_waves * log_waves + by.of_partial * std::min(log_loaded, 0.0) + by.of_last * last;
}

void FoldedWeights::score(const ModelFeatures::Point& point, std::span<double> scores) const noexcept {
  std::array<Cut, sides_max> known;
  const std::size_t tabulated = std::min(sides_.size(), sides_max);
  for (std::size_t s = 0; s < tabulated; ++s) known[s] = cut(sides_[s], point);
  const Loads loads = loads_of(point);
  for (std::size_t v = 0; v < scores.size(); ++v)
    scores[v] = score_by(point, loads, {known.data(), tabulated}, v);
}

double FoldedWeights::score(const ModelFeatures::Point& point, std::size_t variant) const noexcept {
  return score_by(point, loads_of(point), {}, variant);
}

FoldedWeights::Loads FoldedWeights::loads_of(const ModelFeatures::Point& point) const noexcept {
  Loads loads;
  for (std::size_t x = 0; x < point.numbers; ++x) loads.positive[x] = std::max(0.0, point.number[x]);
  if (rest_.empty()) return loads;
  for (const std::size_t d : rest_) loads.rest *= point.size[d];
  loads.log_rest = std::log2(loads.rest);
  return loads;
}

double FoldedWeights::score_by(const ModelFeatures::Point& point, const Loads& loads,
                               std::span<const Cut> known, std::size_t variant) const noexcept {
  const std::size_t numbers = point.numbers;
  const double* const row = rows_.data() + variant * stride_;
  double sum = row[0];
  if (of_cost_ != 0.0 && variant < point.log_cost.size()) sum += of_cost_ * double{point.log_cost[variant]};
  for (std::size_t x = 0; x < numbers; ++x)
    sum += row[1 + x] * point.number[x] + row[1 + numbers + x] * loads.positive[x];
  for (std::size_t l = 0; l < point.labels; ++l) sum += row[1 + 2 * numbers + l] * point.label[l];
  if (cuts_each_ == 0) return sum;
  double blocks = 1.0;
  double log_blocks = 0.0;
  for (std::size_t c = 0; c < cuts_each_; ++c) {
    const std::uint32_t side = cuts_[variant * cuts_each_ + c];
    const Cut here = side < known.size() ? known[side] : cut(sides_[side], point);
    sum += here.score;
    blocks *= here.tiles;
    log_blocks += here.log_tiles;
  }
  const double log_loaded = log_blocks - log_multiprocessors_;
  sum += score_of(waves_of_blocks_, blocks / multiprocessors_, log_loaded);
  if (!rest_.empty())
    sum += score_of(waves_of_all_, blocks * loads.rest / multiprocessors_, log_loaded + loads.log_rest);
  return sum;
}

double FoldedWeights::common(const ModelFeatures::Point& point) const noexcept {
  const double* w = common_.data();
  double sum = *w++;
  for (const double x : point.centred()) sum += *w++ * x;
  for (const double x : point.centred())
    for (const double knot : ModelFeatures::knots) sum += *w++ * std::max(0.0, x - knot);
  for (const double l : point.labelled()) sum += *w++ * l;
  return sum;
}

}  // namespace adaptive::core
