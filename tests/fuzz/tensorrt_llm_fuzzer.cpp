// Fuzzes caches of TensorRT-LLM's autotuner.
#include "tests/fuzz/imported_folder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  adaptive::fuzz::check_imported_folder(data, size, "tensorrt-llm");
  return 0;
}
