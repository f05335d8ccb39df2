// Decides whether a table that was measured on one device is valid on another.
#pragma once

#include <cstdint>
#include <string>

#include <adaptive/device.hpp>

namespace adaptive::inline v1::core {

/// How far a table applies to a device. A field that is empty on either side matches everything: an old table
/// that names no driver can still be exact.
enum class Compatibility : std::uint8_t {
  /// The same device and, as far as latencies depend on it, the same software: the table holds measurements.
  exact,
  /// Another device of the same kind, or other software: the table suggests an order of the variants.
  prior,
  /// Another kind of processor, such as a CPU's table on a GPU: the table says nothing.
  unusable,
};

struct Judgement {
  Compatibility compatibility = Compatibility::exact;
  std::string reason = {};  ///< the first difference; empty if there is none
};

Judgement judge(const Fingerprint& table, const Fingerprint& device);

}  // namespace adaptive::core
