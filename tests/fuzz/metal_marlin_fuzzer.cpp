// Fuzzes Metal Marlin's tables, which have three levels.
#include "tests/fuzz/imported_folder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  adaptive::fuzz::check_imported_folder(data, size, "metal-marlin");
  return 0;
}
