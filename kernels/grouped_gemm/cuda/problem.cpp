#include "kernels/grouped_gemm/cuda/problem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "kernels/common/cuda/tensor_map.hpp"
#include "kernels/common/random.hpp"
#include "kernels/grouped_gemm/routing.hpp"

namespace adaptive::kernels::grouped_gemm {
namespace {

template <class... Sizes>
std::size_t product(Sizes... sizes) {
  return (static_cast<std::size_t>(sizes) * ...);
}

const Config& tile_config(const Method& method) {
  return method.kind == Method::Kind::mma ? mma_configs[method.index] : wgmma_configs[method.index];
}

bool is_own_tiled(const Method& method) {
  return method.kind == Method::Kind::mma || method.kind == Method::Kind::wgmma;
}

// An upper limit of the number of tiles of any routing of this shape.
std::int64_t most_tiles(const Config& config, const CudaSizes& sizes) {
  const std::int64_t columns = config.columns * (config.kernel == Config::Kernel::wgmma ? config.split : 1);
  const std::int64_t row_tiles =
      std::min(sizes.tokens, sizes.filled + (sizes.tokens - sizes.filled) / config.rows);
  return row_tiles * ((sizes.n + columns - 1) / columns);
}

// The number of blocks that the device can run at the same time, or fewer if there are fewer tiles.
int blocks_for(const Config& config, const CudaSizes& sizes, const Capability& device) {
  const std::int64_t resident = std::int64_t{device.multiprocessors} * config.blocks / config.split;
  return static_cast<int>(std::min(resident, most_tiles(config, sizes))) * config.split;
}

}  // namespace

Capability Capability::current() noexcept {
  const dense_gemm::Device* device = dense_gemm::Device::current();
  if (device == nullptr) return {};
  Capability found{.code = device->code()};
  const auto ask = [&](int& value, cudaDeviceAttr attribute) {
    return cudaDeviceGetAttribute(&value, attribute, device->ordinal()) == cudaSuccess;
  };
  const bool known = ask(found.multiprocessors, cudaDevAttrMultiProcessorCount) &&
                     ask(found.shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin);
  return known ? found : Capability{};
}

bool available(const Method& method, const Capability& device) {
  if (method.kind == Method::Kind::cublas_grouped && !has_cublas_grouped) return false;
  if (!is_own_tiled(method)) return device.code.major > 0;
  const Config& config = tile_config(method);
  return shared_bytes(config) <= device.shared_bytes && runs(instructions_of(config), device.code);
}

bool supports(const Method& method, const CudaSizes& sizes) {
  if (method.kind == Method::Kind::plain) return true;
  if (sizes.n % 8 != 0 || sizes.k % 8 != 0) return false;  // loads and stores must be complete 16-byte pieces
  if (!is_own_tiled(method)) return !sizes.gathered;
  return sizes.experts <= experts_max &&
         most_tiles(tile_config(method), sizes) <= std::numeric_limits<int>::max();
}

GroupedGemmOnCuda::GroupedGemmOnCuda(const Shape& shape, cuda::ProblemOptions options,
                                     const cuda::Family& family, const std::vector<Method>& methods)
    : PreparedProblem(shape, options, family),
      methods_(methods),
      capability_(Capability::current()),
      sizes_(shape),
      rows_of_(rows_by_tiles(sizes_.tokens, sizes_.experts, sizes_.filled, sizes_.row_tiles, options.seed)) {
  const GroupedGemmOnCuda* lender = cuda::lender_of<GroupedGemmOnCuda>(options, shape, {4, 5});
  if (lender != nullptr)
    storage_ = lender->storage_;
  else
    fill();
  copies_ = storage_->copies;
  y_ = cuda::Output(sizes_.tokens * sizes_.n, sizes_.type);
  route();
  poison_output(cudaStreamPerThread);
  cuda::check(cudaStreamSynchronize(cudaStreamPerThread), "grouped_gemm: random operands");
}

void GroupedGemmOnCuda::fill() {
  auto made = std::make_shared<dense_gemm::SharedOperands>();
  made->w_bytes = cuda::copy_stride(product(sizes_.experts, sizes_.n, sizes_.k, element_bytes));
  const std::size_t read =
      std::max<std::size_t>(product(sizes_.filled, sizes_.n, sizes_.k, element_bytes), 1);
  made->copies = cuda::copies_in_turn(options_.rotate_bytes, read, made->w_bytes);
  made->x = cuda::DeviceBuffer<std::byte>(product(sizes_.tokens, sizes_.k, element_bytes));
  made->w = cuda::DeviceBuffer<std::byte>(made->w_bytes * made->copies);
  // Not the legacy stream, which would wait for all other streams and could break a capture of another
  // thread.
  cudaStream_t stream = cudaStreamPerThread;
  cuda::check(cuda::fill_random(made->x.data(), sizes_.tokens * sizes_.k, sizes_.type, options_.seed, stream),
              "fill x");
  const std::uint64_t w_seed = options_.seed ^ 0x77656967687473u;
  for (std::size_t copy = 0; copy < made->copies; ++copy)
    cuda::check(cuda::fill_random(made->w.data() + copy * made->w_bytes, sizes_.experts * sizes_.n * sizes_.k,
                                  sizes_.type, w_seed, stream),
                "fill w");
  storage_ = std::move(made);
}

// Puts on the device which rows belong to which expert.
void GroupedGemmOnCuda::route() {
  ends_host_.resize(rows_of_.size());
  std::inclusive_scan(rows_of_.begin(), rows_of_.end(), ends_host_.begin());
  ends_ = cuda::DeviceBuffer<int>(ends_host_.size());
  row_of_host_.resize(static_cast<std::size_t>(sizes_.tokens));
  std::iota(row_of_host_.begin(), row_of_host_.end(), 0);
  if (sizes_.gathered) {
    Random random(options_.seed ^ 0x6a74);
    for (std::size_t i = row_of_host_.size(); i > 1; --i)
      std::swap(row_of_host_[i - 1],
                row_of_host_[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(i)))]);
    row_of_ = cuda::DeviceBuffer<int>(row_of_host_.size());
  }
  cudaStream_t stream = cudaStreamPerThread;
  const auto upload = [stream](const cuda::DeviceBuffer<int>& to, const std::vector<int>& from) {
    if (to.size() == 0) return;
    cuda::check(
        cudaMemcpyAsync(to.data(), from.data(), from.size() * sizeof(int), cudaMemcpyHostToDevice, stream),
        "routing");
  };
  counter_ = cuda::DeviceBuffer<int>(2);
  cuda::check(cudaMemsetAsync(counter_.data(), 0, 2 * sizeof(int), stream), "counter");
  upload(ends_, ends_host_);
  upload(row_of_, row_of_host_);
}

DeviceOperands GroupedGemmOnCuda::operands(std::size_t copy) const noexcept {
  return {.x = storage_->x.data(),
          .w = storage_->w.data() + copy * storage_->w_bytes,
          .y = y_.data(),
          .ends = ends_.data(),
          .row_of = row_of_.data(),
          .counter = counter_.data(),
          .tokens = static_cast<int>(sizes_.tokens),
          .n = static_cast<int>(sizes_.n),
          .k = static_cast<int>(sizes_.k),
          .experts = static_cast<int>(sizes_.experts),
          .type = sizes_.type};
}

std::unique_ptr<Slot> GroupedGemmOnCuda::make_slot(std::size_t variant) {
  auto slot = std::make_unique<Slot>();
  slot->method = methods_[variant];
  const Method& method = slot->method;
  if (!available(method, capability_)) slot->status = LaunchStatus::unavailable;
  if (!supports(method, sizes_)) slot->status = LaunchStatus::unsupported;
  if (slot->status != LaunchStatus::ok || sizes_.tokens == 0) return slot;
  if (is_own_tiled(method)) slot->blocks = blocks_for(tile_config(method), sizes_, capability_);
  switch (method.kind) {
    case Method::Kind::plain:
      break;
    case Method::Kind::mma:
      cuda::check(
          cuda::for_type(sizes_.type, [&]<cuda::Element type>() { return prepare_mma<type>(method.index); }),
          "shared memory of a kernel");
      break;
    case Method::Kind::wgmma:
      cuda::check(cuda::for_type(sizes_.type,
                                 [&]<cuda::Element type>() { return prepare_wgmma<type>(method.index); }),
                  "shared memory of a kernel");
      make_maps(*slot);
      break;
    case Method::Kind::cublas_grouped:
      make_cublas(*slot);
      break;
    case Method::Kind::cublaslt_loop:
      make_cublaslt(*slot);
      break;
  }
  return slot;
}

void GroupedGemmOnCuda::make_maps(Slot& slot) {
  const Config& config = tile_config(slot.method);
  if (sizes_.gathered && sorted_x_.size() == 0)
    sorted_x_ = cuda::DeviceBuffer<std::byte>(product(sizes_.tokens, sizes_.k, element_bytes));
  const void* x = sizes_.gathered ? sorted_x_.data() : storage_->x.data();
  const CUtensorMap x_map =
      cuda::make_tensor_map(x, sizes_.type, sizes_.k, sizes_.tokens, 0, box_rows(config));
  for (std::size_t copy = 0; copy < copies_; ++copy)
    slot.maps.push_back({x_map, cuda::make_tensor_map(operands(copy).w, sizes_.type, sizes_.k, sizes_.n,
                                                      sizes_.experts, config.columns)});
}

void GroupedGemmOnCuda::make_cublas(Slot& slot) {
  if (!cublas_) cublas_.emplace();
  for (std::size_t copy = 0; copy < copies_; ++copy) slot.groups.emplace_back(operands(copy), rows_of_);
}

// Takes the first algorithm that the library proposes for the number of rows of each expert.
void GroupedGemmOnCuda::make_cublaslt(Slot& slot) {
  for (const std::int64_t rows : rows_of_) {
    if (rows == 0) continue;
    auto plan = device_.plan({rows, sizes_.n, sizes_.k, static_cast<std::int64_t>(sizes_.type)});
    const auto& candidates = plan->candidates();
    const auto algorithm = candidates.empty() ? std::nullopt : plan->find(candidates.front());
    if (!algorithm) {
      slot.status = LaunchStatus::unsupported;
      return;
    }
    slot.algorithms.push_back(*algorithm);
    slot.plans.push_back(std::move(plan));
  }
}

LaunchStatus GroupedGemmOnCuda::enqueue(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept {
  if (sizes_.tokens == 0) return LaunchStatus::ok;
  const DeviceOperands now = operands(copy);
  const Method& method = slot.method;
  bool enqueued = false;
  switch (method.kind) {
    case Method::Kind::plain:
      enqueued = launch_plain(now, stream) == cudaSuccess;
      break;
    case Method::Kind::mma:
      enqueued = cuda::for_type(sizes_.type, [&]<cuda::Element type>() {
                   return launch_mma<type>(method.index, now, slot.blocks, stream);
                 }) == cudaSuccess;
      break;
    case Method::Kind::wgmma: {
      enqueued = (!sizes_.gathered || launch_gather(now, sorted_x_.data(), stream) == cudaSuccess) &&
                 cuda::for_type(sizes_.type, [&]<cuda::Element type>() {
                   return launch_wgmma<type>(method.index, slot.maps[copy], now, slot.blocks, stream);
                 }) == cudaSuccess;
      break;
    }
    case Method::Kind::cublas_grouped:
    case Method::Kind::cublaslt_loop: {
      void* workspace = device_.find_workspace(stream);
      if (workspace == nullptr) return LaunchStatus::unprepared;
      enqueued = method.kind == Method::Kind::cublas_grouped
                     ? slot.groups[copy].launch(cublas_->get(), workspace, dense_gemm::workspace_bytes,
                                                stream) == CUBLAS_STATUS_SUCCESS
                     : enqueue_cublaslt(slot, now, workspace, stream);
      break;
    }
  }
  return enqueued ? LaunchStatus::ok : LaunchStatus::failed;
}

bool GroupedGemmOnCuda::enqueue_cublaslt(const Slot& slot, const DeviceOperands& now, void* workspace,
                                         cuda::Stream stream) noexcept {
  std::size_t group = 0;
  std::int64_t row = 0;
  for (std::size_t expert = 0; expert < rows_of_.size(); ++expert) {
    if (rows_of_[expert] == 0) continue;
    const dense_gemm::Operands product = {
        static_cast<const std::byte*>(now.x) + row * sizes_.k * element_bytes,
        static_cast<const std::byte*>(now.w) +
            static_cast<std::int64_t>(expert) * sizes_.n * sizes_.k * element_bytes,
        static_cast<std::byte*>(now.y) + row * sizes_.n * element_bytes};
    if (slot.plans[group]->launch(slot.algorithms[group], product, workspace, stream) !=
        CUBLAS_STATUS_SUCCESS)
      return false;
    row += rows_of_[expert];
    ++group;
  }
  return true;
}

void GroupedGemmOnCuda::set_reference(cuda::Stream stream) {
  auto places = cuda::compared_places(y_.elements(), options_.seed);
  for (cuda::Expected& place : places) {
    const std::int64_t row = place.at / sizes_.n;
    const std::int64_t expert =
        std::upper_bound(ends_host_.begin(), ends_host_.end(), row) - ends_host_.begin();
    place.x_row = row_of_host_[static_cast<std::size_t>(row)];
    place.w_row = expert * sizes_.n + place.at % sizes_.n;
  }
  y_.set_reference(places, storage_->x.data(), storage_->w.data(), sizes_.k, stream);
}

double GroupedGemmOnCuda::tolerance() const noexcept {
  // As on the host: the rounding errors of a long sum grow like a random walk; 4 covers the few roundings of
  // each term.
  return static_cast<double>(std::numeric_limits<float>::epsilon()) *
         (4 + std::sqrt(static_cast<double>(sizes_.k)) / 4);
}

double GroupedGemmOnCuda::bytes() const noexcept {
  return static_cast<double>(product(sizes_.filled, sizes_.n, sizes_.k, element_bytes) +
                             product(sizes_.tokens, sizes_.k, element_bytes) + y_.bytes());
}

double GroupedGemmOnCuda::operations() const noexcept {
  return 2.0 * static_cast<double>(sizes_.tokens) * static_cast<double>(sizes_.n) *
         static_cast<double>(sizes_.k);
}

}  // namespace adaptive::kernels::grouped_gemm
