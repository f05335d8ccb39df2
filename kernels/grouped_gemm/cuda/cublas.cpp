#include "kernels/grouped_gemm/cuda/cublas.hpp"

#include <stdexcept>
#include <string>

namespace adaptive::kernels::grouped_gemm {
namespace {

template <class T>
cuda::DeviceBuffer<T> on_device(const std::vector<T>& values) {
  cuda::DeviceBuffer<T> buffer(values.size());
  cuda::check(cudaMemcpy(buffer.data(), values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice),
              "pointers of groups");
  return buffer;
}

}  // namespace

CublasHandle::CublasHandle() {
  const cublasStatus_t status = cublasCreate(&handle_);
  if (status != CUBLAS_STATUS_SUCCESS)
    throw std::runtime_error(std::string("cublasCreate: ") + cublasGetStatusString(status));
}

CublasHandle::~CublasHandle() {
  cublasDestroy(handle_);
}

CublasGroups::CublasGroups(const DeviceOperands& operands, const std::vector<std::int64_t>& rows_of)
    : type_(operands.type == cuda::Element::float16 ? CUDA_R_16F : CUDA_R_16BF) {
  std::vector<const void*> w, x;
  std::vector<void*> y;
  std::int64_t row = 0;
  const std::int64_t n = operands.n;
  const std::int64_t k = operands.k;
  for (std::size_t expert = 0; expert < rows_of.size(); ++expert) {
    if (rows_of[expert] == 0) continue;
    w.push_back(static_cast<const std::byte*>(operands.w) +
                static_cast<std::int64_t>(expert) * n * k * element_bytes);
    x.push_back(static_cast<const std::byte*>(operands.x) + row * k * element_bytes);
    y.push_back(static_cast<std::byte*>(operands.y) + row * n * element_bytes);
    rows_.push_back(static_cast<int>(rows_of[expert]));
    row += rows_of[expert];
  }
  const std::size_t groups = rows_.size();
  transposed_.assign(groups, CUBLAS_OP_T);
  plain_.assign(groups, CUBLAS_OP_N);
  n_.assign(groups, operands.n);
  k_.assign(groups, operands.k);
  one_each_.assign(groups, 1);
  ones_.assign(groups, 1.0f);
  zeros_.assign(groups, 0.0f);
  w_ = on_device(w);
  x_ = on_device(x);
  y_ = on_device(y);
}

cublasStatus_t CublasGroups::launch(cublasHandle_t handle, void* workspace, std::size_t workspace_bytes,
                                    cudaStream_t stream) const noexcept {
  if (const cublasStatus_t status = cublasSetStream(handle, stream); status != CUBLAS_STATUS_SUCCESS)
    return status;
  if (const cublasStatus_t status = cublasSetWorkspace(handle, workspace, workspace_bytes);
      status != CUBLAS_STATUS_SUCCESS)
    return status;
#if CUBLAS_VERSION >= 120500
  // The library is column-major: y^T [n, rows] = W [n, k] * x^T [k, rows], where W as stored is its
  // transpose.
  return cublasGemmGroupedBatchedEx(handle, transposed_.data(), plain_.data(), n_.data(), rows_.data(),
                                    k_.data(), ones_.data(), w_.data(), type_, k_.data(), x_.data(), type_,
                                    k_.data(), zeros_.data(), y_.data(), type_, n_.data(),
                                    static_cast<int>(rows_.size()), one_each_.data(), CUBLAS_COMPUTE_32F);
#else
  return CUBLAS_STATUS_NOT_SUPPORTED;
#endif
}

}  // namespace adaptive::kernels::grouped_gemm
