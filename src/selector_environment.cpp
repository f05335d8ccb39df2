// ADAPTIVE_MODE and ADAPTIVE_VARIANT: what whoever runs the program may override.
#include <array>
#include <cstdlib>
#include <string>
#include <utility>

#include "selector.hpp"

namespace adaptive {

void Selector::Impl::read_environment() {
  constexpr std::array<std::pair<std::string_view, Mode>, 5> modes{{{"off", Mode::off},
                                                                    {"seed", Mode::seed},
                                                                    {"observe", Mode::observe},
                                                                    {"online", Mode::online},
                                                                    {"frozen", Mode::frozen}}};
  if (const char* text = std::getenv("ADAPTIVE_MODE"); text != nullptr && *text != '\0') {
    bool known = false;
    for (const auto& [name, mode] : modes)
      if (name == text) {
        shared.mode = mode;
        known = true;
      }
    if (!known)
      shared.say(LogLevel::warning, "ADAPTIVE_MODE=" + std::string(text) +
                                        " is ignored: known are off, seed, observe, online, frozen");
  }
  if (const char* text = std::getenv("ADAPTIVE_VARIANT"); text != nullptr && *text != '\0') {
    const std::string value = text;
    const std::size_t equals = value.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == value.size()) {
      shared.say(LogLevel::warning, "ADAPTIVE_VARIANT=" + value + " is ignored: it reads operation=variant");
    } else {
      forced_operation = value.substr(0, equals);
      forced_variant = value.substr(equals + 1);
    }
  }
}

void Selector::Impl::force_from_environment(Operation& operation) {
  if (forced_operation.empty() || forced_operation != operation.name()) return;
  try {
    forced.push_back(operation.force(forced_variant));
    shared.say(LogLevel::info, operation.name() + ": ADAPTIVE_VARIANT forces " + forced_variant);
  } catch (const Error& error) {
    shared.say(LogLevel::warning, std::string("ADAPTIVE_VARIANT is ignored: ") + error.what());
  }
}

}  // namespace adaptive
