#include <adaptive/policy.hpp>

namespace adaptive::inline v1 {

void Policy::observe(KeyStatistics&, const Sample&) noexcept {}

std::optional<Expectation> Policy::expected(const KeyStatistics&, std::uint32_t) const noexcept {
  return std::nullopt;
}

bool Policy::fit_due() const noexcept {
  return false;
}

std::unique_ptr<Fit> Policy::start_fit(const KeyStatistics&) {
  return nullptr;
}

bool Policy::wants_expectations() const noexcept {
  return false;
}

void Policy::adopt(Fit&, const KeyStatistics&) noexcept {}

Unconsulted Policy::unconsulted(const KeyStatistics& key) const noexcept {
  return {key.leader(), key.settled ? 1.0 / 16 : 1.0};
}

}  // namespace adaptive
