#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/common/cuda/memory.hpp"
#include "kernels/dense_gemm/cuda/kernels.hpp"
#include "kernels/dense_gemm/cuda/prepared_problem.hpp"

namespace adaptive::kernels::dense_gemm {

/// The kind of a variant, which its name alone determines.
struct Method {
  enum class Kind { plain, skinny, cublaslt };
  Kind kind = Kind::plain;
  std::size_t skinny = 0;
  CublasLtConfig config = {};
};

std::optional<Method> parse_method(std::string_view name,
                                   const std::vector<std::pair<std::string, Parameter>>& parameters);

/// What a variant needs for its launches.
struct Slot {
  LaunchStatus status = LaunchStatus::ok;
  Method method;
  CheckedAlgorithm algorithm;
};

class DenseGemm final : public PreparedProblem<Slot> {
 public:
  DenseGemm(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family);

  double tolerance() const noexcept override;
  double bytes() const noexcept override;
  double operations() const noexcept override;

 private:
  Operands operands(std::size_t copy) const noexcept;
  std::unique_ptr<Slot> make_slot(std::size_t variant) override;
  LaunchStatus enqueue(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept override;
  void set_reference(cuda::Stream stream) override;

  void fill();

  Sizes sizes_;
  std::shared_ptr<Plan> plan_;
  std::shared_ptr<const SharedOperands> storage_;
};

}  // namespace adaptive::kernels::dense_gemm
