// The selectors of running processes, as the commands `top` and `mode` ask them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/json_output.hpp"
#include "watch/socket/client.hpp"

namespace adaptive::inline v1::cli {

/// "4711" or "4711.2": all selectors of a process, or one of them.
struct SelectorId {
  int process = 0;
  std::optional<int> selector = {};
};
/// Throws `UsageError`.
SelectorId parse_selector_id(const std::string& text);

/// The folders where `top` and `mode` look: `asked`, or that of `ADAPTIVE_SOCKET` and the user's own.
std::vector<std::filesystem::path> socket_folders(const std::filesystem::path& asked);

/// The sockets in the folders; with `ids`, those of them.
std::vector<watch::FoundSocket> find_selectors(const std::vector<std::filesystem::path>& folders,
                                               const std::vector<SelectorId>& ids);

/// The answer of a selector. One that does not answer is {"process", "selector", "error": {"code", "what"}}.
Json ask_selector(const watch::FoundSocket& socket, const Json& request);

}  // namespace adaptive::cli
