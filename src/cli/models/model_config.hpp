// Reads the config.json of a model.
#pragma once

#include <string>
#include <string_view>

#include "tuning/model.hpp"

namespace adaptive::inline v1::cli {

/// Reads a config.json as Hugging Face's transformers write it. Models name their sizes differently; a size
/// that the layers need and that no known field has is an error that names the fields, and so is a list whose
/// layers differ. In addition the file may have "projections": a list of {"name", "out", "in", "split":
/// "out"|"in"|"none", "expert": false, "bits": ["4"]}, in place of the sizes. Throws `Error` with the file
/// and a JSON pointer.
tuning::Model parse_model(std::string_view text, const std::string& source);

}  // namespace adaptive::cli
