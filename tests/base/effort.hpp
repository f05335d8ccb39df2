// How much a test does.
#pragma once

namespace adaptive::test {

/// `usual`, or a part of it in a build with sanitizers: instrumented code takes many times as long, and what
/// sanitizers look for shows with fewer inputs.
constexpr int inputs(int usual, [[maybe_unused]] int part = 5) {
#ifdef ADAPTIVE_SANITIZED
  return usual / part;
#else
  return usual;
#endif
}

}  // namespace adaptive::test
