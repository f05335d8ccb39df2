#pragma once

#include <map>
#include <string>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1 {

/// What a measured latency depends on besides the key. Empty fields are unknown and match everything.
struct Fingerprint {
  std::string device = {};   ///< as the vendor names it, "NVIDIA H200"; compared after `normalised_device`
  std::string driver = {};   ///< "580.159.04"
  std::string toolkit = {};  ///< "13.0"
  /// Name and version of what the variants come from: {"cublaslt", "13.1.0"}.
  std::map<std::string, std::string> libraries = {};

  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

/// The processor this program runs on, with the instruction sets that decide which variants exist. Reads
/// /proc/cpuinfo once; thread-safe.
ADAPTIVE_EXPORT const Fingerprint& host_device();

/// The name of the folder of a device's tables: lower case, every run of other characters one `_`, marks such
/// as
/// "(R)" dropped, known aliases joined: "NVIDIA H200" and "NVIDIA_H200 141GB HBM3e" both give "nvidia_h200".
ADAPTIVE_EXPORT std::string normalised_device(const std::string& name);

}  // namespace adaptive
