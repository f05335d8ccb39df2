// How far a table that was measured there may be believed here.
#pragma once

#include <cstdint>
#include <string>

#include <adaptive/device.hpp>

namespace adaptive::core {

/// What is unknown on either side matches everything: an old table without a driver is still this device's.
enum class Compatibility : std::uint8_t {
  /// The same device with the same software, as far as latencies depend on it: measurements.
  exact,
  /// Another device of the kind, or other software: guesses about the order of the variants.
  prior,
  /// Another kind of processor, a CPU's table for a GPU: its order says nothing.
  unusable,
};

struct Judgement {
  Compatibility compatibility = Compatibility::exact;
  std::string reason = {};  ///< what differs first; empty where nothing does
};

Judgement judge(const Fingerprint& table, const Fingerprint& device);

}  // namespace adaptive::core
