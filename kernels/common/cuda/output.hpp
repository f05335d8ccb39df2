#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/common/cuda/check.hpp"
#include "kernels/common/cuda/memory.hpp"
#include "kernels/cuda_family.hpp"

// What problems of every family on the GPU have alike.

namespace adaptive::kernels::cuda {

/// Elements of the output that are compared: all of them up to so many, else a random sample of that size and
/// the last one. Only `at` is filled in.
inline constexpr std::int64_t compared_max = std::int64_t{1} << 16;
std::vector<Expected> compared_places(std::int64_t elements, std::uint64_t seed);

/// The output of a problem, two bytes an element, and the sample of it in double that it is compared with.
/// One thread at a time may use it. Errors of CUDA are thrown as std::runtime_error.
class Output {
 public:
  Output() = default;
  /// `type`: of the operands.
  Output(std::int64_t elements, Element type);

  void* data() const noexcept { return data_.data(); }
  std::int64_t elements() const noexcept { return elements_; }
  std::size_t bytes() const noexcept { return data_.size(); }

  /// Enqueues filling it with NaN. A failure shows in what is enqueued next.
  void poison(Stream stream) noexcept;

  /// Waits for the stream.
  std::vector<std::byte> copy(Stream stream) const;

  bool has_reference() const noexcept { return expected_.size() > 0; }
  /// Value and magnitude are known.
  void set_reference(const std::vector<Expected>& expected, Stream stream);
  /// They are computed from rows of k of x and w. Both wait for the stream.
  void set_reference(const std::vector<Expected>& places, const void* x, const void* w, std::int64_t k,
                     Stream stream);

  /// As Problem::max_error; has_reference() is required unless there are no elements.
  double max_error(Stream stream);

 private:
  std::int64_t elements_ = 0;
  Element type_ = Element::bfloat16;
  DeviceBuffer<std::byte> data_;
  DeviceBuffer<Expected> expected_;
  DeviceBuffer<Difference> difference_;
};

/// "family name=value … seed=… copies=…": Problem::description where the shape says it all.
std::string describe(const Family& family, const Shape& shape, const ProblemOptions& options,
                     std::size_t copies);

/// Bytes from one copy of an operand to the next, so that each is aligned as the first.
constexpr std::size_t copy_stride(std::size_t bytes) {
  return (bytes + 255) / 256 * 256;
}

/// How many copies take turns where a launch reads `read` bytes of one and all of them may take `bytes_max`
/// (ProblemOptions::rotate_bytes). Four at least: a cache does not forget in the order in which it was
/// filled, and of two copies that each exceed it a launch still finds a part, a larger one where other
/// kernels ran between.
std::size_t copies_in_turn(std::size_t rotate_bytes, std::size_t read, std::size_t bytes_of_copy,
                           std::size_t bytes_max = std::size_t{24} << 30);

}  // namespace adaptive::kernels::cuda
