#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

// The interface of a kernel family: one operation, its problems, its reference and its interchangeable
// variants.
//
// The tuner, the demo, the tests and the benchmarks iterate over families() and know no family by name:
//
//   for (const Family* family : families()) {
//     std::unique_ptr<Problem> problem = family->make_problem(family->bench_shapes().front(), /*seed=*/1);
//     for (std::size_t v = 0; v < family->variants().size(); ++v)
//       if (family->runs(v, problem->shape())) problem->launch(v);
//   }
//
// A new family is a new folder in this folder and one line in family.cpp.

namespace adaptive::kernels {

/// One coordinate of a shape.
struct Dimension {
  enum class Kind {
    size,       ///< a count; costs scale with its ratio, so values are compared on a logarithmic scale
    linear,     ///< a number whose differences matter, not its ratios
    label,      ///< one of `labels`; the value is its index
    label_set,  ///< any non-empty subset of `labels`; the value is a bit mask, bit i for labels[i]
  };
  std::string name;
  Kind kind = Kind::size;
  std::vector<std::string> labels{};  ///< label and label_set only; at most 63
};

/// The values of one problem, in the order of Family::dimensions().
using Shape = std::vector<std::int64_t>;

using Parameter = std::variant<std::int64_t, double, bool, std::string>;

/// One implementation with its parameters. Immutable; usable from any thread.
struct Variant {
  std::string name;
  std::vector<std::pair<std::string, Parameter>> parameters;
  /// Variants of one class give bit-identical outputs for the same problem, on the same processor.
  std::string numeric_class;
  /// Whether this processor has the required instructions. Constant within a process.
  std::function<bool()> available;
  /// Whether a problem of this valid shape can be launched, on a processor where the variant is available.
  std::function<bool(const Shape&)> supports;
  /// Bytes that a problem of this valid shape needs for the variant besides the operands: workspaces, copies
  /// of weights in another order. Empty: none.
  std::function<std::uint64_t(const Shape&)> memory = {};
  /// A launch calls a library that may allocate memory and start threads of its own.
  bool launch_allocates = false;
};

enum class LaunchStatus {
  ok,
  unknown_variant,  ///< the index is not below Family::variants().size()
  unavailable,      ///< Variant::available() is false
  unsupported,      ///< Variant::supports(shape) is false
  failed,           ///< the device reported an error (no CPU variant does)
  unprepared,  ///< on a GPU: the variant or the stream was not prepared (CPU variants need no preparation)
};

/// Operands, output and scratch memory of one shape. Only one thread at a time may use a problem. Different
/// problems, of the same family or not, may be launched at the same time from different threads.
class Problem {
 public:
  virtual ~Problem() = default;
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;

  const Shape& shape() const noexcept { return shape_; }

  /// One line with everything that is needed to create this problem again.
  virtual std::string description() const = 0;

  /// Computes and overwrites the whole output. Never allocates, except as Variant::launch_allocates says:
  /// scratch memory was allocated with the problem. Any status other than `ok` leaves the output unchanged.
  virtual LaunchStatus launch(std::size_t variant) noexcept = 0;

  /// Fills the output with NaN, so that max_error() shows what a launch has not written.
  virtual void poison_output() noexcept = 0;

  /// The output as stored, for comparing variants of one numeric class.
  virtual std::span<const std::byte> output() const noexcept = 0;

  /// The largest error of the output against the reference in double. The error of each element is relative
  /// to the sum of the magnitudes of its terms, so that cancellation does not count against a variant.
  /// Infinite if any element is not finite; all elements are checked for that. If the whole reference would
  /// take more than 2^26 multiply-adds, only a fixed sample of the elements is compared. Allocates; the
  /// reference is kept.
  virtual double max_error() = 0;

  /// Upper limit of max_error() for a correct variant: the float32 rounding errors of a sum of this length.
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

/// A family is immutable and lives for the whole process. Every member is thread-safe.
class Family {
 public:
  virtual ~Family() = default;
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;

  const std::string& name() const noexcept { return name_; }
  const std::vector<Dimension>& dimensions() const noexcept { return dimensions_; }

  /// Index 0 is the default: it is available everywhere and supports every valid shape.
  const std::vector<Variant>& variants() const noexcept { return variants_; }

  /// Explains why this family has no problem of this shape; nothing if the shape is valid.
  virtual std::optional<std::string> why_invalid(const Shape& shape) const = 0;

  /// Creates a random problem, the same for the same arguments on every machine. Takes time and memory
  /// proportional to the operands. Throws std::invalid_argument with why_invalid(), and std::bad_alloc.
  virtual std::unique_ptr<Problem> make_problem(const Shape& shape, std::uint64_t seed) const = 0;

  /// Small shapes, including ragged, odd and degenerate ones; each takes much less than a millisecond.
  virtual std::vector<Shape> test_shapes() const = 0;

  /// Shapes of real layers; no single variant is the best for all of them.
  virtual std::vector<Shape> bench_shapes() const = 0;

  /// Names and versions of the libraries that variants come from, for a fingerprint. Loads them.
  virtual std::vector<std::pair<std::string, std::string>> libraries() const { return {}; }

  /// Whether a launch of `variant` with a valid shape would be `ok` here.
  bool runs(std::size_t variant, const Shape& shape) const {
    return variant < variants_.size() && variants_[variant].available() && variants_[variant].supports(shape);
  }

 protected:
  Family(std::string name, std::vector<Dimension> dimensions, std::vector<Variant> variants)
      : name_(std::move(name)), dimensions_(std::move(dimensions)), variants_(std::move(variants)) {}

 private:
  std::string name_;
  std::vector<Dimension> dimensions_;
  std::vector<Variant> variants_;
};

/// The families that run on the host, in a fixed order.
std::span<const Family* const> families();

/// Null if no family has this name.
const Family* find_family(std::string_view name);

/// "tokens=1 out_features=4096 in_features=4096 bits=2+4": for tables, logs and test names.
std::string to_string(const std::vector<Dimension>& dimensions, const Shape& shape);
std::string to_string(const Family& family, const Shape& shape);

/// The checks common to all families: the number of values, no negative size, labels in range, no empty set.
std::optional<std::string> why_out_of_range(const std::vector<Dimension>& dimensions, const Shape& shape);

}  // namespace adaptive::kernels
