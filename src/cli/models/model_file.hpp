// Finds models: presets, or the config.json that comes with the weights. Both have the format that
// model_config.hpp reads.
#pragma once

#include <filesystem>
#include <string>
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

/// `name` is a preset, a file, a folder with a config.json, or the id of a model that is in the cache of
/// Hugging Face. Throws `Error`; for an unknown name the error lists the known presets, or tells how to fetch
/// the file.
tuning::Model find_model(const std::string& name);

}  // namespace adaptive::cli
