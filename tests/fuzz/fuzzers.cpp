#include "tests/fuzz/fuzzers.hpp"

#include <algorithm>
#include <array>

#include "tests/fuzz/imported_folder.hpp"

namespace adaptive::fuzz {
namespace {

struct Check {
  std::string_view name;
  void (*run)(const std::uint8_t* data, std::size_t size);
};
constexpr std::array checks = {Check{"key", check_key}, Check{"mapping", check_mapping},
                               Check{"table", check_table}, Check{"trace", check_trace}};

// The name of a fuzzer, and the system whose files it makes.
struct System {
  std::string_view fuzzer;
  std::string_view system;
};
constexpr std::array systems = {
    System{"flashinfer", "flashinfer"},  // both caches
    System{"hipblaslt", "hipblaslt"},    // lines of text
    System{"kernel_tuner", "kernel-tuner"},
    System{"ktt", "ktt"},
    System{"megablox", "megablox"},          // one file for each shape, whose name is the key
    System{"metal_marlin", "metal-marlin"},  // three levels
    System{"pytorch", "pytorch"},            // TunableOp, lines of text
    System{"sglang", "sglang"},              // folders by version, and the fork's grouped GEMM
    System{"t4", "t4"},
    System{"tensorrt_llm", "tensorrt-llm"},
    System{"tpu_inference", "tpu-inference"},  // both kernels: lists, objects, duplicate keys
    System{"triton", "triton"},                // one file for each key
    System{"vllm", "vllm"},                    // names with the shape and the device
};

}  // namespace

bool check(std::string_view name, const std::uint8_t* data, std::size_t size) {
  const auto plain =
      std::find_if(checks.begin(), checks.end(), [&](const Check& one) { return one.name == name; });
  if (plain != checks.end()) {
    plain->run(data, size);
    return true;
  }
  const auto imported =
      std::find_if(systems.begin(), systems.end(), [&](const System& one) { return one.fuzzer == name; });
  if (imported == systems.end()) return false;
  check_imported_folder(data, size, imported->system);
  return true;
}

}  // namespace adaptive::fuzz
