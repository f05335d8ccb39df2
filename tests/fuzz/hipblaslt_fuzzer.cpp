// Fuzzes tuning files of hipBLASLt, which are lines of text.
#include "tests/fuzz/imported_folder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  adaptive::fuzz::check_imported_folder(data, size, "hipblaslt");
  return 0;
}
