// Fuzzes both kernels of tpu-inference: lists, objects, duplicate keys.
#include "tests/fuzz/imported_folder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  adaptive::fuzz::check_imported_folder(data, size, "tpu-inference");
  return 0;
}
