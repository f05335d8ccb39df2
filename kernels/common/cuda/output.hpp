#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/common/cuda/check.hpp"
#include "kernels/common/cuda/memory.hpp"
#include "kernels/cuda_family.hpp"

// The common parts of problems of all families on the GPU.

namespace adaptive::kernels::cuda {

/// The elements of the output that are compared: all of them if there are at most this many, otherwise a
/// random sample of this size and the last element. Only `at` is set.
inline constexpr std::int64_t compared_max = std::int64_t{1} << 16;
std::vector<Expected> compared_places(std::int64_t elements, std::uint64_t seed);

/// The output of a problem, with two bytes per element, and the sample in double with which it is compared.
/// Only one thread at a time may use it. CUDA errors are thrown as std::runtime_error.
class Output {
 public:
  Output() = default;
  /// `type` is the type of the operands.
  Output(std::int64_t elements, Element type);

  void* data() const noexcept { return data_.data(); }
  std::int64_t elements() const noexcept { return elements_; }
  std::size_t bytes() const noexcept { return data_.size(); }

  /// Enqueues filling the output with NaN. If this fails, the next enqueued call reports the error.
  void poison(Stream stream) noexcept;

  /// Copies the output to the host. Waits for the stream.
  std::vector<std::byte> copy(Stream stream) const;

  bool has_reference() const noexcept { return expected_.size() > 0; }
  /// Sets a reference whose values and magnitudes are known. Waits for the stream.
  void set_reference(const std::vector<Expected>& expected, Stream stream);
  /// Sets a reference that is computed from rows of x and w with k elements. Waits for the stream.
  void set_reference(const std::vector<Expected>& places, const void* x, const void* w, std::int64_t k,
                     Stream stream);

  /// See Problem::max_error. Requires has_reference() unless the output is empty.
  double max_error(Stream stream);

 private:
  std::int64_t elements_ = 0;
  Element type_ = Element::bfloat16;
  DeviceBuffer<std::byte> data_;
  DeviceBuffer<Expected> expected_;
  DeviceBuffer<Difference> difference_;
};

/// Returns "family name=value … seed=… copies=…", the Problem::description of a problem that its shape
/// determines.
std::string describe(const Family& family, const Shape& shape, const ProblemOptions& options,
                     std::size_t copies);

/// Bytes from one copy of an operand to the next, so that all copies are aligned like the first.
constexpr std::size_t copy_stride(std::size_t bytes) {
  return (bytes + 255) / 256 * 256;
}

/// Number of copies that launches use in turn, if a launch reads `read` bytes of one copy and all copies
/// together may take `bytes_max` (ProblemOptions::rotate_bytes). At least four: a cache does not evict in the
/// order in which it was filled, so with two copies that each exceed the cache a launch would still find a
/// part of its copy there, and a larger part if other kernels ran in between.
std::size_t copies_in_turn(std::size_t rotate_bytes, std::size_t read, std::size_t bytes_of_copy,
                           std::size_t bytes_max = std::size_t{24} << 30);

}  // namespace adaptive::kernels::cuda
