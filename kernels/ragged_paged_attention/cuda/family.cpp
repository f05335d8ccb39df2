#include "kernels/ragged_paged_attention/cuda/family.hpp"

#include <stdexcept>
#include <utility>

#include "kernels/families.hpp"
#include "kernels/ragged_paged_attention/cuda/methods.hpp"
#include "kernels/ragged_paged_attention/cuda/problem.hpp"

namespace adaptive::kernels::ragged_paged_attention {
namespace {

cuda::LoadedCode code_of_device() {
  const dense_gemm::Device* device = dense_gemm::Device::current();
  return device == nullptr ? cuda::LoadedCode{} : device->code();
}

/// Of the kernel for many rows.
template <class Config>
void add_tiles(const Config& config, const char* kernel, Variant& variant) {
  const std::string separator = variant.name.empty() ? "" : "_";
  variant.name += separator + name_of(config);
  variant.numeric_class += separator + class_of(config);
  variant.parameters = {{"method", kernel},
                        {"queries", std::int64_t{config.rows()}},
                        {"keys", std::int64_t{config.keys}},
                        {"stages", std::int64_t{config.stages}}};
}

Variant variant_of(const DeviceMethod& method) {
  Variant variant;
  if (method.is_plain()) variant.name = variant.numeric_class = "plain_warp";
  if (method.has_rows()) {
    const RowsConfig& config = method.rows_config();
    variant.name = name_of(config);
    variant.numeric_class = class_of(config);
    variant.parameters = {{"method", "rows"},
                          {"queries", std::int64_t{rows_height}},
                          {"keys", std::int64_t{config.warps * config.keys}},  // of all warps of a block
                          {"stages", std::int64_t{config.stages}},
                          {"warps", std::int64_t{config.warps}},
                          {"split", std::int64_t{config.part}}};
  }
  if (method.has_tiles())
    add_tiles(method.tiles_config(), method.is_mixed() ? "mixed_tiles" : "tiles", variant);
  if (method.has_wgmma())
    add_tiles(method.wgmma_config(), method.is_mixed() ? "mixed_wgmma" : "wgmma", variant);
  variant.available = [method] { return ragged_paged_attention::available(method, code_of_device()); };
  variant.supports = [method](const Shape& shape) { return ragged_paged_attention::supports(method, shape); };
  if (method.has_rows() && method.rows_config().part > 0)
    variant.memory = [method](const Shape& shape) { return part_bytes(method, shape); };
  return variant;
}

std::vector<Variant> variants_on_cuda() {
  std::vector<Variant> variants;
  for (const DeviceMethod& method : device_methods()) variants.push_back(variant_of(method));
  return variants;
}

class AttentionFamily final : public cuda::Family {
 public:
  AttentionFamily()
      : Family("ragged_paged_attention", ragged_paged_attention::dimensions(), variants_on_cuda()) {}

  std::optional<std::size_t> parse(std::string_view name,
                                   const std::vector<std::pair<std::string, Parameter>>&) const override {
    return find_variant(name);
  }

  std::vector<std::size_t> candidates(const Shape& shape) const override {
    std::vector<std::size_t> result;
    if (code_of_device().major == 0 || why_invalid(shape)) return result;
    const auto& methods = device_methods();
    for (std::size_t i = 0; i < methods.size(); ++i)
      if (runs(i, shape) && worth_trying(methods[i], shape)) result.push_back(i);
    if (result.empty()) result.push_back(0);
    return result;
  }

  std::optional<std::string> why_invalid(const Shape& shape) const override {
    if (auto why = why_no_attention(shape, 36)) return why;
    const Sizes sizes(shape);
    if (sizes.type == Type::float32) return "dtype is float32; on GPUs a cache is bfloat16 or float8_e4m3";
    if (sizes.window > std::int64_t{1} << 24) return "window is above 2^24";
    constexpr std::int64_t most = std::int64_t{1} << 30;  // rows and blocks are counted in 32 bits
    if (sizes.tokens * sizes.q_heads > most) return "tokens * q_heads is above 2^30";
    if ((sizes.tokens / 16 + sizes.sequences) * sizes.q_heads > most)
      return "sequences * q_heads is above 2^30";
    return std::nullopt;
  }

  std::unique_ptr<cuda::Problem> make_problem(const Shape& shape,
                                              cuda::ProblemOptions options) const override {
    if (const auto why = why_invalid(shape)) throw std::invalid_argument(name() + ": " + *why);
    if (options.operands_of != nullptr)
      throw std::invalid_argument(name() + ": problems do not share operands");
    return std::make_unique<AttentionOnCuda>(shape, options, *this, device_methods());
  }

  void release(cuda::Stream stream) const override {
    if (dense_gemm::Device* device = dense_gemm::Device::current()) device->release(stream);
  }

  // Those of the host, with a cache of bfloat16 in place of float32; and on GPUs also groups beyond the
  // height of a tile, and several tiles of one prompt.
  std::vector<Shape> test_shapes() const override {
    std::vector<Shape> shapes = ragged_paged_attention_family().test_shapes();
    for (Shape& shape : shapes)
      if (shape[9] == 0) shape[9] = 1;
    for (const Shape& shape : std::vector<Shape>{{150, 2, 333, 8, 2, 128, 16, 0, 0, 1},
                                                 {150, 2, 333, 6, 2, 64, 48, 100, 3, 2},
                                                 {40, 3, 200, 20, 1, 128, 32, 0, 2, 1},
                                                 {9, 9, 700, 32, 8, 128, 16, 0, 0, 2},
                                                 {7, 3, 500, 8, 8, 256, 64, 90, 1, 2},
                                                 {3, 3, 1100, 4, 1, 256, 16, 0, 0, 1}})
      shapes.push_back(shape);
    return shapes;
  }

  // Decode, prompts and mixed steps of Llama-3-8B (32 heads on 8 of 128), gpt-oss (64 on 8 of 64) and Gemma-2
  // (8 on 4 of 256), and heads of 256 without a soft cap.
  std::vector<Shape> bench_shapes() const override {
    return {{1, 1, 4096, 32, 8, 128, 16, 0, 0, 1},     {8, 8, 16384, 32, 8, 128, 16, 0, 0, 1},
            {32, 32, 4096, 32, 8, 128, 16, 0, 0, 1},   {32, 32, 4096, 32, 8, 128, 16, 0, 0, 2},
            {128, 128, 2048, 32, 8, 128, 16, 0, 0, 1}, {32, 32, 4096, 64, 8, 64, 16, 0, 2, 1},
            {32, 32, 4096, 64, 8, 64, 16, 128, 2, 1},  {16, 16, 4096, 8, 4, 256, 32, 0, 1, 1},
            {2048, 1, 2048, 32, 8, 128, 16, 0, 0, 1},  {8192, 1, 8192, 32, 8, 128, 16, 0, 0, 1},
            {4096, 4, 2048, 32, 8, 128, 16, 0, 0, 1},  {2048, 1, 4096, 64, 8, 64, 16, 0, 2, 1},
            {1087, 64, 4096, 32, 8, 128, 16, 0, 0, 1}, {2079, 32, 4096, 32, 8, 128, 16, 0, 0, 2},
            {4096, 1, 4096, 32, 8, 128, 16, 0, 0, 2},  {2048, 1, 2048, 64, 8, 64, 16, 0, 2, 1},
            {32, 32, 4096, 16, 8, 256, 16, 0, 0, 1},   {4096, 1, 4096, 16, 8, 256, 16, 0, 0, 1}};
  }

  std::vector<std::pair<std::string, std::string>> libraries() const override { return {}; }
};

}  // namespace

const cuda::Family& cuda_family() {
  static const cuda::Family& family = *new AttentionFamily;  // leaked: usable until the process ends
  return family;
}

}  // namespace adaptive::kernels::ragged_paged_attention
