#include <algorithm>
#include <array>

#include "formats/format.hpp"
#include "formats/libraries/flashinfer.hpp"
#include "formats/libraries/hipblaslt.hpp"
#include "formats/libraries/tensorrt_llm.hpp"
#include "formats/libraries/tunable_op.hpp"
#include "formats/systems/megablox.hpp"
#include "formats/systems/metal_marlin.hpp"
#include "formats/systems/sglang.hpp"
#include "formats/systems/sglang_grouped_gemm.hpp"
#include "formats/systems/tpu.hpp"
#include "formats/systems/vllm.hpp"
#include "formats/tuners/kernel_tuner.hpp"
#include "formats/tuners/ktt.hpp"
#include "formats/tuners/t4.hpp"
#include "formats/tuners/triton_autotune.hpp"

namespace adaptive::inline v1::table::formats {

// If two formats recognise a file, the first one reads it.
std::span<const Format* const> all() {
  static const std::array formats = {&sglang_grouped_gemm(),
                                     &sglang(),
                                     &vllm(),
                                     &megablox(),
                                     &metal_marlin(),
                                     &tpu_quantized_matmul(),
                                     &tpu_ragged_paged_attention(),
                                     &tunable_op(),
                                     &hipblaslt(),
                                     &flashinfer(),
                                     &flashinfer_entries(),
                                     &tensorrt_llm(),
                                     &triton_autotune(),
                                     &kernel_tuner(),
                                     &t4(),
                                     &ktt()};
  return formats;
}

std::vector<const Format*> named(std::string_view name) {
  std::string wanted(name);
  std::replace(wanted.begin(), wanted.end(), '_', '-');
  std::vector<const Format*> found;
  for (const Format* format : all())
    if (format->name() == wanted || format->system() == wanted) found.push_back(format);
  return found;
}

const Format* of_operation(std::string_view operation) {
  for (const Format* format : all())
    if (find_operation(*format, operation) != nullptr) return format;
  return nullptr;
}

const Dimension* foreign_dimension(const Format& format, const OperationShape& shape,
                                   const OperationTable& operation) {
  const auto found = std::ranges::find_if(operation.dimensions, [&](const Dimension& dimension) {
    return dimension.name != "device_name" && dimension.name != "folder" && dimension.name != "other" &&
           !format.is_rare_field(dimension.name) &&
           std::ranges::find(shape.dimensions, dimension.name, &Dimension::name) == shape.dimensions.end();
  });
  return found == operation.dimensions.end() ? nullptr : &*found;
}

const OperationShape* find_operation(const Format& format, std::string_view operation) {
  for (const OperationShape& shape : format.operations())
    if (shape.name == operation) return &shape;
  return nullptr;
}

std::string known_names() {
  std::vector<std::string_view> names;
  for (const Format* format : all())
    if (std::find(names.begin(), names.end(), format->system()) == names.end())
      names.push_back(format->system());
  std::sort(names.begin(), names.end());
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

}  // namespace adaptive::table::formats
