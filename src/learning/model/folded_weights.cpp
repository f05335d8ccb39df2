#include "learning/model/folded_weights.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace adaptive::inline v1::core {
namespace {

constexpr std::size_t tabulated_max = 1024;

// Base 2. Most numbers of waves are small, and a logarithm takes longer than the rest of a score.
double log2_of_whole(double number) noexcept {
  static const auto table = [] {
    std::array<double, tabulated_max> logs{};
    for (std::size_t i = 1; i < tabulated_max; ++i) logs[i] = std::log2(static_cast<double>(i));
    return logs;
  }();
  return number < static_cast<double>(tabulated_max) ? table[static_cast<std::size_t>(number)]
                                                     : std::log2(number);
}

}  // namespace

// In the order of `ModelFeatures::emit`.
FoldedWeights::FoldedWeights(const ModelFeatures& features, const Eigen::VectorXd& weights)
    : variants_(features.variants()), multiprocessors_(features.multiprocessors_) {
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
  const double tiles = std::ceil(size / side.tile);
  const double log_tiles = log2_of_whole(tiles);
  if (!side.in_blocks) return {side.weight * log_tiles, 1.0, 0.0};
  return {side.weight * (log_tiles + std::log2(side.tile / size)), tiles, log_tiles};
}

double FoldedWeights::score(const Waves& by, double loaded, double log_loaded) noexcept {
  const double waves = std::ceil(loaded);
  const double log_waves = log2_of_whole(waves);
  const double last = waves > 1.0 ? log_waves - log_loaded : 0.0;
  return by.of_waves * log_waves + by.of_partial * std::min(log_loaded, 0.0) + by.of_last * last;
}

void FoldedWeights::score(const ModelFeatures::Point& point, std::span<double> scores) const noexcept {
  const std::span<const double> numbers = point.centred();
  const std::span<const double> labels = point.labelled();
  std::array<double, Key::capacity> positive;
  for (std::size_t x = 0; x < numbers.size(); ++x) positive[x] = std::max(0.0, numbers[x]);
  for (std::size_t v = 0; v < scores.size(); ++v) {
    const double* const row = rows_.data() + v * stride_;
    double sum = row[0];
    const double* const second = row + 1 + numbers.size();
    for (std::size_t x = 0; x < numbers.size(); ++x)
      sum += row[1 + x] * numbers[x] + second[x] * positive[x];
    const double* const third = second + numbers.size();
    for (std::size_t l = 0; l < labels.size(); ++l) sum += third[l] * labels[l];
    scores[v] = sum;
  }
  if (cuts_each_ == 0) return;
  std::array<Cut, sides_max> known;
  const std::size_t tabulated = std::min(sides_.size(), sides_max);
  for (std::size_t s = 0; s < tabulated; ++s) known[s] = cut(sides_[s], point);
  double rest = 1.0;
  for (const std::size_t d : rest_) rest *= point.size[d];
  const double log_rest = rest == 1.0 ? 0.0 : std::log2(rest);
  const double log_multiprocessors = std::log2(multiprocessors_);
  for (std::size_t v = 0; v < scores.size(); ++v) {
    double blocks = 1.0;
    double log_blocks = 0.0;
    for (std::size_t c = 0; c < cuts_each_; ++c) {
      const std::uint32_t side = cuts_[v * cuts_each_ + c];
      const Cut here = side < tabulated ? known[side] : cut(sides_[side], point);
      scores[v] += here.score;
      blocks *= here.tiles;
      log_blocks += here.log_tiles;
    }
    const double log_loaded = log_blocks - log_multiprocessors;
    scores[v] += score(waves_of_blocks_, blocks / multiprocessors_, log_loaded) +
                 score(waves_of_all_, blocks * rest / multiprocessors_, log_loaded + log_rest);
  }
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
