#include <blis.h>

#include <memory>
#include <string>

#include "kernels/dense_gemm/cpu/libraries.hpp"
#include "kernels/dense_gemm/cpu/shared_library.hpp"

namespace adaptive::kernels::dense_gemm {
namespace {

struct Blis {
  std::string version;
  decltype(bli_sgemm_ex)* sgemm = nullptr;
};

const Blis& loaded_blis() {
  static const Blis api = [] {
    Blis found;
    const SharedLibrary library(ADAPTIVE_BLIS);
    decltype(bli_info_get_version_str)* version = nullptr;
    if (library.find("bli_sgemm_ex", found.sgemm) && library.find("bli_info_get_version_str", version))
      found.version = version();
    return found;
  }();
  return api;
}

class BlisProduct final : public LibraryProduct {
 public:
  BlisProduct(const Operands& operands, int threads) : operands_(operands), threads_(threads) {}

  void run() noexcept override {
    // The number of threads belongs to the call, unlike that of the library's BLAS interface.
    rntm_t runtime;
    bli_rntm_init(&runtime);
    bli_rntm_set_num_threads(threads_, &runtime);
    float one = 1, zero = 0;
    // The library's interface lacks const; it does not write to its operands.
    auto* x = const_cast<float*>(static_cast<const float*>(operands_.x));
    auto* w = const_cast<float*>(static_cast<const float*>(operands_.w));
    loaded_blis().sgemm(BLIS_NO_TRANSPOSE, BLIS_NO_TRANSPOSE, operands_.tokens, operands_.n, operands_.k,
                        &one, x, operands_.k_stride, 1, w, 1, operands_.k_stride, &zero, operands_.y,
                        operands_.n, 1, nullptr, &runtime);
  }

 private:
  Operands operands_;
  int threads_;
};

}  // namespace

const Library& blis() {
  static const Library library = {
      .name = "blis",
      .version = []() -> const std::string& { return loaded_blis().version; },
      .multiplies = [](HostType type,
                       Form form) { return type == HostType::float32 && form == Form::product; },
      .prepare = [](const Operands& operands, Form, int threads) -> std::unique_ptr<LibraryProduct> {
        return std::make_unique<BlisProduct>(operands, threads);
      }};
  return library;
}

}  // namespace adaptive::kernels::dense_gemm
