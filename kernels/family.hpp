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

// What a kernel family is: one operation, its problems, its reference and its interchangeable variants.
//
// Tuner, demo, tests and benchmarks iterate over families() and know none by name:
//
//   for (const Family* family : families()) {
//     std::unique_ptr<Problem> problem = family->make_problem(family->bench_shapes().front(), /*seed=*/1);
//     for (std::size_t v = 0; v < family->variants().size(); ++v)
//       if (family->runs(v, problem->shape())) problem->launch(v);
//   }
//
// A new family is a folder here and one line in family.cpp.

namespace adaptive::kernels {

/// One coordinate of a shape.
struct Dimension {
  enum class Kind {
    size,       ///< a count; costs scale with its ratio, so neighbours are near in log scale
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
  /// Whether this processor has the instructions. Constant within a process.
  std::function<bool()> available;
  /// Whether a problem of this valid shape can be launched, on a processor where it is available.
  std::function<bool(const Shape&)> supports;
};

enum class LaunchStatus {
  ok,
  unknown_variant,  ///< the index is not below Family::variants().size()
  unavailable,      ///< Variant::available() is false
  unsupported,      ///< Variant::supports(shape) is false
  failed,           ///< the device reported an error (no CPU variant does)
  unprepared,       ///< on a GPU: the variant or the stream was not prepared (no CPU variant needs it)
};

/// Operands, output and scratch of one shape. One thread at a time may use a problem; different problems,
/// of the same family or not, may be launched at the same time from different threads.
class Problem {
 public:
  virtual ~Problem() = default;
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;

  const Shape& shape() const noexcept { return shape_; }

  /// One line that tells everything needed to make this problem again.
  virtual std::string description() const = 0;

  /// Computes the output, overwriting it whole. Never allocates: scratch was made with the problem.
  /// Any status but `ok` leaves the output as it was.
  virtual LaunchStatus launch(std::size_t variant) noexcept = 0;

  /// Fills the output with NaN, so that what a launch leaves unwritten shows in max_error().
  virtual void poison_output() noexcept = 0;

  /// The output as stored, for comparing variants of one numeric class.
  virtual std::span<const std::byte> output() const noexcept = 0;

  /// The largest error of the output against the reference in double, each element relative to the sum of
  /// the magnitudes of its terms (so cancellation is not held against a variant). Infinite where any element
  /// is not finite. Every element is scanned for that; where the whole reference would take more than
  /// 2^26 multiply-adds, a fixed sample of the elements is compared. Allocates; the reference is kept.
  virtual double max_error() = 0;

  /// What max_error() may reach for a correct variant: float32 rounding of a sum of this length.
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

/// Immutable and alive for the whole process; every member may be called from any thread.
class Family {
 public:
  virtual ~Family() = default;
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;

  const std::string& name() const noexcept { return name_; }
  const std::vector<Dimension>& dimensions() const noexcept { return dimensions_; }

  /// Index 0 is the default: it is available everywhere and supports every valid shape.
  const std::vector<Variant>& variants() const noexcept { return variants_; }

  /// Why a shape is no problem of this family, in words for its author; nothing where it is one.
  virtual std::optional<std::string> why_invalid(const Shape& shape) const = 0;

  /// A random problem, the same for the same arguments on every machine. Takes time and memory of the order
  /// of the operands. Throws std::invalid_argument with why_invalid(), std::bad_alloc.
  virtual std::unique_ptr<Problem> make_problem(const Shape& shape, std::uint64_t seed) const = 0;

  /// Small, ragged, odd and degenerate shapes; each takes well under a millisecond.
  virtual std::vector<Shape> test_shapes() const = 0;

  /// Shapes of real layers, over which no single variant is best.
  virtual std::vector<Shape> bench_shapes() const = 0;

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

/// Null where no family has the name.
const Family* find_family(std::string_view name);

/// "tokens=1 out_features=4096 in_features=4096 bits=2+4": for tables, logs and test names.
std::string to_string(const std::vector<Dimension>& dimensions, const Shape& shape);
std::string to_string(const Family& family, const Shape& shape);

/// What a family checks first: the number of values, no negative size, labels in range, no empty set.
std::optional<std::string> why_out_of_range(const std::vector<Dimension>& dimensions, const Shape& shape);

}  // namespace adaptive::kernels
