// The C interface: the launch path.
#include <cstddef>
#include <cstdint>
#include <utility>

#include <adaptive/detail/export.hpp>
#include <adaptive/detail/key_table.hpp>
#include <adaptive/latency.hpp>
#include "c/handles.hpp"

namespace adaptive::inline v1::c {
namespace {

// A key whose values stay in registers, as in C++ with a number of values that is known when it is compiled.
// A loop over the values would write the key to memory and read it back, which takes four times as long
// as the look-up.
template <std::size_t... I>
ADAPTIVE_HOT Decision select_sized(Operation& operation, const std::int64_t* key,
                                   std::index_sequence<I...>) noexcept {
  return operation.select(Key(detail::opaque(key[I])...));
}

template <std::size_t... Smaller>
ADAPTIVE_HOT Decision select_any(Operation& operation, const std::int64_t* key, std::size_t size,
                                 std::index_sequence<Smaller...>) noexcept {
  Decision decision;
  const bool known =
      ((size == Smaller + 1 &&
        (decision = select_sized(operation, key, std::make_index_sequence<Smaller + 1>()), true)) ||
       ...);
  return known ? decision : operation.select(key_of(key, size));
}

}  // namespace
}  // namespace adaptive::c

using adaptive::c::from_c;
using adaptive::c::key_of;
using adaptive::c::operation_of;
using adaptive::c::to_c;

adaptive_decision adaptive_operation_select(adaptive_operation* operation, const std::int64_t* key,
                                            std::size_t size) noexcept {
  return to_c(adaptive::c::select_any(operation_of(operation), key, size,
                                      std::make_index_sequence<adaptive::Key::capacity>()));
}

void adaptive_operation_record(adaptive_operation* operation, adaptive_decision decision,
                               double latency_ns) noexcept {
  operation_of(operation).record(from_c(decision), adaptive::Latency(latency_ns));
}

void adaptive_operation_record_key(adaptive_operation* operation, const std::int64_t* key, std::size_t size,
                                   std::uint32_t variant, double latency_ns) noexcept {
  operation_of(operation).record(key_of(key, size), variant, adaptive::Latency(latency_ns));
}

void adaptive_operation_fail(adaptive_operation* operation, adaptive_decision decision) noexcept {
  operation_of(operation).fail(from_c(decision));
}

adaptive_pin adaptive_operation_pin(adaptive_operation* operation, const std::int64_t* key,
                                    std::size_t size) noexcept {
  return to_c(operation_of(operation).pin(key_of(key, size)));
}

bool adaptive_pin_stale(adaptive_pin pin) noexcept {
  return from_c(pin).stale();
}

adaptive_decision adaptive_pin_decision(adaptive_pin pin) noexcept {
  return to_c(from_c(pin).decision());
}

adaptive_decision adaptive_site_select(const adaptive_site* site) noexcept {
  return to_c(site->site.select());
}

adaptive_pin adaptive_site_pin(const adaptive_site* site) noexcept {
  return to_c(site->site.pin());
}
