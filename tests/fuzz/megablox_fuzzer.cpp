// Fuzzes Megablox's tuning caches: one file for each shape, whose name is the key.
#include "tests/fuzz/imported_folder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  adaptive::fuzz::check_imported_folder(data, size, "megablox");
  return 0;
}
