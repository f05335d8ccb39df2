// Which specifications, variants and keys an operation accepts.
#pragma once

#include <cstddef>
#include <string>

#include <adaptive/operation.hpp>

namespace adaptive::inline v1::core {

/// Bytes of the longest name that a table can hold: of an operation, a dimension, a variant, a parameter, a
/// label.
constexpr std::size_t name_bytes_max = 1024;

/// Returns `spec`. Throws `Error` where it is not valid.
OperationSpec checked(OperationSpec spec);

/// Throws `Error` where a name of the variant could not be stored in a table.
void check_variant(const Variant& variant, const std::string& where);

/// Throws `Error` where the number of values is wrong.
void check_arity(const OperationSpec& spec, const Key& key);
/// Throws `Error` where the number of values is wrong, or a value names no label of its dimension.
void check_key(const OperationSpec& spec, const Key& key);

}  // namespace adaptive::core
