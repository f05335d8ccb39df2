// The common parts of the caches of FlashInfer and TensorRT-LLM, whose autotuners have the same origin. They
// choose a tactic of a runner for an operation and the shapes of its tensors. The key is a Python tuple,
// printed:
//
//   ('fp4_gemm', 'CudnnRunner', ((16, 4096), (4096, 512)), ())
//
// The table has the first number of the shapes, in most operations the number of tokens, as the size m. In
// the label `shapes` the letter m stands for it wherever it occurs: "((m, 4096), (4096, 512))". Keys that
// differ in it alone are neighbours.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

/// The elements of a printed Python tuple, as they are written. Nothing if the text is not such a tuple.
std::optional<std::vector<std::string>> tuple_elements(std::string_view text);
/// The text of a printed Python string. Nothing if it is not one, or has escapes.
std::optional<std::string> quoted_text(std::string_view element);

/// The values m and `shapes` of a printed tuple of shapes.
void read_shapes(std::string_view shapes, Shape& key);
/// The reverse.
std::string print_shapes(const Shape& key);

/// A tactic as a parameter: a number, or the text of a nested list such as "[128, 2, 1]".
std::optional<Parameter> tactic_in(JsonValue value);
/// The reverse, as JSON.
std::string print_tactic(const Parameters& parameters);

}  // namespace adaptive::table::formats
