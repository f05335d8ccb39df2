#include "cli/tune/input_files.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <string_view>

#include <adaptive/error.hpp>

#include "cli/json_fields.hpp"
#include "files/file_text.hpp"

namespace adaptive::inline v1::cli {
namespace {

Parameter parameter_of(const nlohmann::json& value, const std::string& where) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  throw Error(ErrorCode::corrupt, "is not a value of a parameter", where);
}

tuning::RoutedStep parse_step(std::string line, const std::string& where) {
  std::replace(line.begin(), line.end(), ',', ' ');
  std::replace(line.begin(), line.end(), '\t', ' ');
  tuning::RoutedStep step;
  const char* at = line.data();
  const char* const end = at + line.size();
  while (true) {
    while (at != end && (*at == ' ' || *at == '\r')) ++at;
    if (at == end) return step;
    std::int64_t rows = 0;
    const auto [next, error] = std::from_chars(at, end, rows);
    if (error != std::errc{} || rows < 0 || (next != end && *next != ' ' && *next != '\r'))
      throw Error(ErrorCode::corrupt, "is not a list of rows", where,
                  "write the rows of each expert, separated by commas");
    step.push_back(rows);
    at = next;
  }
}

}  // namespace

tuning::SearchSpace read_search_space(const std::filesystem::path& path) {
  const nlohmann::json json = parse_object(read_file(path), path.string());
  const JsonFields fields(json, path.string());
  for (const auto& [name, value] : json.items())
    if (name != "parameters" && name != "variants" && name != "candidates_max")
      throw Error(ErrorCode::corrupt, "is not a member of a search space", fields.where(name),
                  "known: parameters, variants, candidates_max");
  tuning::SearchSpace space;
  const JsonFields parameters = fields.object("parameters");
  for (const auto& [name, ignored] : parameters.json().items())
    for (const nlohmann::json& value : parameters.list(name.c_str()))
      space.parameters[name].push_back(parameter_of(value, parameters.where(name)));
  for (const nlohmann::json& name : fields.list("variants")) {
    if (!name.is_string())
      throw Error(ErrorCode::corrupt, "is not a list of names", fields.where("variants"));
    space.variants.push_back(name.get<std::string>());
  }
  space.candidates_max = static_cast<std::size_t>(fields.size("candidates_max"));
  return space;
}

std::vector<tuning::RoutedStep> read_routing(const std::filesystem::path& path) {
  std::istringstream file(table::read_text(path));
  std::vector<tuning::RoutedStep> steps;
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.starts_with('#')) continue;
    tuning::RoutedStep step = parse_step(line, path.string() + ":" + std::to_string(number));
    if (std::any_of(step.begin(), step.end(), [](std::int64_t rows) { return rows > 0; }))
      steps.push_back(std::move(step));
  }
  if (steps.empty())
    throw Error(ErrorCode::corrupt, "has no step with rows", path.string(),
                "write the rows of each expert of a step in one line");
  return steps;
}

}  // namespace adaptive::cli
