#include "selector/seed_entry.hpp"

namespace adaptive::inline v1::table {

std::optional<core::SeedEntry> seed_of(
    const Key& key, const Entry& entry,
    const std::function<std::optional<std::uint32_t>(const std::string&)>& index_of) {
  core::SeedEntry seed;
  seed.key = key;
  if (const auto index = index_of(entry.incumbent)) seed.incumbent = *index;
  for (const auto& [name, record] : entry.variants) {
    if (record.count == 0 && record.failures == 0) continue;  // reset, or without a measurement
    if (const auto index = index_of(name))
      seed.variants.push_back({*index, record.count, record.location_ns, record.mean_ns, record.variance_ns2,
                               record.failures, record.failed_at});
  }
  if (seed.incumbent == core::SeedEntry::none && seed.variants.empty()) return std::nullopt;
  return seed;
}

}  // namespace adaptive::table
