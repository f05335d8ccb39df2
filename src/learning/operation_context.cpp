#include "learning/operation_context.hpp"

#include <adaptive/error.hpp>

namespace adaptive::inline v1::core {

std::unique_ptr<Policy> OperationContext::new_policy() const {
  std::unique_ptr<Policy> policy = selector.policy();
  if (policy == nullptr) throw Error(ErrorCode::failed, "the policy factory returned nothing", name);
  return policy;
}

void OperationContext::log_once(Trouble trouble, LogLevel level, std::string_view line,
                                std::string_view detail) noexcept {
  const unsigned bit = 1u << static_cast<unsigned>(trouble);
  if ((logged_.fetch_or(bit, std::memory_order_relaxed) & bit) != 0) return;
  try {
    selector.say(level, name + ": " + std::string(line) + std::string(detail));
  } catch (...) {
    // Out of memory: the line is lost, but the counter has counted the trouble.
  }
}

}  // namespace adaptive::core
