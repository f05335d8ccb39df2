#include <dnnl.h>

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "kernels/common/buffer.hpp"
#include "kernels/dense_gemm/cpu/libraries.hpp"
#include "kernels/dense_gemm/cpu/shared_library.hpp"

namespace adaptive::kernels::dense_gemm {
namespace {

struct OneDnn {
  std::string version;
  decltype(dnnl_engine_create)* engine_create = nullptr;
  decltype(dnnl_stream_create)* stream_create = nullptr;
  decltype(dnnl_stream_destroy)* stream_destroy = nullptr;
  decltype(dnnl_memory_desc_init_by_strides)* desc_by_strides = nullptr;
  decltype(dnnl_memory_desc_init_by_tag)* desc_by_tag = nullptr;
  decltype(dnnl_memory_desc_get_size)* desc_size = nullptr;
  decltype(dnnl_memory_create)* memory_create = nullptr;
  decltype(dnnl_memory_destroy)* memory_destroy = nullptr;
  decltype(dnnl_matmul_desc_init)* matmul_desc = nullptr;
  decltype(dnnl_reorder_primitive_desc_create)* reorder_desc = nullptr;
  decltype(dnnl_primitive_desc_create)* primitive_desc = nullptr;
  decltype(dnnl_primitive_desc_destroy)* primitive_desc_destroy = nullptr;
  decltype(dnnl_primitive_desc_query_md)* query_desc = nullptr;
  decltype(dnnl_primitive_create)* primitive_create = nullptr;
  decltype(dnnl_primitive_destroy)* primitive_destroy = nullptr;
  decltype(dnnl_primitive_execute)* execute = nullptr;
  // Of the OpenMP library with which oneDNN was built. Both refer to the calling thread.
  void (*set_threads)(int) = nullptr;
  int (*get_threads)() = nullptr;
  dnnl_engine_t engine = nullptr;  // immutable; lives as long as the process
};

const OneDnn& loaded_onednn() {
  static const OneDnn api = [] {
    OneDnn found;
    const SharedLibrary library(ADAPTIVE_ONEDNN);
    decltype(dnnl_version)* version = nullptr;
    const bool complete = library.find("dnnl_version", version) &&
                          library.find("dnnl_engine_create", found.engine_create) &&
                          library.find("dnnl_stream_create", found.stream_create) &&
                          library.find("dnnl_stream_destroy", found.stream_destroy) &&
                          library.find("dnnl_memory_desc_init_by_strides", found.desc_by_strides) &&
                          library.find("dnnl_memory_desc_init_by_tag", found.desc_by_tag) &&
                          library.find("dnnl_memory_desc_get_size", found.desc_size) &&
                          library.find("dnnl_memory_create", found.memory_create) &&
                          library.find("dnnl_memory_destroy", found.memory_destroy) &&
                          library.find("dnnl_matmul_desc_init", found.matmul_desc) &&
                          library.find("dnnl_reorder_primitive_desc_create", found.reorder_desc) &&
                          library.find("dnnl_primitive_desc_create", found.primitive_desc) &&
                          library.find("dnnl_primitive_desc_destroy", found.primitive_desc_destroy) &&
                          library.find("dnnl_primitive_desc_query_md", found.query_desc) &&
                          library.find("dnnl_primitive_create", found.primitive_create) &&
                          library.find("dnnl_primitive_destroy", found.primitive_destroy) &&
                          library.find("dnnl_primitive_execute", found.execute) &&
                          library.find("omp_set_num_threads", found.set_threads) &&
                          library.find("omp_get_max_threads", found.get_threads);
    if (!complete || found.engine_create(&found.engine, dnnl_cpu, 0) != dnnl_success) return found;
    const dnnl_version_t& of = *version();
    found.version =
        std::to_string(of.major) + "." + std::to_string(of.minor) + "." + std::to_string(of.patch);
    return found;
  }();
  return api;
}

void require(dnnl_status_t status, const char* what) {
  if (status != dnnl_success)
    throw std::runtime_error(std::string("oneDNN: ") + what + ": status " + std::to_string(status));
}

template <class Handle, dnnl_status_t (*OneDnn::*destroy_)(Handle)>
struct Destroy {
  using pointer = Handle;
  void operator()(Handle handle) const noexcept { (loaded_onednn().*destroy_)(handle); }
};
template <class Handle, dnnl_status_t (*OneDnn::*destroy_)(Handle)>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Destroy<Handle, destroy_>>;

using Stream = Owned<dnnl_stream_t, &OneDnn::stream_destroy>;
using Memory = Owned<dnnl_memory_t, &OneDnn::memory_destroy>;
using Primitive = Owned<dnnl_primitive_t, &OneDnn::primitive_destroy>;
using PrimitiveDesc = Owned<dnnl_primitive_desc_t, &OneDnn::primitive_desc_destroy>;

/// While it lives, oneDNN uses this number of threads for calls of this thread.
class Threads {
 public:
  explicit Threads(int count) : before_(loaded_onednn().get_threads()) { loaded_onednn().set_threads(count); }
  ~Threads() { loaded_onednn().set_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

dnnl_memory_desc_t matrix(std::int64_t rows, std::int64_t columns, dnnl_data_type_t type,
                          std::int64_t row_stride, std::int64_t column_stride) {
  const dnnl_dims_t dims = {rows, columns};
  const dnnl_dims_t strides = {row_stride, column_stride};
  dnnl_memory_desc_t desc;
  require(loaded_onednn().desc_by_strides(&desc, 2, dims, type, strides), "matrix");
  return desc;
}

struct Matrices {
  dnnl_memory_desc_t x, w, y;  ///< w is W^T: [k][n] with the strides of W
};

Matrices matrices_of(const Operands& operands) {
  const dnnl_data_type_t type = operands.type == HostType::float32 ? dnnl_f32 : dnnl_bf16;
  return {matrix(operands.tokens, operands.k, type, operands.k_stride, 1),
          matrix(operands.k, operands.n, type, 1, operands.k_stride),
          matrix(operands.tokens, operands.n, dnnl_f32, operands.n, 1)};
}

/// Null if the library has no such product on this processor.
PrimitiveDesc product_of(const Matrices& matrices, Form form) {
  const OneDnn& api = loaded_onednn();
  dnnl_memory_desc_t w = matrices.w;
  if (form == Form::packed)
    require(api.desc_by_tag(&w, 2, matrices.w.dims, matrices.w.data_type, dnnl_format_tag_any), "weights");
  dnnl_matmul_desc_t product;
  require(api.matmul_desc(&product, &matrices.x, &w, nullptr, &matrices.y), "product");
  dnnl_primitive_desc_t desc = nullptr;
  if (api.primitive_desc(&desc, &product, nullptr, api.engine, nullptr) != dnnl_success) return nullptr;
  return PrimitiveDesc(desc);
}

Primitive primitive_of(const PrimitiveDesc& desc) {
  dnnl_primitive_t primitive = nullptr;
  require(loaded_onednn().primitive_create(&primitive, desc.get()), "primitive");
  return Primitive(primitive);
}

Memory memory_of(const dnnl_memory_desc_t& desc, const void* data) {
  dnnl_memory_t memory = nullptr;
  // The library's interface lacks const; it does not write to its sources.
  require(loaded_onednn().memory_create(&memory, &desc, loaded_onednn().engine, const_cast<void*>(data)),
          "memory");
  return Memory(memory);
}

class OneDnnProduct final : public LibraryProduct {
 public:
  OneDnnProduct(const Operands& operands, Form form, int threads) : threads_(threads) {
    const Threads setting(threads);
    dnnl_stream_t stream = nullptr;
    require(loaded_onednn().stream_create(&stream, loaded_onednn().engine, dnnl_stream_default_flags),
            "stream");
    stream_ = Stream(stream);
    const Matrices matrices = matrices_of(operands);
    const PrimitiveDesc desc = product_of(matrices, form);
    if (desc == nullptr) throw std::runtime_error("oneDNN: no product for these operands");
    product_ = primitive_of(desc);
    x_ = memory_of(matrices.x, operands.x);
    y_ = memory_of(matrices.y, operands.y);
    w_ = memory_of(matrices.w, operands.w);
    if (form == Form::packed)
      pack(matrices.w, *loaded_onednn().query_desc(desc.get(), dnnl_query_weights_md, 0));
  }

  void run() noexcept override {
    const Threads setting(threads_);
    const std::array<dnnl_exec_arg_t, 3> arguments = {
        {{DNNL_ARG_SRC, x_.get()}, {DNNL_ARG_WEIGHTS, w_.get()}, {DNNL_ARG_DST, y_.get()}}};
    // On the host the library computes within this call. It fails only for want of memory; the output then
    // stays as it was.
    loaded_onednn().execute(product_.get(), stream_.get(), arguments.size(), arguments.data());
  }

 private:
  void pack(const dnnl_memory_desc_t& from, const dnnl_memory_desc_t& to) {
    const OneDnn& api = loaded_onednn();
    packed_ = Buffer<std::byte>(api.desc_size(&to));
    Memory packed = memory_of(to, packed_.data());
    dnnl_primitive_desc_t desc = nullptr;
    require(api.reorder_desc(&desc, &from, api.engine, &to, api.engine, nullptr), "order of the weights");
    const Primitive reorder = primitive_of(PrimitiveDesc(desc));
    const std::array<dnnl_exec_arg_t, 2> arguments = {
        {{DNNL_ARG_FROM, w_.get()}, {DNNL_ARG_TO, packed.get()}}};
    require(api.execute(reorder.get(), stream_.get(), arguments.size(), arguments.data()),
            "packing of the weights");
    w_ = std::move(packed);
  }

  int threads_;
  Stream stream_;
  Buffer<std::byte> packed_;  // before the memory that refers to it
  Memory x_, w_, y_;
  Primitive product_;
};

/// Whether the library multiplies matrices of a type depends only on the processor.
bool has_product(HostType type) {
  if (loaded_onednn().version.empty()) return false;
  const Operands small = {.tokens = 16,
                          .n = 16,
                          .k = 16,
                          .k_stride = 16,
                          .experts = 1,
                          .type = type,
                          .x = nullptr,
                          .w = nullptr,
                          .y = nullptr,
                          .groups = nullptr,
                          .group_count = 1};
  return product_of(matrices_of(small), Form::product) != nullptr;
}

}  // namespace

const Library& onednn() {
  static const Library library = {
      .name = "onednn",
      .version = []() -> const std::string& { return loaded_onednn().version; },
      .multiplies =
          [](HostType type, Form form) {
            static const bool float32 = has_product(HostType::float32);
            static const bool bfloat16 = has_product(HostType::bfloat16);
            return form != Form::vector && (type == HostType::float32 ? float32 : bfloat16);
          },
      .prepare = [](const Operands& operands, Form form, int threads) -> std::unique_ptr<LibraryProduct> {
        return std::make_unique<OneDnnProduct>(operands, form, threads);
      }};
  return library;
}

}  // namespace adaptive::kernels::dense_gemm
