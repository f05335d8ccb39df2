// Code that must compile, and with MISUSE_OF the number of a case: the misuse of that case, which must not.
#if MISUSE_OF == 1
namespace adaptive {
class Selector;  // not the library's class, which is in an inline namespace
}
#else
#include <adaptive/forward.hpp>
#endif

adaptive::Selector* mentioned = nullptr;

#include <adaptive/adaptive.hpp>

adaptive::Mode mode_of() {
  return mentioned->mode();
}

adaptive::Decision choose(adaptive::Operation& operation) {
#if MISUSE_OF == 2
  return operation.select(7);
#else
  return operation.select({7});
#endif
}

void launch(adaptive::Operation& operation) {
#if MISUSE_OF == 3
  operation.select({7, 8});
#else
  operation.record(operation.select({7, 8}), adaptive::Latency(1.0));
#endif
}

void refuse() {
#if MISUSE_OF == 4
  throw adaptive::Error("is no number", "--tokens");
#else
  throw adaptive::Error(adaptive::ErrorCode::invalid_argument, "is no number", "--tokens");
#endif
}
