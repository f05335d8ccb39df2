// The folder in which the libraries of Hugging Face keep files that they have downloaded.
//
//   models--ORG--NAME/refs/main                  the commit that the branch had
//   models--ORG--NAME/snapshots/COMMIT/config.json
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace adaptive::inline v1::cli {

/// Whether the text has the form "ORG/NAME" of an id, which may be followed by "@REVISION". The path of a
/// JSON file is not an id.
bool is_hub_id(std::string_view text);

/// The cache by the rules of huggingface_hub: HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, $HF_HOME/hub,
/// $XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub. Empty if none of these variables is set.
std::filesystem::path hub_cache();

/// The config.json of a model in the cache: of the revision, else of the branch main, else of the snapshot
/// that was changed last. The oldest models have ids without an organisation ("gpt2"). Nothing if the model
/// was not downloaded.
std::optional<std::filesystem::path> config_in_hub_cache(const std::string& id);

}  // namespace adaptive::cli
