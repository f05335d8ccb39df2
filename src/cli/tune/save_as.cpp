#include "cli/tune/save_as.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "cli/command.hpp"
#include "cli/tables/mapping_files.hpp"
#include "cli/tables/table_input.hpp"
#include "table/comparing/apply.hpp"
#include "table/merging/align.hpp"
#include "tuning/cuda_operation.hpp"

namespace adaptive::inline v1::cli {
namespace {

// The width of one expert on one device, and the experts of a token.
std::map<std::string, std::string> values_of_model(const tuning::ShapeRequest& request) {
  std::map<std::string, std::string> values;
  if (!request.model) return values;
  const tuning::Model& model = *request.model;
  const std::int64_t top_k =
      request.experts_per_token > 0 ? request.experts_per_token : model.experts_per_token;
  if (top_k > 0) values["top_k"] = std::to_string(top_k);
  const std::int64_t width = model.expert_width();
  if (width > 0)
    values["intermediate_size"] =
        std::to_string(width % request.tensor_parallel == 0 ? width / request.tensor_parallel : width);
  return values;
}

}  // namespace

std::optional<SaveAs> save_as(const TuneArguments& arguments, const tuning::ShapeRequest& shapes,
                              const std::string& operation) {
  if (arguments.save_as.empty()) return std::nullopt;
  if (arguments.no_tune) throw UsageError("--save-as needs winners, which --no-tune does not look for");
  SaveAs result{.format = arguments.save_as.front(), .output = arguments.save_as.back()};
  result.request.formats = formats_named(result.format, "--save-as");
  result.request.mappings = find_mappings({});
  // The documented names of these files do not have the number of experts.
  if (arguments.documented_names)
    for (table::formats::OperationMapping& declared : result.request.mappings)
      for (table::formats::Mapping& mapping : declared.mappings)
        if (mapping.to == "grouped_gemm_triton") mapping.key.erase("experts");
  result.request.values.given = named_values(arguments.save_with, "--save-with");
  result.request.values.given.merge(values_of_model(shapes));
  const std::string why = table::formats::why_unmappable(operation, result.request.mappings,
                                                         result.request.formats, result.request.values.given);
  if (!why.empty())
    throw UsageError("--save-as " + result.format + ": " + why +
                     (why.starts_with("needs ") ? "; give it with --save-with" : ""));
  return result;
}

table::Table known_after(const table::Table& before, const table::Table& found, const tuning::Target& target,
                         const std::vector<kernels::Shape>& shapes) {
  table::Table known;
  std::string why;
  if (const auto at = before.operations.find(target.name()); at != before.operations.end())
    if (auto own = table::aligned(at->second, tuning::dimensions_of(target.dimensions()), why)) {
      std::set<Key> wanted;
      for (const kernels::Shape& shape : shapes) wanted.insert(tuning::key_of(shape));
      std::erase_if(own->entries, [&](const auto& entry) { return !wanted.contains(entry.first); });
      known.fingerprint = before.fingerprint;
      known.operations.emplace(target.name(), *std::move(own));
    }
  table::apply(known, found, table::Known::replaced);
  return known;
}

}  // namespace adaptive::cli
