#include "tuning/bench/pruned_bench.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "tuning/trial_log.hpp"

namespace adaptive::inline v1::tuning {
namespace {

// `*` matches any text, including none.
bool matches(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (text.substr(0, star) != pattern.substr(0, star)) return false;
  pattern.remove_prefix(star + 1);
  text.remove_prefix(star);
  for (std::size_t skipped = 0; skipped <= text.size(); ++skipped)
    if (matches(pattern, text.substr(skipped))) return true;
  return false;
}

}  // namespace

bool SearchSpace::has(const Candidate& candidate) const {
  const bool named = variants.empty() || std::any_of(variants.begin(), variants.end(), [&](const auto& name) {
                       return matches(name, candidate.name);
                     });
  return named && std::all_of(parameters.begin(), parameters.end(), [&](const auto& allowed) {
           const auto at = candidate.parameters.find(allowed.first);
           return at == candidate.parameters.end() ||
                  std::find(allowed.second.begin(), allowed.second.end(), at->second) != allowed.second.end();
         });
}

bool SearchSpace::admits(const Candidate& candidate, const Candidate& the_default) const {
  if (candidate == the_default) return true;
  return has(candidate) && candidate.memory <= memory_limit &&
         (mix_numeric_classes || candidate.numeric_class == the_default.numeric_class);
}

UnusedSpace::UnusedSpace(const SearchSpace& space) : space_(space) {
  for (const std::string& name : space.variants) unused_.insert("variant " + name);
  for (const auto& [parameter, values] : space.parameters) {
    unused_.insert("parameter " + parameter);
    for (const Parameter& value : values) unused_.insert(to_string({{parameter, value}}));
  }
}

void UnusedSpace::see(const std::vector<Candidate>& candidates) {
  const std::lock_guard lock(mutex_);
  has_seen_ = true;
  for (const Candidate& candidate : candidates) {
    for (const std::string& name : space_.variants)
      if (matches(name, candidate.name)) unused_.erase("variant " + name);
    for (const auto& [parameter, value] : candidate.parameters) {
      unused_.erase("parameter " + parameter);
      unused_.erase(to_string({{parameter, value}}));
    }
  }
}

std::vector<std::string> UnusedSpace::names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  if (!has_seen_) return names;
  for (const std::string& name : unused_) {
    const bool is_value_of_unused = unused_.contains("parameter " + name.substr(0, name.find('=')));
    if (!is_value_of_unused) names.push_back(name);
  }
  return names;
}

MemoryDominance::MemoryDominance(std::vector<kernels::Dimension> dimensions)
    : dimensions_(std::move(dimensions)) {}

void MemoryDominance::ran_out(const std::string& variant, const kernels::Shape& shape) {
  const std::lock_guard lock(mutex_);
  shapes_[variant].push_back(shape);
}

std::optional<kernels::Shape> MemoryDominance::dominated_by(const std::string& variant,
                                                            const kernels::Shape& shape) const {
  const std::lock_guard lock(mutex_);
  const auto at = shapes_.find(variant);
  if (at == shapes_.end()) return std::nullopt;
  for (const kernels::Shape& smaller : at->second)
    if (is_as_large(shape, smaller)) return smaller;
  return std::nullopt;
}

bool MemoryDominance::is_as_large(const kernels::Shape& shape, const kernels::Shape& than) const {
  for (std::size_t i = 0; i < dimensions_.size(); ++i) {
    const bool is_size = dimensions_[i].kind == kernels::Dimension::Kind::size;
    if (is_size ? shape[i] < than[i] : shape[i] != than[i]) return false;
  }
  return true;
}

std::vector<Candidate> admitted(const std::vector<Candidate>& all, const SearchSpace& space) {
  std::vector<Candidate> found;
  for (std::size_t c = 0; c < all.size(); ++c) {
    if (!space.admits(all[c], all.front())) continue;
    if (c != 0 && space.candidates_max != 0 && found.size() >= space.candidates_max) break;
    found.push_back(all[c]);
  }
  return found;
}

PrunedBench::PrunedBench(std::unique_ptr<Bench> bench, kernels::Shape shape, const SearchSpace& space,
                         const MemoryDominance& memory)
    : bench_(std::move(bench)), shape_(std::move(shape)), memory_(memory) {
  const std::vector<Candidate>& all = bench_->candidates();
  candidates_ = admitted(all, space);
  for (std::size_t c = 0, found = 0; c < all.size() && found < candidates_.size(); ++c)
    if (all[c] == candidates_[found]) {
      indices_.push_back(c);
      ++found;
    }
}

Trial PrunedBench::check(std::size_t candidate) {
  if (memory_.dominated_by(candidates_[candidate].name, shape_))
    return {.status = TrialStatus::out_of_memory,
            .detail = "not tried, because it ran out of memory at a smaller shape"};
  return bench_->check(indices_[candidate]);
}

std::vector<Trial> PrunedBench::round(const Round& round) {
  Round inner{.phase = round.phase, .index = round.index};
  for (const std::size_t candidate : round.order) inner.order.push_back(indices_[candidate]);
  return bench_->round(inner);
}

}  // namespace adaptive::tuning
