// Asks selectors at their sockets, as `adaptive top` does.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <adaptive/adaptive.hpp>
#include "tests/selector/support.hpp"
#include "watch/socket/client.hpp"

namespace adaptive::test {

/// An answer that does not come fails the test after this time.
constexpr std::chrono::seconds answer_wait_max{60};

inline SelectorOptions listening(const std::filesystem::path& folder) {
  SelectorOptions result = options();
  result.socket = {.listen = true, .folder = folder};
  return result;
}

inline nlohmann::json ask(watch::Client& client, std::string_view request) {
  return nlohmann::json::parse(client.ask(request, answer_wait_max));
}

/// Asks the one selector of the folder.
inline nlohmann::json ask(const std::filesystem::path& folder, std::string_view request) {
  watch::Client client(watch::find_sockets({folder}).at(0));
  return ask(client, request);
}

}  // namespace adaptive::test
