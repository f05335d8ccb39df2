#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/common/cuda_memory.hpp"
#include "kernels/common/cuda_output.hpp"
#include "kernels/cuda_family.hpp"
#include "kernels/dense_gemm/cuda/cublaslt.hpp"
#include "kernels/dense_gemm/cuda/kernels.hpp"

namespace adaptive::kernels::dense_gemm {

/// What a variant is: known from its name alone.
struct Method {
  enum class Kind { plain, skinny, cublaslt };
  Kind kind = Kind::plain;
  std::size_t skinny = 0;
  CublasLtConfig config = {};
};

std::optional<Method> parse_method(std::string_view name,
                                   const std::vector<std::pair<std::string, Parameter>>& parameters);

class DenseGemm final : public cuda::Problem {
 public:
  DenseGemm(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family);

  std::string description() const override;
  LaunchStatus prepare(std::size_t variant, cuda::Stream stream) override;
  LaunchStatus launch(std::size_t variant, cuda::Stream stream) noexcept override;
  void poison_output(cuda::Stream stream) noexcept override;
  std::vector<std::byte> output(cuda::Stream stream) const override;
  double max_error(cuda::Stream stream) override;
  double tolerance() const noexcept override;
  double bytes() const noexcept override;
  double operations() const noexcept override;

 private:
  struct Slot {
    std::optional<LaunchStatus> status;  // nothing: not prepared
    Method method;
    CheckedAlgorithm algorithm;
  };
  Operands operands(std::size_t copy) const noexcept;
  LaunchStatus make(std::size_t variant);
  LaunchStatus enqueue(const Slot& slot, cuda::Stream stream) noexcept;

  const cuda::Family& family_;
  Device& device_;
  Sizes sizes_;
  cuda::ProblemOptions options_;
  std::shared_ptr<Plan> plan_;
  std::size_t copies_ = 1;
  std::size_t turn_ = 0;
  std::size_t w_bytes_ = 0;  // of one copy, rounded up so that every copy is aligned alike
  cuda::DeviceBuffer<std::byte> x_, w_;
  cuda::Output y_;
  std::vector<std::unique_ptr<Slot>> slots_;  // as many as there can be variants: launch() allocates none
};

}  // namespace adaptive::kernels::dense_gemm
