#include "kernels/dense_gemm/cuda/problem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace adaptive::kernels::dense_gemm {
namespace {

std::size_t input_bytes(Type type) {
  return type == Type::float8_e4m3 ? 1 : 2;
}

Device& require_device() {
  Device* device = Device::current();
  if (device == nullptr) throw std::runtime_error("dense_gemm: no device, or cuBLASLt does not start on it");
  return *device;
}

std::size_t count(std::int64_t a, std::int64_t b) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
}

}  // namespace

DenseGemm::DenseGemm(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family)
    : Problem(shape),
      family_(family),
      device_(require_device()),
      sizes_(shape),
      options_(options),
      plan_(device_.plan(shape)),
      slots_(cuda::Family::variants_max) {
  const std::size_t element = input_bytes(sizes_.type);
  const std::size_t w_exact = count(sizes_.n, sizes_.k) * element;
  w_bytes_ = cuda::copy_stride(w_exact);
  copies_ = cuda::copies_in_turn(options.rotate_bytes, w_bytes_, w_bytes_);
  x_ = cuda::DeviceBuffer<std::byte>(count(sizes_.m, sizes_.k) * element);
  w_ = cuda::DeviceBuffer<std::byte>(w_bytes_ * copies_);
  y_ = cuda::Output(sizes_.m * sizes_.n, sizes_.type);
  // Not the legacy stream, which would wait for all others, and which others may be capturing around.
  cudaStream_t stream = cudaStreamPerThread;
  cuda::check(cuda::fill_random(x_.data(), sizes_.m * sizes_.k, sizes_.type, options.seed, stream), "fill x");
  const std::uint64_t w_seed = options.seed ^ 0x77656967687473u;
  for (std::size_t copy = 0; copy < copies_; ++copy)
    cuda::check(
        cuda::fill_random(w_.data() + copy * w_bytes_, sizes_.n * sizes_.k, sizes_.type, w_seed, stream),
        "fill w");
  poison_output(stream);
  cuda::check(cudaStreamSynchronize(stream), "dense_gemm: random operands");
}

std::string DenseGemm::description() const {
  return cuda::describe(family_, shape(), options_, copies_);
}

Operands DenseGemm::operands(std::size_t copy) const noexcept {
  return {x_.data(), w_.data() + copy * w_bytes_, y_.data()};
}

LaunchStatus DenseGemm::make(std::size_t variant) {
  if (variant >= family_.variant_count()) return LaunchStatus::unknown_variant;
  if (slots_[variant] != nullptr) return *slots_[variant]->status;
  auto slot = std::make_unique<Slot>();
  const Variant& described = family_.variant(variant);
  const auto method = parse_method(described.name, described.parameters);
  LaunchStatus status = method ? LaunchStatus::ok : LaunchStatus::unsupported;
  if (method) {
    slot->method = *method;
    if (method->kind == Method::Kind::skinny &&
        !skinny_supports(method->skinny, sizes_, device_.compute_capability_major()))
      status = LaunchStatus::unsupported;
    if (method->kind == Method::Kind::cublaslt) {
      const auto algorithm = plan_->find(method->config);
      if (algorithm) slot->algorithm = *algorithm;
      if (!algorithm) status = LaunchStatus::unsupported;
    }
  }
  slot->status = status;
  slots_[variant] = std::move(slot);
  return status;
}

LaunchStatus DenseGemm::prepare(std::size_t variant, cuda::Stream stream) {
  const LaunchStatus status = make(variant);
  if (status != LaunchStatus::ok) return status;
  if (device_.make_workspace(stream) == nullptr) return LaunchStatus::unprepared;  // too many streams
  const LaunchStatus launched = enqueue(*slots_[variant], stream);
  if (launched != LaunchStatus::ok) return launched;
  return cudaStreamSynchronize(stream) == cudaSuccess ? LaunchStatus::ok : LaunchStatus::failed;
}

LaunchStatus DenseGemm::launch(std::size_t variant, cuda::Stream stream) noexcept {
  if (variant >= family_.variant_count()) return LaunchStatus::unknown_variant;
  const Slot* slot = slots_[variant].get();
  if (slot == nullptr) return LaunchStatus::unprepared;
  if (slot->status != LaunchStatus::ok) return *slot->status;
  return enqueue(*slot, stream);
}

LaunchStatus DenseGemm::enqueue(const Slot& slot, cuda::Stream stream) noexcept {
  const Operands now = operands(turn_);
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
  if (++turn_ == copies_) turn_ = 0;
  return enqueued ? LaunchStatus::ok : LaunchStatus::failed;
}

void DenseGemm::poison_output(cuda::Stream stream) noexcept {
  y_.poison(stream);
}

std::vector<std::byte> DenseGemm::output(cuda::Stream stream) const {
  return y_.copy(stream);
}

double DenseGemm::max_error(cuda::Stream stream) {
  if (!y_.has_reference()) {
    auto places = cuda::compared_places(y_.elements(), options_.seed);
    for (cuda::Expected& place : places) {
      place.x_row = place.at / sizes_.n;
      place.w_row = place.at % sizes_.n;
    }
    y_.set_reference(places, x_.data(), w_.data(), sizes_.k, stream);
  }
  return y_.max_error(stream);
}

double DenseGemm::tolerance() const noexcept {
  const double length = std::sqrt(static_cast<double>(sizes_.k));
  // Hopper's tensor cores add float8 products with about 13 bits behind the point of the largest.
  if (sizes_.type == Type::float8_e4m3) return 0x1p-13 * (1 + length / 16);
  // As grouped_gemm: rounding errors of a long sum wander like a random walk; 4 covers the few of each term.
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
