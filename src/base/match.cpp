#include <adaptive/match.hpp>

namespace adaptive::inline v1 {

std::string_view to_string(MatchKind kind) noexcept {
  switch (kind) {
    case MatchKind::exact:
      return "exact";
    case MatchKind::nearest:
      return "nearest";
    case MatchKind::predicted:
      return "predicted";
    case MatchKind::fallback:
      break;
  }
  return "default";
}

}  // namespace adaptive
