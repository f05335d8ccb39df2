#include "prior/table_proof.hpp"

#include <algorithm>
#include <vector>

namespace adaptive::inline v1::core {

std::optional<SeedVariant> proven_faster(const SeedEntry& entry, std::span<const std::uint32_t> candidates,
                                         const Proof& proof) {
  std::vector<table::Measured> variants;
  variants.reserve(entry.variants.size());
  std::optional<std::size_t> incumbent;
  for (const SeedVariant& v : entry.variants) {
    if (v.variant == entry.incumbent) incumbent = variants.size();
    const bool is_candidate = std::find(candidates.begin(), candidates.end(), v.variant) != candidates.end();
    variants.push_back({.count = v.count,
                        .compared_ns = v.compared_ns(),
                        .mean_ns = v.mean_ns,
                        .variance_ns2 = v.variance_ns2,
                        .eligible = is_candidate && v.failures == 0});
  }
  if (!incumbent) return std::nullopt;
  const auto faster = table::proven_faster(variants, *incumbent, proof,
                                           entry.trusted ? trusted_deviation : foreign_deviation);
  return faster ? std::optional(entry.variants[*faster]) : std::nullopt;
}

}  // namespace adaptive::core
