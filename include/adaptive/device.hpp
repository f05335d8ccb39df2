#pragma once

#include <map>
#include <string>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1 {

/// Describes what a measured latency depends on besides the key. An empty field is unknown and matches every
/// value.
struct Fingerprint {
  std::string device = {};   ///< the vendor's name, "NVIDIA H200"; compared after `normalised_device`
  std::string driver = {};   ///< "580.159.04"
  std::string toolkit = {};  ///< "13.0"
  /// Name and version of each library that variants come from: {"cublaslt", "13.1.0"}.
  std::map<std::string, std::string> libraries = {};

  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

/// The processor that this program runs on, with the instruction sets that decide which variants exist. Reads
/// /proc/cpuinfo at the first call. Thread-safe; the reference stays valid until the process ends.
ADAPTIVE_EXPORT const Fingerprint& host_device();

/// The name of the folder that holds a device's tables. Letters become lower case, every run of characters
/// other than letters and digits becomes one `_`, marks such as "(R)" are dropped, and known aliases become
/// one name: "NVIDIA H200" and "NVIDIA_H200 141GB HBM3e" both give "nvidia_h200". Thread-safe.
ADAPTIVE_EXPORT std::string normalised_device(const std::string& name);

}  // namespace adaptive
