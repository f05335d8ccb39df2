#include "cli/watch/selectors.hpp"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "watch/socket/answers.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace fs = std::filesystem;

bool is_meant(const watch::SocketName& name, const SelectorId& id) {
  return name.process == id.process && (!id.selector || name.selector == *id.selector);
}

}  // namespace

SelectorId parse_selector_id(const std::string& text) {
  const std::vector<std::string> parts = core::split(text, '.');
  const int process = parts.empty() ? 0 : core::parse_number<int>(parts[0]).value_or(0);
  const int selector = parts.size() == 2 ? core::parse_number<int>(parts[1]).value_or(0) : 0;
  if (process <= 0 || parts.size() > 2 || (parts.size() == 2 && selector <= 0))
    throw UsageError(text + " is no process; write PID or PID.SELECTOR");
  SelectorId id{.process = process};
  if (parts.size() == 2) id.selector = selector;
  return id;
}

std::vector<fs::path> socket_folders(const fs::path& asked) {
  if (!asked.empty()) return {asked};
  std::vector<fs::path> folders = watch::user_socket_folders();
  const char* const variable = std::getenv("ADAPTIVE_SOCKET");
  const std::string_view named = variable == nullptr ? std::string_view() : core::trimmed(variable);
  if (!named.empty() && named != "0" && named != "1" &&
      std::find(folders.begin(), folders.end(), named) == folders.end())
    folders.emplace_back(named);
  return folders;
}

std::vector<watch::FoundSocket> find_selectors(const std::vector<fs::path>& folders,
                                               const std::vector<SelectorId>& ids) {
  std::vector<watch::FoundSocket> found = watch::find_sockets(folders);
  if (!ids.empty())
    std::erase_if(found, [&](const watch::FoundSocket& socket) {
      return std::none_of(ids.begin(), ids.end(),
                          [&](const SelectorId& id) { return is_meant(socket.name, id); });
    });
  return found;
}

Json ask_selector(const watch::FoundSocket& socket, const Json& request) {
  Json answer;
  try {
    Json line = {{"version", watch::protocol_version}};
    line.update(request);
    answer = Json::parse(watch::Client(socket).ask(line.dump(-1, ' ', false, Json::error_handler_t::replace)),
                         nullptr, false);
    if (!answer.is_object()) answer = {{"error", {{"code", "failed"}, {"what", "answers no JSON"}}}};
  } catch (const std::exception& error) {
    answer = {{"error", {{"code", "failed"}, {"what", error.what()}}}};
  }
  if (!answer.contains("error")) return answer;
  return {{"process", socket.name.process},
          {"selector", socket.name.selector},
          {"error", std::move(answer["error"])}};
}

}  // namespace adaptive::cli
