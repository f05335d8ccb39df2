#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/common/buffer.hpp"
#include "kernels/common/cpu/host_reference.hpp"
#include "kernels/family.hpp"
#include "kernels/grouped_gemm/operands.hpp"

namespace adaptive::kernels::grouped_gemm {

/// The values of a shape by name.
struct Sizes {
  std::int64_t tokens, n, k, experts, filled;
  Type type;
  explicit Sizes(const Shape& shape)
      : tokens(shape[0]),
        n(shape[1]),
        k(shape[2]),
        experts(shape[3]),
        filled(shape[4]),
        type(static_cast<Type>(shape[5])) {}
};

/// Random operands on the host and their reference.
class Data {
 public:
  Data(const Shape& shape, std::uint64_t seed);

  const Operands& operands() const noexcept { return operands_; }
  std::string description() const;
  void poison_output() noexcept;
  std::span<const std::byte> output() const noexcept;
  double max_error();
  double tolerance() const noexcept;
  double bytes() const noexcept;
  double operations() const noexcept;

 private:
  void make_groups(std::uint64_t seed);
  /// All elements, or a fixed sample; computed at the first call.
  const std::vector<Expected>& reference();
  Expected expected_at(std::int64_t row, std::int64_t column) const;

  Sizes sizes_;
  std::uint64_t seed_;
  std::vector<Group> groups_;
  std::vector<std::int64_t> expert_of_row_;
  Buffer<float> x_float_, w_float_, y_;
  Buffer<std::uint16_t> x_bfloat_, w_bfloat_;
  Operands operands_{};
  std::optional<std::vector<Expected>> reference_;
};

}  // namespace adaptive::kernels::grouped_gemm
