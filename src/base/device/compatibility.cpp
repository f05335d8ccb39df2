#include "base/device/compatibility.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace adaptive::inline v1::core {
namespace {

bool agree(const std::string& a, const std::string& b) {
  return a.empty() || b.empty() || a == b;
}

// The first `numbers` components of a version: "13.0.88" cut to two is "13.0". Patch versions only fix
// faults. Kernels change with minor versions, and the compiler in a driver changes with the driver's branch.
std::string leading(const std::string& version, int numbers) {
  std::size_t end = 0;
  for (; numbers > 0 && end != std::string::npos; --numbers) end = version.find('.', end == 0 ? 0 : end + 1);
  return version.substr(0, end);
}

// Fields that describe the device and not its software must be exactly equal.
bool is_of_device(std::string_view library) {
  constexpr std::array<std::string_view, 3> names = {"compute_capability", "instruction_sets",
                                                     "multiprocessors"};
  for (const std::string_view name : names)
    if (library == name) return true;
  return false;
}

// Drivers reserve a varying share of the memory, so sizes are compared with a tolerance. A device with
// another size of memory is another device, often with another bandwidth.
bool same_memory(const std::string& a, const std::string& b) {
  constexpr double tolerance = 0.05;
  const double x = std::strtod(a.c_str(), nullptr);
  const double y = std::strtod(b.c_str(), nullptr);
  return std::abs(x - y) <= tolerance * std::max(x, y);
}

bool agree_on(const std::string& library, const std::string& a, const std::string& b) {
  if (is_of_device(library)) return agree(a, b);
  if (library == "memory_mib") return a.empty() || b.empty() || same_memory(a, b);
  return agree(leading(a, 2), leading(b, 2));
}

enum class Kind { unknown, cpu, gpu, tpu };

Kind kind_of(const Fingerprint& fingerprint) {
  if (fingerprint.libraries.contains("compute_capability")) return Kind::gpu;
  if (fingerprint.libraries.contains("instruction_sets")) return Kind::cpu;
  struct Maker {
    std::string_view prefix;
    Kind kind;
  };
  constexpr std::array<Maker, 9> makers = {{{"nvidia_", Kind::gpu},
                                            {"amd_instinct", Kind::gpu},
                                            {"amd_radeon", Kind::gpu},
                                            {"intel_xeon", Kind::cpu},
                                            {"intel_core", Kind::cpu},
                                            {"amd_epyc", Kind::cpu},
                                            {"amd_ryzen", Kind::cpu},
                                            {"neoverse", Kind::cpu},
                                            {"tpu_", Kind::tpu}}};
  const std::string name = normalised_device(fingerprint.device);
  for (const Maker& maker : makers)
    if (name.starts_with(maker.prefix)) return maker.kind;
  return Kind::unknown;
}

}  // namespace

Judgement judge(const Fingerprint& table, const Fingerprint& device) {
  const Kind kind = kind_of(table);
  const Kind own = kind_of(device);
  if (kind != Kind::unknown && own != Kind::unknown && kind != own)
    return {Compatibility::unusable, "another kind of processor, " + table.device};
  const auto prior = [](std::string reason) { return Judgement{Compatibility::prior, std::move(reason)}; };
  if (table.device.empty()) return prior("an unknown device");
  if (normalised_device(table.device) != normalised_device(device.device))
    return prior("another device, " + table.device);
  if (!agree(leading(table.driver, 1), leading(device.driver, 1))) return prior("driver " + table.driver);
  if (!agree(leading(table.toolkit, 2), leading(device.toolkit, 2))) return prior("toolkit " + table.toolkit);
  const auto differs = [&](const auto& library) {
    const auto at = device.libraries.find(library.first);
    return at != device.libraries.end() && !agree_on(library.first, library.second, at->second);
  };
  const auto other = std::find_if(table.libraries.begin(), table.libraries.end(), differs);
  if (other != table.libraries.end()) return prior(other->first + " " + other->second);
  return {};
}

}  // namespace adaptive::core
