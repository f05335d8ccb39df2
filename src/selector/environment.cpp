// ADAPTIVE_MODE, ADAPTIVE_VARIANT, ADAPTIVE_AUDIT, ADAPTIVE_SOCKET and ADAPTIVE_RANK_CONSISTENT: the settings
// that a user of the program may override.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "selector/selector.hpp"
#include "selector/world.hpp"

namespace adaptive::inline v1 {
namespace {

// Empty if the variable is not set or is empty.
std::string variable(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? std::string() : std::string(core::trimmed(text));
}

// The operations that ADAPTIVE_VARIANT names and that a selector of this process has defined. In a program
// with a selector for each device, some selectors do not define every operation. Selectors may outlive
// `main`, so the set is never destroyed.
struct DefinedOperations {
  std::mutex mutex;
  std::set<std::string, std::less<>> names;
};

DefinedOperations& defined_operations() {
  static auto& all = *new DefinedOperations;
  return all;
}

void note_defined(const std::string& operation) {
  const std::lock_guard lock(defined_operations().mutex);
  defined_operations().names.insert(operation);
}

bool is_defined_somewhere(const std::string& operation) {
  const std::lock_guard lock(defined_operations().mutex);
  return defined_operations().names.contains(operation);
}

}  // namespace

void Selector::Impl::read_environment() {
  read_mode(variable("ADAPTIVE_MODE"));
  read_forced(variable("ADAPTIVE_VARIANT"));
  if (!options.rank_consistent) read_ranks(variable("ADAPTIVE_RANK_CONSISTENT"));
  if (options.audit.file.empty()) options.audit.file = variable("ADAPTIVE_AUDIT");
  if (!options.socket.listen) read_socket(variable("ADAPTIVE_SOCKET"));
}

void Selector::Impl::read_socket(const std::string& text) {
  if (text.empty() || text == "0") return;
  options.socket.listen = true;
  if (text != "1") options.socket.folder = text;
}

void Selector::Impl::read_mode(const std::string& text) {
  if (text.empty()) return;
  const std::string asked = core::ascii_lower(text);
  for (const Mode mode : {Mode::off, Mode::seed, Mode::observe, Mode::online, Mode::frozen})
    if (to_string(mode) == asked) {
      context.mode = mode;
      return;
    }
  context.say(LogLevel::warning,
              "ADAPTIVE_MODE=" + text + " is ignored; write off, seed, observe, online or frozen");
}

void Selector::Impl::read_ranks(const std::string& text) {
  const std::string asked = core::ascii_lower(text);
  if (asked == "1" || asked == "0") {
    context.rank_consistent = asked == "1";
    return;
  }
  if (!asked.empty())
    context.say(LogLevel::warning, "ADAPTIVE_RANK_CONSISTENT=" + text + " is ignored; write 0 or 1");
  const std::optional<World> world = world_of_environment();
  if (!world || world->size == 1) return;
  context.rank_consistent = true;
  context.say(LogLevel::info, "one of " + std::to_string(world->size) + " ranks (" + world->variable +
                                  "): tables alone decide what runs, and nothing is explored; "
                                  "ADAPTIVE_RANK_CONSISTENT=0 if the processes are independent");
}

void Selector::Impl::read_forced(const std::string& text) {
  if (text.empty()) return;
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    context.say(LogLevel::warning, "ADAPTIVE_VARIANT=" + text + " is ignored; write operation=variant");
    return;
  }
  forced_operation = core::trimmed(std::string_view(text).substr(0, equals));
  forced_variant = core::trimmed(std::string_view(text).substr(equals + 1));
}

void Selector::Impl::force_from_environment(Operation& operation) {
  if (forced_operation.empty() || forced_operation != operation.name()) return;
  note_defined(forced_operation);
  try {
    forced.push_back(operation.force(forced_variant));
    context.say(LogLevel::info, operation.name() + ": ADAPTIVE_VARIANT forces " + forced_variant);
  } catch (const Error& error) {
    context.say(LogLevel::warning, std::string("ADAPTIVE_VARIANT is ignored: ") + error.what());
  }
}

void Selector::Impl::tell_unused_force() const noexcept {
  if (forced_operation.empty() || is_defined_somewhere(forced_operation)) return;
  try {
    std::vector<std::string> names;
    {
      const std::lock_guard lock(mutex);
      for (const auto& [name, operation] : operations) names.push_back(name);
    }
    // A selector without operations has nothing to force.
    if (names.empty() || told_unused_force.exchange(true)) return;
    context.say(LogLevel::warning, "ADAPTIVE_VARIANT=" + forced_operation + "=" + forced_variant +
                                       " has had no effect: there is no operation " + forced_operation +
                                       "; known: " + core::joined(names));
  } catch (...) {
    // Out of memory: the program will have worse errors to report.
  }
}

}  // namespace adaptive
