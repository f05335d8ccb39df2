#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/family.hpp"

// The interface of a kernel family on the GPU. It differs from the interface of a family on the host
// (family.hpp) in three ways: launches are enqueued on a stream and do not wait; prepare() creates in advance
// what a launch needs; and the list of variants may grow, because a library reveals its algorithms only shape
// by shape.
//
//   for (const cuda::Family* family : cuda::families()) {
//     auto problem = family->make_problem(shape, {.seed = 1});
//     for (std::size_t v : family->candidates(shape))
//       if (problem->prepare(v, stream) == LaunchStatus::ok) problem->launch(v, stream);
//   }
//
// This header needs no CUDA. In a build without CUDA, families() is empty.

struct CUstream_st;

namespace adaptive::kernels::cuda {

/// cudaStream_t without CUDA's header. The stream belongs to the current device, as everywhere in this
/// header.
using Stream = ::CUstream_st*;

/// While an object lives, launches of its thread use what has been prepared for `stream`, on whatever stream
/// they are enqueued: for a launch that is captured on a stream of its own and later replayed on `stream`, as
/// the bodies of `adaptive::cuda::TrackedGraph` are. Objects may be nested.
class PreparedFor {
 public:
  explicit PreparedFor(Stream stream) noexcept;
  PreparedFor(const PreparedFor&) = delete;
  PreparedFor& operator=(const PreparedFor&) = delete;
  ~PreparedFor();
  /// The stream for which launches on `stream` are prepared.
  static Stream of(Stream stream) noexcept;

 private:
  Stream stream_;
  const PreparedFor* outer_;
};

/// Operands and output of one shape on the device that was current at construction. Only one thread at a time
/// may use a problem. Different problems may be used at the same time on different streams.
class Problem {
 public:
  virtual ~Problem() = default;
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;

  const Shape& shape() const noexcept { return shape_; }

  /// One line with everything that is needed to create this problem again.
  virtual std::string description() const = 0;

  /// Prepares a variant for launches on this stream: the host data that it needs, the stream's workspace, and
  /// a first launch, which loads the kernel's code. Allocates, waits for the stream, and overwrites the
  /// output. Any status other than `ok` leaves the output unchanged.
  virtual LaunchStatus prepare(std::size_t variant, Stream stream) = 0;

  /// Enqueues the computation of the whole output. Never allocates or waits. Returns `unprepared` if
  /// prepare() was not called for the variant and the stream. Any status other than `ok` leaves the output
  /// unchanged.
  virtual LaunchStatus launch(std::size_t variant, Stream stream) noexcept = 0;

  /// Enqueues filling the output with NaN.
  virtual void poison_output(Stream stream) noexcept = 0;

  /// A copy of the output as stored, for the comparison of variants of one numeric class. Waits for the
  /// stream.
  virtual std::vector<std::byte> output(Stream stream) const = 0;

  /// Like kernels::Problem::max_error, except that the rounding of the output to its type is subtracted
  /// first, and that a sample is compared if the output has more than 2^16 elements. A separate kernel
  /// computes the reference in double on the device, and the reference is kept. Waits for the stream.
  virtual double max_error(Stream stream) = 0;

  /// Upper limit of max_error() for a correct variant.
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
  /// Launches use equal copies of the weights in turn; the number of copies makes their total size exceed
  /// this many bytes. With more bytes than the cache holds, launches are timed as in a model with many
  /// layers. 0: one copy.
  std::size_t rotate_bytes = 0;
  /// A problem of the same family whose activations and weights the new one uses in place of its own, so that
  /// a program can serve any number of tokens with one copy of a model. The shapes may differ in the number
  /// of rows, of which this problem has at least as many, and in how a router distributes them. `seed` and
  /// `rotate_bytes` are then those of this problem, which the new one does not need any more once it is made.
  /// Problems that share operands must not be used at the same time. A family that cannot share them throws
  /// std::invalid_argument.
  const Problem* operands_of = nullptr;
  /// Whether a launch may begin while the kernel before it in the stream still runs (programmatic dependent
  /// launch), where a variant can. That kernel may write what a launch reads, except its weights. A captured
  /// launch that does so cannot be changed, nor timed within replays (docs/cuda.md), so it is not the
  /// default.
  bool overlaps = false;
};

/// The problem from which `options` take operands, as the family's own type; null if there is none. Throws
/// std::invalid_argument if it is of another family, if its shape differs from `shape` in another value than
/// those in `may_differ`, or if it has fewer rows (the first value of a shape).
template <class FamilyProblem>
const FamilyProblem* lender_of(const ProblemOptions& options, const Shape& shape,
                               std::initializer_list<std::size_t> may_differ) {
  if (options.operands_of == nullptr) return nullptr;
  const auto* lender = dynamic_cast<const FamilyProblem*>(options.operands_of);
  bool fits = lender != nullptr && lender->shape().size() == shape.size() && lender->shape()[0] >= shape[0];
  for (std::size_t i = 1; fits && i < shape.size(); ++i)
    fits = lender->shape()[i] == shape[i] ||
           std::find(may_differ.begin(), may_differ.end(), i) != may_differ.end();
  if (!fits) throw std::invalid_argument("the problem cannot lend its operands to one of this shape");
  return lender;
}

/// A family lives for the whole process. Every member is thread-safe.
class Family {
 public:
  /// Maximum number of variants. Beyond it find_or_add() and parse() return nothing.
  static constexpr std::size_t variants_max = 2048;

  virtual ~Family();
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;

  const std::string& name() const noexcept { return name_; }
  const std::vector<Dimension>& dimensions() const noexcept { return dimensions_; }

  /// The number of variants, which only grows. Index 0 is the default: it supports every valid shape on every
  /// device.
  std::size_t variant_count() const noexcept { return count_.load(std::memory_order_acquire); }
  /// `index` must be below variant_count(). A variant never moves.
  const Variant& variant(std::size_t index) const noexcept {
    return *variants_[index].load(std::memory_order_relaxed);
  }
  std::optional<std::size_t> find_variant(std::string_view name) const noexcept;

  /// The variant with this name. If this process has not met it yet, it is created from the parameters that a
  /// table has for it. Nothing if name or parameters do not belong to this family.
  virtual std::optional<std::size_t> parse(
      std::string_view name, const std::vector<std::pair<std::string, Parameter>>& parameters) const = 0;

  /// The variants worth trying for a valid shape on the current device, best guess first; all of them support
  /// the shape. Not empty if there is a device. Asks the library once for each shape.
  virtual std::vector<std::size_t> candidates(const Shape& shape) const = 0;

  /// Explains why this family has no problem of this shape; nothing if the shape is valid.
  virtual std::optional<std::string> why_invalid(const Shape& shape) const = 0;

  /// Creates a random problem with its data on the device. Throws std::invalid_argument with why_invalid(),
  /// and std::runtime_error if the device fails.
  virtual std::unique_ptr<Problem> make_problem(const Shape& shape, ProblemOptions options) const = 0;

  /// Releases what prepare() has created for a stream. Nothing may be launched on the stream meanwhile.
  virtual void release(Stream stream) const = 0;

  /// Small shapes, including ragged and odd ones.
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

  /// Const, because the variants that have been met so far are not part of a family's identity.
  std::optional<std::size_t> find_or_add(Variant variant) const;

 private:
  std::string name_;
  std::vector<Dimension> dimensions_;
  mutable std::mutex growing_;
  mutable std::array<std::atomic<const Variant*>, variants_max> variants_{};
  mutable std::atomic<std::size_t> count_{0};
};

/// The families that run on GPUs, in a fixed order; empty in a build without CUDA. Defined in the target
/// adaptive::kernels_cuda, like all its callers.
std::span<const Family* const> families();

/// Null if no family has this name.
inline const Family* find_family(std::string_view name) {
  for (const Family* family : families())
    if (family->name() == name) return family;
  return nullptr;
}

}  // namespace adaptive::kernels::cuda
