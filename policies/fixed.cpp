#include "fixed.hpp"

namespace adaptive::inline v1::policies {

Choice Fixed::choose(const KeyStatistics& key, Random&) noexcept {
  return {key.incumbent, true};
}

Unconsulted Fixed::unconsulted(const KeyStatistics& key) const noexcept {
  return {key.incumbent, options_.consulted};
}

}  // namespace adaptive::policies
