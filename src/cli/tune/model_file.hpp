// Reads models from files: presets, or the config.json that comes with the weights. Both have the same
// format.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tuning/model.hpp"

namespace adaptive::inline v1::cli {

/// The folders in `ADAPTIVE_MODELS`, separated by `:`, including folders that do not exist.
std::vector<std::filesystem::path> own_model_folders();

/// The folders with presets, highest priority first: the folders in `ADAPTIVE_MODELS`, then those that were
/// installed with the tool.
std::vector<std::filesystem::path> model_folders();

/// Sorted names of presets; a file "llama-7b.json" is the preset llama-7b.
std::vector<std::string> preset_names();

/// `name` is the name of a preset, a file, or a folder with a config.json. Throws `Error`; for an unknown
/// name the error lists the known presets.
tuning::Model find_model(const std::string& name);

/// Reads a config.json as Hugging Face's transformers write it. In addition it may have "projections": a list
/// of {"name", "out", "in", "split": "out"|"in"|"none", "expert": false, "bits": ["4"]}. Throws `Error` with
/// the file and a JSON pointer.
tuning::Model parse_model(std::string_view text, const std::string& source);

}  // namespace adaptive::cli
