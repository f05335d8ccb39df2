// Checks which specifications, variants and keys an operation accepts.
#pragma once

#include <cstddef>
#include <string>

#include <adaptive/operation.hpp>

namespace adaptive::inline v1::core {

/// Maximum number of bytes of a name that a table can hold: the name of an operation, dimension, variant,
/// parameter or label.
constexpr std::size_t name_bytes_max = 1024;

/// Returns `spec`. Throws `Error` if it is invalid.
OperationSpec checked(OperationSpec spec);

/// Throws `Error` if a table cannot hold a name of the variant.
void check_variant(const Variant& variant, const std::string& where);

/// Throws `Error` if the number of values is wrong.
void check_arity(const OperationSpec& spec, const Key& key);
/// Throws `Error` if the number of values is wrong, or if a value is not the value of a label of its
/// dimension.
void check_key(const OperationSpec& spec, const Key& key);

}  // namespace adaptive::core
