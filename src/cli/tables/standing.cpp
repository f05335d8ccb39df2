#include "cli/tables/standing.hpp"

#include <vector>

#include <adaptive/learning.hpp>
#include "kernels/cuda_family.hpp"
#include "kernels/family.hpp"
#include "table/comparing/proof.hpp"

namespace adaptive::inline v1::cli {

Standing standing_of(const table::Entry& entry, const std::string& default_variant) {
  Standing standing;
  for (const auto& [name, record] : entry.variants) standing.measured += record.count > 0 ? 1 : 0;
  standing.incumbent = table::lasting_incumbent(entry);
  const auto incumbent = entry.variants.find(standing.incumbent);
  if (incumbent == entry.variants.end() || incumbent->second.count == 0) return standing;
  const double zone = LearningOptions().indifference;
  standing.confirmed = standing.measured > 1;
  for (const auto& [name, record] : entry.variants) {
    if (record.count == 0 || name == standing.incumbent) continue;
    const Rival rival{name, table::compare(incumbent->second, record)};
    // The smallest latency that this variant may still have.
    if (rival.comparison.change - rival.comparison.noise < -zone) standing.confirmed = false;
    if (name == default_variant) standing.of_default = rival;
    if (!standing.runner_up || rival.comparison.change < standing.runner_up->comparison.change)
      standing.runner_up = rival;
  }
  return standing;
}

std::string default_variant_of(const table::OperationTable& operation, const std::string& asked) {
  if (!asked.empty()) return asked;
  std::vector<std::string> possible;
  if (const kernels::Family* family = kernels::find_family(operation.name))
    possible.push_back(family->variants().front().name);
  if (const kernels::cuda::Family* family = kernels::cuda::find_family(operation.name))
    possible.push_back(family->variant(0).name);
  for (const std::string& name : possible)
    if (operation.variants.contains(name)) return name;
  return {};
}

}  // namespace adaptive::cli
