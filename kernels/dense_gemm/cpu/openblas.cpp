#include <cblas.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "kernels/dense_gemm/cpu/libraries.hpp"
#include "kernels/dense_gemm/cpu/shared_library.hpp"

namespace adaptive::kernels::dense_gemm {
namespace {

struct OpenBlas {
  std::string version;
  decltype(cblas_sgemm)* sgemm = nullptr;
  decltype(cblas_sgemv)* sgemv = nullptr;
  decltype(openblas_set_num_threads)* set_num_threads = nullptr;
};

const OpenBlas& loaded_openblas() {
  static const OpenBlas api = [] {
    OpenBlas found;
    const SharedLibrary library(ADAPTIVE_OPENBLAS);
    decltype(openblas_get_config)* config = nullptr;
    if (!library.find("cblas_sgemm", found.sgemm) || !library.find("cblas_sgemv", found.sgemv) ||
        !library.find("openblas_set_num_threads", found.set_num_threads) ||
        !library.find("openblas_get_config", config))
      return found;
    // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH …"
    const std::string text = config();
    const std::size_t at = text.find(' ');
    found.version = at == std::string::npos ? text : text.substr(at + 1, text.find(' ', at + 1) - at - 1);
    return found;
  }();
  return api;
}

/// The number of threads is a setting of the whole process. Launches with the same number run at the same
/// time; a launch with another number waits for them.
class ThreadSetting {
 public:
  void enter(int threads) noexcept {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return launches_ == 0 || threads_ == threads; });
    if (threads_ != threads) loaded_openblas().set_num_threads(threads);
    threads_ = threads;
    ++launches_;
  }
  void leave() noexcept {
    const std::lock_guard lock(mutex_);
    if (--launches_ == 0) changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int threads_ = 0;  // 0: not set yet
  int launches_ = 0;
};

ThreadSetting& thread_setting() {
  static ThreadSetting& setting = *new ThreadSetting;  // leaked: usable until the process ends
  return setting;
}

class OpenBlasProduct final : public LibraryProduct {
 public:
  OpenBlasProduct(const Operands& operands, Form form, int threads)
      : operands_(operands), form_(form), threads_(threads) {}

  void run() noexcept override {
    const auto* x = static_cast<const float*>(operands_.x);
    const auto* w = static_cast<const float*>(operands_.w);
    const auto m = static_cast<blasint>(operands_.tokens);
    const auto n = static_cast<blasint>(operands_.n);
    const auto k = static_cast<blasint>(operands_.k);
    const auto stride = static_cast<blasint>(operands_.k_stride);
    const OpenBlas& api = loaded_openblas();
    thread_setting().enter(threads_);
    if (form_ == Form::product) {
      api.sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, x, stride, w, stride, 0, operands_.y, n);
    } else {
      for (std::int64_t row = 0; row < operands_.tokens; ++row)
        api.sgemv(CblasRowMajor, CblasNoTrans, n, k, 1, w, stride, x + row * operands_.k_stride, 1, 0,
                  operands_.y + row * operands_.n, 1);
    }
    thread_setting().leave();
  }

 private:
  Operands operands_;
  Form form_;
  int threads_;
};

}  // namespace

const Library& openblas() {
  static const Library library = {
      .name = "openblas",
      .version = []() -> const std::string& { return loaded_openblas().version; },
      .multiplies = [](HostType type,
                       Form form) { return type == HostType::float32 && form != Form::packed; },
      .prepare = [](const Operands& operands, Form form, int threads) -> std::unique_ptr<LibraryProduct> {
        return std::make_unique<OpenBlasProduct>(operands, form, threads);
      }};
  return library;
}

}  // namespace adaptive::kernels::dense_gemm
