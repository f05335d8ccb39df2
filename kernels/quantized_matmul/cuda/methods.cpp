#include <algorithm>
#include <stdexcept>

#include "kernels/quantized_matmul/cuda/problem.hpp"

// Which variants there are, and where they run.

namespace adaptive::kernels::quantized_matmul {
namespace {

const dense_gemm::Device* device() {
  return dense_gemm::Device::current();
}

/// Loads and stores must be complete 16-byte pieces.
bool whole_pieces(const CudaSizes& sizes) {
  return sizes.in_features % 16 == 0 && sizes.out_features % 8 == 0;
}

bool library_supports(const LibraryConfig& config, const CudaSizes& sizes) {
  if (!library_multiplies(sizes.types, sizes.scales, config.fast)) return false;
  if (sizes.types == Types::int8_w8a8 && sizes.out_features % 4 != 0) return false;  // launch_scale_sums()
  const auto product = known_product(operands_of(sizes), config.fast);
  if (product == nullptr) return false;
  // The library's check also accepts algorithms that ignore scales other than one for each tensor, and gives
  // wrong results. Those that it proposes for such scales are right.
  if (sizes.types == Types::fp8_w8a8 && sizes.scales != Scales::tensor) {
    const auto& proposed = product->candidates();
    if (std::find(proposed.begin(), proposed.end(), config.algorithm) == proposed.end()) return false;
  }
  return product->find(config.algorithm).has_value();
}

bool dequantise_supports(const CudaSizes& sizes) {
  dense_gemm::Device* now = dense_gemm::Device::current();
  if (now == nullptr || sizes.types != Types::int8_w8a16 || sizes.in_features % 16 != 0) return false;
  try {
    return !now->plan({sizes.tokens, sizes.out_features, sizes.in_features,
                       static_cast<std::int64_t>(cuda::Element::bfloat16)})
                ->candidates()
                .empty();
  } catch (const std::runtime_error&) {
    return false;
  }
}

}  // namespace

std::vector<Dimension> cuda_dimensions() {
  std::vector<Dimension> all = dimensions();
  all.push_back({"activations", Dimension::Kind::label, {"bfloat16", "quantised"}});
  return all;
}

std::optional<std::string> why_no_cuda_product(const Shape& shape) {
  static const std::vector<Dimension> all = cuda_dimensions();
  if (auto why = why_out_of_range(all, shape)) return why;
  if (auto why = why_no_product(Shape(shape.begin(), shape.end() - 1), 34)) return why;
  constexpr std::int64_t most = std::int64_t{1} << 30;  // indices along one dimension are ints
  for (std::size_t i = 0; i < 3; ++i)
    if (shape[i] > most) return all[i].name + " is above 2^30";
  if (CudaSizes(shape).quantised && CudaSizes(shape).types == Types::int8_w8a16)
    return "int8_w8a16 multiplies activations as they are, so they are not quantised";
  return std::nullopt;
}

const std::vector<Method>& own_methods() {
  static const std::vector<Method> all = [] {
    std::vector<Method> made = {{Method::Kind::plain}};
    for (std::size_t i = 0; i < few_configs.size(); ++i) made.push_back({Method::Kind::few, i});
    for (std::size_t i = 0; i < stream_configs.size(); ++i) made.push_back({Method::Kind::stream, i});
    for (std::size_t i = 0; i < split_configs.size(); ++i) made.push_back({Method::Kind::split, i});
    for (std::size_t i = 0; i < wgmma_configs.size(); ++i) made.push_back({Method::Kind::wgmma, i});
    for (std::size_t i = 0; i < convert_configs.size(); ++i) made.push_back({Method::Kind::convert, i});
    made.push_back({Method::Kind::dequantise});
    return made;
  }();
  return all;
}

std::string name_of(const Method& method) {
  switch (method.kind) {
    case Method::Kind::plain:
      break;
    case Method::Kind::few:
      return name_of(few_configs[method.index]);
    case Method::Kind::stream:
      return name_of(stream_configs[method.index]);
    case Method::Kind::split:
      return name_of(split_configs[method.index]);
    case Method::Kind::wgmma:
      return name_of(wgmma_configs[method.index]);
    case Method::Kind::convert:
      return name_of(convert_configs[method.index]);
    case Method::Kind::dequantise:
      return "dequantise_cublaslt";
    case Method::Kind::library:
      return name_of(method.library);
  }
  return "plain_tile32";
}

std::optional<Method> parse_method(std::string_view name,
                                   const std::vector<std::pair<std::string, Parameter>>& parameters) {
  for (const Method& method : own_methods())
    if (name == name_of(method)) return method;
  if (const auto config = parse_library(name, parameters))
    return Method{.kind = Method::Kind::library, .library = *config};
  return std::nullopt;
}

bool available(const Method& method) {
  const dense_gemm::Device* now = device();
  if (now == nullptr) return false;
  switch (method.kind) {
    case Method::Kind::few:
      return runs(cuda::Instructions::ampere, now->code());
    case Method::Kind::stream:
    case Method::Kind::split:
    case Method::Kind::wgmma:
    case Method::Kind::convert:
      return runs(cuda::Instructions::hopper, now->code());
    default:
      return true;
  }
}

bool supports(const Method& method, const Shape& shape) {
  const CudaSizes sizes(shape);
  switch (method.kind) {
    case Method::Kind::plain:
      break;
    case Method::Kind::few:
      return sizes.tokens <= few_tokens_max(few_configs[method.index]) && sizes.in_features % 16 == 0;
    case Method::Kind::stream:
      return whole_pieces(sizes) &&
             sizes.tokens <= std::int64_t{stream_tiles_max} * stream_configs[method.index].tokens;
    case Method::Kind::split:
      return sizes.types != Types::int8_w8a16 && whole_pieces(sizes) && sizes.tokens <= split_tokens_max;
    case Method::Kind::wgmma:
      return sizes.types != Types::int8_w8a16 && whole_pieces(sizes) &&
             !(wgmma_configs[method.index].turns && sizes.scales == Scales::block128);
    case Method::Kind::convert:
      return sizes.types == Types::int8_w8a16 && whole_pieces(sizes) &&
             sizes.tokens <= std::int64_t{65535} * convert_configs[method.index].tokens;  // the grid's height
    case Method::Kind::dequantise:
      return dequantise_supports(sizes);
    case Method::Kind::library:
      return library_supports(method.library, sizes);
  }
  return true;
}

}  // namespace adaptive::kernels::quantized_matmul
