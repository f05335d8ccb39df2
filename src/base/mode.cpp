#include <adaptive/mode.hpp>

namespace adaptive::inline v1 {

std::string_view to_string(Mode mode) noexcept {
  switch (mode) {
    case Mode::off:
      return "off";
    case Mode::seed:
      return "seed";
    case Mode::observe:
      return "observe";
    case Mode::online:
      return "online";
    case Mode::frozen:
      return "frozen";
  }
  return "online";
}

}  // namespace adaptive
