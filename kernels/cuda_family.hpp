#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/family.hpp"

// What a family on the GPU is. It differs from one on the host (family.hpp) in three ways: a launch goes to a
// stream and nobody waits for it; what a launch needs is made before it by prepare(); and the list of
// variants may grow, where a library tells its algorithms only shape by shape.
//
//   for (const cuda::Family* family : cuda::families()) {
//     auto problem = family->make_problem(shape, {.seed = 1});
//     for (std::size_t v : family->candidates(shape))
//       if (problem->prepare(v, stream) == LaunchStatus::ok) problem->launch(v, stream);
//   }
//
// This header needs no CUDA: without it, families() is empty.

struct CUstream_st;

namespace adaptive::kernels::cuda {

/// cudaStream_t, without its header. Of the device that is current, as everywhere here.
using Stream = ::CUstream_st*;

/// Operands and output of one shape on the device that was current when it was made. One thread at a time may
/// use a problem; different ones may be used at once, on different streams.
class Problem {
 public:
  virtual ~Problem() = default;
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;

  const Shape& shape() const noexcept { return shape_; }

  /// One line that tells everything needed to make this problem again.
  virtual std::string description() const = 0;

  /// Makes a variant ready for launches on this stream: what it needs on the host, the stream's workspace,
  /// and one launch, since the first one of a kernel loads its code. Allocates, waits for the stream,
  /// overwrites the output. Any status but `ok` leaves the output as it was.
  virtual LaunchStatus prepare(std::size_t variant, Stream stream) = 0;

  /// Enqueues the computation of the whole output. Never allocates, never waits. `unprepared` where prepare()
  /// was not called for the variant and the stream; any status but `ok` leaves the output as it was.
  virtual LaunchStatus launch(std::size_t variant, Stream stream) noexcept = 0;

  /// Enqueues filling the output with NaN.
  virtual void poison_output(Stream stream) noexcept = 0;

  /// A copy of the output as stored, for comparing variants of one numeric class. Waits for the stream.
  virtual std::vector<std::byte> output(Stream stream) const = 0;

  /// As kernels::Problem::max_error, but that the rounding of the output to its type is taken off first, and
  /// that the sample is compared where the output has more than 2^16 elements. The reference in double is
  /// computed on the device by a kernel of its own and kept. Waits for the stream.
  virtual double max_error(Stream stream) = 0;

  /// What max_error() may reach for a correct variant.
  virtual double tolerance() const noexcept = 0;

  /// Compulsory memory traffic of one launch in bytes: each operand read once, the output written once.
  virtual double bytes() const noexcept = 0;

  /// Floating-point operations of one launch; a multiply-add counts two.
  virtual double operations() const noexcept = 0;

 protected:
  explicit Problem(Shape shape) : shape_(std::move(shape)) {}

 private:
  Shape shape_;
};

struct ProblemOptions {
  std::uint64_t seed = 1;
  /// Launches take turns among so many equal copies of the weights that they exceed this: more than the cache
  /// holds, where launches are timed as in a model that has many layers. 0: one copy.
  std::size_t rotate_bytes = 0;
};

/// Alive for the whole process; every member may be called from any thread.
class Family {
 public:
  /// Beyond it no variant is added; find_or_add() and parse() answer nothing.
  static constexpr std::size_t variants_max = 2048;

  virtual ~Family();
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;

  const std::string& name() const noexcept { return name_; }
  const std::vector<Dimension>& dimensions() const noexcept { return dimensions_; }

  /// Only grows. Index 0 is the default: it supports every valid shape on every device.
  std::size_t variant_count() const noexcept { return count_.load(std::memory_order_acquire); }
  /// Below variant_count(). Never moves.
  const Variant& variant(std::size_t index) const noexcept {
    return *variants_[index].load(std::memory_order_relaxed);
  }
  std::optional<std::size_t> find_variant(std::string_view name) const noexcept;

  /// The variant of that name, made from the parameters that a table has for it where this process has not
  /// met it yet. Nothing where name or parameters are none of this family's.
  virtual std::optional<std::size_t> parse(
      std::string_view name, const std::vector<std::pair<std::string, Parameter>>& parameters) const = 0;

  /// The variants worth trying for a valid shape on the current device, best guess first; all of them support
  /// it. Not empty where there is a device. Asks the library once a shape.
  virtual std::vector<std::size_t> candidates(const Shape& shape) const = 0;

  /// Why a shape is no problem of this family, in words for its author; nothing where it is one.
  virtual std::optional<std::string> why_invalid(const Shape& shape) const = 0;

  /// A random problem, its data made on the device. Throws std::invalid_argument with why_invalid(),
  /// std::runtime_error where the device refuses.
  virtual std::unique_ptr<Problem> make_problem(const Shape& shape, ProblemOptions options) const = 0;

  /// Gives back what prepare() made for a stream. Nothing may be launched on it meanwhile.
  virtual void release(Stream stream) const = 0;

  /// Small, ragged, odd shapes.
  virtual std::vector<Shape> test_shapes() const = 0;

  /// Shapes of real layers.
  virtual std::vector<Shape> bench_shapes() const = 0;

  /// Names and versions of the libraries that variants come from, for a fingerprint.
  virtual std::vector<std::pair<std::string, std::string>> libraries() const = 0;

  /// Whether a launch of `variant` with a valid shape would be `ok` here, once prepared.
  bool runs(std::size_t index, const Shape& shape) const {
    return index < variant_count() && variant(index).available() && variant(index).supports(shape);
  }

 protected:
  Family(std::string name, std::vector<Dimension> dimensions, std::vector<Variant> variants);

  /// Const since what a family is does not change with the variants that have been met so far.
  std::optional<std::size_t> find_or_add(Variant variant) const;

 private:
  std::string name_;
  std::vector<Dimension> dimensions_;
  mutable std::mutex growing_;
  mutable std::array<std::atomic<const Variant*>, variants_max> variants_{};
  mutable std::atomic<std::size_t> count_{0};
};

/// The families that run on GPUs, in a fixed order. None in a build without CUDA. Of the target
/// adaptive::kernels_cuda, as is all that calls it.
std::span<const Family* const> families();

/// Null where no family has the name.
inline const Family* find_family(std::string_view name) {
  for (const Family* family : families())
    if (family->name() == name) return family;
  return nullptr;
}

}  // namespace adaptive::kernels::cuda
