#include <adaptive/device.hpp>

#include <sys/utsname.h>

#include <array>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.hpp"

namespace adaptive::inline v1 {
namespace {

struct ProcessorInfo {
  std::string model;
  std::set<std::string> flags;
};

// The first processor represents all of them. If they differ, their latencies differ too, and no table can
// help.
ProcessorInfo read_processor_info() {
  ProcessorInfo info;
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line) && !core::trimmed(line).empty()) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string name(core::trimmed(std::string_view(line).substr(0, colon)));
    const std::string value(core::trimmed(std::string_view(line).substr(colon + 1)));
    if (name == "model name" && info.model.empty()) info.model = value;
    if (name == "flags" || name == "Features") {
      std::istringstream words(value);
      for (std::string word; words >> word;) info.flags.insert(word);
    }
  }
  return info;
}

std::string machine() {
  utsname names{};
  return ::uname(&names) == 0 ? names.machine : "";
}

// The instruction sets that kernels are written for: the name in /proc/cpuinfo and the name in a fingerprint.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> instruction_sets = {{
    {"sse4_2", "sse4.2"},
    {"avx", "avx"},
    {"fma", "fma"},
    {"avx2", "avx2"},
    {"avx512f", "avx512f"},
    {"avx512bw", "avx512bw"},
    {"avx512_vnni", "avx512vnni"},
    {"avx512_bf16", "avx512bf16"},
    {"amx_tile", "amx"},
    {"asimd", "neon"},
    {"sve", "sve"},
    {"sve2", "sve2"},
}};

Fingerprint make_host_device() {
  const ProcessorInfo info = read_processor_info();
  Fingerprint result;
  result.device = info.model.empty() ? machine() : info.model;
  std::string sets;
  for (const auto& [flag, name] : instruction_sets) {
    if (!info.flags.contains(std::string(flag))) continue;
    if (!sets.empty()) sets += '+';
    sets += name;
  }
  if (!sets.empty()) result.libraries.emplace("instruction_sets", sets);
  return result;
}

}  // namespace

const Fingerprint& host_device() {
  // Not destroyed, on purpose: selectors may outlive main.
  static const Fingerprint* const device = new Fingerprint(make_host_device());
  return *device;
}

}  // namespace adaptive
