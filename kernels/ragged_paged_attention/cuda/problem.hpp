#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/common/cuda/memory.hpp"
#include "kernels/dense_gemm/cuda/prepared_problem.hpp"
#include "kernels/ragged_paged_attention/cuda/kernels.hpp"
#include "kernels/ragged_paged_attention/problem.hpp"

// The problem of ../operands.hpp on a GPU, with y in bfloat16 and random data that is made on the device.

namespace adaptive::kernels::ragged_paged_attention {

/// The kernels of a variant, which its name alone determines: indices of configurations, -1 for none. Without
/// any the variant is the default. With `rows` and another one, `rows` computes the sequences that need one
/// tile of it, and the other kernel the others.
struct DeviceMethod {
  int rows = -1, tiles = -1, wgmma = -1;

  bool has_rows() const noexcept { return rows >= 0; }
  bool has_tiles() const noexcept { return tiles >= 0; }
  bool has_wgmma() const noexcept { return wgmma >= 0; }
  bool is_plain() const noexcept { return !has_rows() && !has_tiles() && !has_wgmma(); }
  bool is_mixed() const noexcept { return has_rows() && (has_tiles() || has_wgmma()); }

  // Only if the method has them.
  const RowsConfig& rows_config() const noexcept { return rows_configs[static_cast<std::size_t>(rows)]; }
  const TilesConfig& tiles_config() const noexcept { return tiles_configs[static_cast<std::size_t>(tiles)]; }
  const WgmmaConfig& wgmma_config() const noexcept { return wgmma_configs[static_cast<std::size_t>(wgmma)]; }
};

/// Whether a device with this code has what the method requires.
bool available(const DeviceMethod& method, const cuda::LoadedCode& code);
/// Whether a problem of this valid shape can be launched where the method is available.
bool supports(const DeviceMethod& method, const Shape& shape);
/// Bytes for the results of parts, at most.
std::uint64_t part_bytes(const DeviceMethod& method, const Shape& shape);

/// What a variant needs for its launches.
struct AttentionSlot {
  LaunchStatus status = LaunchStatus::ok;
  DeviceMethod method;
  cuda::DeviceBuffer<float> part_out;
  cuda::DeviceBuffer<float2> part_state;
  cuda::DeviceBuffer<int> arrived;
  cuda::DeviceBuffer<int> counter;  // of tiles
};

class AttentionOnCuda final : public dense_gemm::PreparedProblem<AttentionSlot> {
 public:
  /// `methods` are those of the family's variants, in the same order.
  AttentionOnCuda(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family,
                  const std::vector<DeviceMethod>& methods);
  /// With these sequences, which must have the shape's tokens and longest context.
  AttentionOnCuda(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family,
                  const std::vector<DeviceMethod>& methods, Batch batch);

  void poison_output(cuda::Stream stream) noexcept override;
  /// Infinite also if the cache of the last launch does not have the new tokens' keys and values.
  double max_error(cuda::Stream stream) override;

  /// Tolerance of `plain`, which rounds nothing before the output.
  double tolerance_unrounded() const noexcept;
  double tolerance() const noexcept override;
  double bytes() const noexcept override;
  double operations() const noexcept override;

  /// In device memory, with the cache of the last launch.
  DeviceOperands device_operands() const noexcept { return operands(last_copy_); }
  const Batch& batch() const noexcept { return batch_; }

 private:
  DeviceOperands operands(std::size_t copy) const noexcept;
  std::unique_ptr<AttentionSlot> make_slot(std::size_t variant) override;
  LaunchStatus enqueue(const AttentionSlot& slot, std::size_t copy, cuda::Stream stream) noexcept override;
  void set_reference(cuda::Stream stream) override;
  void make_data(cuda::Stream stream);
  std::vector<std::int32_t> make_page_table();
  /// Calls f(context, tokens) for the sequences with new tokens.
  template <class F>
  void for_each_sequence(const F& f) const;

  const std::vector<DeviceMethod>& methods_;
  Sizes sizes_;
  bool overlaps_;  // whether the first kernel of a launch may begin while the one before it still runs
  Batch batch_;
  std::int64_t pages_ = 0, least_seen_ = 0;
  std::int64_t window_;
  std::size_t cache_stride_ = 0;  // bytes from one copy of the keys or values to the next
  std::size_t last_copy_ = 0;
  int multiprocessors_ = 1;
  std::vector<CacheMaps> maps_;  // of each copy of the cache; none where the copy engine is not used
  cuda::DeviceBuffer<std::uint16_t> q_, new_keys_, new_values_;
  cuda::DeviceBuffer<std::byte> key_cache_, value_cache_;
  cuda::DeviceBuffer<std::int32_t> page_table_, first_token_, contexts_;
  cuda::DeviceBuffer<float> sinks_;
  cuda::DeviceBuffer<unsigned> wrong_;
};

}  // namespace adaptive::kernels::ragged_paged_attention
