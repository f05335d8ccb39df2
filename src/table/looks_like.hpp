// Tables of other systems are JSON too: naming them saves their owner a search.
#pragma once

#include <string_view>

#include "table/json_tree.hpp"

namespace adaptive::table {

/// What a file with this top-level member probably is: "a vLLM or SGLang configuration". Empty where unknown.
std::string_view looks_like(JsonValue member);

}  // namespace adaptive::table
