// Each case is written twice: once correctly, which must compile, and once as a misuse, which must not.
#if defined(FORWARD_DECLARES) && MISUSE
namespace adaptive {
class Selector;  // not the library's class, which is in an inline namespace
}
#else
#include <adaptive/forward.hpp>
#endif

adaptive::Selector* mentioned = nullptr;

#include <adaptive/adaptive.hpp>

#if defined(FORWARD_DECLARES)

adaptive::Mode mode_of() {
  return mentioned->mode();
}

#elif defined(SELECTS_WITHOUT_BRACES)

adaptive::Decision choose(adaptive::Operation& operation) {
#if MISUSE
  return operation.select(7);
#else
  return operation.select({7});
#endif
}

#elif defined(DISCARDS_A_DECISION)

void launch(adaptive::Operation& operation) {
#if MISUSE
  operation.select({7, 8});
#else
  operation.record(operation.select({7, 8}), adaptive::Latency(1.0));
#endif
}

#elif defined(THROWS_WITHOUT_A_CODE)

void refuse() {
#if MISUSE
  throw adaptive::Error("is no number", "--tokens");
#else
  throw adaptive::Error(adaptive::ErrorCode::invalid_argument, "is no number", "--tokens");
#endif
}

#else
#error "no such case"
#endif
