// Models from files: a preset of ours, or the config.json that comes with the weights. Both are read alike.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tuning/model.hpp"

namespace adaptive::inline v1::cli {

/// The folders of `ADAPTIVE_MODELS`, separated by `:`, whether they exist or not.
std::vector<std::filesystem::path> own_model_folders();

/// Where presets are, the earlier first: the folders of `ADAPTIVE_MODELS` (separated by `:`), then those that
/// came with the tool.
std::vector<std::filesystem::path> model_folders();

/// Sorted; a file "llama-7b.json" is the preset llama-7b.
std::vector<std::string> preset_names();

/// A preset's name, a file, or a folder with a config.json. Throws `Error`; for an unknown name it tells the
/// known ones.
tuning::Model find_model(const std::string& name);

/// The members of a config.json as Hugging Face's transformers write them, and besides them "projections": a
/// list of {"name", "out", "in", "split": "out"|"in"|"none", "expert": false, "bits": ["4"]}. Throws `Error`
/// with the file and a JSON pointer.
tuning::Model parse_model(std::string_view text, const std::string& source);

}  // namespace adaptive::cli
