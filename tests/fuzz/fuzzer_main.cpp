// A program of libFuzzer: the check that ADAPTIVE_FUZZER names.
#include "tests/fuzz/fuzzers.hpp"
#include "tests/fuzz/require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  REQUIRE(adaptive::fuzz::check(ADAPTIVE_FUZZER, data, size));
  return 0;
}
