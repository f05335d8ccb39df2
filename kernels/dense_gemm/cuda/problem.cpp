#include "kernels/dense_gemm/cuda/problem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

namespace adaptive::kernels::dense_gemm {
namespace {

std::size_t input_bytes(Type type) {
  return type == Type::float8_e4m3 ? 1 : 2;
}

std::size_t count(std::int64_t a, std::int64_t b) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
}

}  // namespace

DenseGemm::DenseGemm(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family)
    : PreparedProblem(shape, options, family), sizes_(shape), plan_(device_.plan(shape)) {
  const DenseGemm* lender = cuda::lender_of<DenseGemm>(options, shape, {});
  if (lender != nullptr)
    storage_ = lender->storage_;
  else
    fill();
  copies_ = storage_->copies;
  y_ = cuda::Output(sizes_.m * sizes_.n, sizes_.type);
  poison_output(cudaStreamPerThread);
  cuda::check(cudaStreamSynchronize(cudaStreamPerThread), "dense_gemm: random operands");
}

void DenseGemm::fill() {
  const std::size_t element = input_bytes(sizes_.type);
  auto made = std::make_shared<SharedOperands>();
  made->w_bytes = cuda::copy_stride(count(sizes_.n, sizes_.k) * element);
  made->copies = cuda::copies_in_turn(options_.rotate_bytes, made->w_bytes, made->w_bytes);
  made->x = cuda::DeviceBuffer<std::byte>(count(sizes_.m, sizes_.k) * element);
  made->w = cuda::DeviceBuffer<std::byte>(made->w_bytes * made->copies);
  // Not the legacy stream, which would wait for all other streams and could break a capture of another
  // thread.
  cudaStream_t stream = cudaStreamPerThread;
  cuda::check(cuda::fill_random(made->x.data(), sizes_.m * sizes_.k, sizes_.type, options_.seed, stream),
              "fill x");
  const std::uint64_t w_seed = options_.seed ^ 0x77656967687473u;
  for (std::size_t copy = 0; copy < made->copies; ++copy)
    cuda::check(cuda::fill_random(made->w.data() + copy * made->w_bytes, sizes_.n * sizes_.k, sizes_.type,
                                  w_seed, stream),
                "fill w");
  storage_ = std::move(made);
}

Operands DenseGemm::operands(std::size_t copy) const noexcept {
  return {storage_->x.data(), storage_->w.data() + copy * storage_->w_bytes, y_.data()};
}

std::unique_ptr<Slot> DenseGemm::make_slot(std::size_t variant) {
  auto slot = std::make_unique<Slot>();
  const Variant& described = family_.variant(variant);
  const auto method = parse_method(described.name, described.parameters);
  bool supported = method.has_value();
  if (method) {
    slot->method = *method;
    if (method->kind == Method::Kind::skinny) {
      supported = skinny_supports(method->skinny, sizes_);
      if (!runs(instructions_of(skinny_configs[method->skinny]), device_.code()))
        slot->status = LaunchStatus::unavailable;
    }
    if (method->kind == Method::Kind::cublaslt) {
      const auto algorithm = plan_->find(method->config);
      supported = algorithm.has_value();
      if (algorithm) slot->algorithm = *algorithm;
    }
  }
  if (!supported) slot->status = LaunchStatus::unsupported;
  return slot;
}

LaunchStatus DenseGemm::enqueue(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept {
  const Operands now = operands(copy);
  bool enqueued = false;
  switch (slot.method.kind) {
    case Method::Kind::plain:
      enqueued = launch_plain(sizes_, now, stream) == cudaSuccess;
      break;
    case Method::Kind::skinny:
      enqueued = launch_skinny(slot.method.skinny, sizes_, now, stream) == cudaSuccess;
      break;
    case Method::Kind::cublaslt: {
      void* workspace = nullptr;
      if (slot.algorithm.workspace > 0) {
        workspace = device_.find_workspace(stream);
        if (workspace == nullptr) return LaunchStatus::unprepared;
      }
      enqueued = plan_->launch(slot.algorithm, now, workspace, stream) == CUBLAS_STATUS_SUCCESS;
      break;
    }
  }
  return enqueued ? LaunchStatus::ok : LaunchStatus::failed;
}

void DenseGemm::set_reference(cuda::Stream stream) {
  auto places = cuda::compared_places(y_.elements(), options_.seed);
  for (cuda::Expected& place : places) {
    place.x_row = place.at / sizes_.n;
    place.w_row = place.at % sizes_.n;
  }
  y_.set_reference(places, storage_->x.data(), storage_->w.data(), sizes_.k, stream);
}

double DenseGemm::tolerance() const noexcept {
  const double length = std::sqrt(static_cast<double>(sizes_.k));
  // Hopper's tensor cores add float8 products with about 13 bits after the binary point of the largest
  // product.
  if (sizes_.type == Type::float8_e4m3) return 0x1p-13 * (1 + length / 16);
  // As in grouped_gemm: the rounding errors of a long sum grow like a random walk; 4 covers the few roundings
  // of each term.
  return static_cast<double>(std::numeric_limits<float>::epsilon()) * (4 + length / 4);
}

double DenseGemm::bytes() const noexcept {
  const auto input = static_cast<double>(count(sizes_.m, sizes_.k) + count(sizes_.n, sizes_.k));
  return input * static_cast<double>(input_bytes(sizes_.type)) + static_cast<double>(y_.bytes());
}

double DenseGemm::operations() const noexcept {
  return 2.0 * static_cast<double>(sizes_.m) * static_cast<double>(sizes_.n) * static_cast<double>(sizes_.k);
}

}  // namespace adaptive::kernels::dense_gemm
