// Fuzzes configurations of SGLang, in folders by version, and of its fork's grouped GEMM.
#include "tests/fuzz/imported_folder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  adaptive::fuzz::check_imported_folder(data, size, "sglang");
  return 0;
}
