// The keys of a trace as keys of operations that a program would define.
#pragma once

#include <cstddef>
#include <vector>

#include <adaptive/key.hpp>
#include <adaptive/operation.hpp>
#include "table/trace.hpp"

namespace adaptive::inline v1::replay {

/// Whether both keys are of one operation: it has the same name and the same dimensions.
bool same_operation(const table::TraceKey& a, const table::TraceKey& b);

/// The dimensions of keys of one operation. Those with whole numbers only are sizes, all others labels.
std::vector<Dimension> dimensions_of(const std::vector<const table::TraceKey*>& keys);

Key key_of(const table::TraceKey& key, const std::vector<Dimension>& dimensions);

/// All operations of a trace, and which key of which operation each of its keys is.
struct TraceOperations {
  struct Place {
    std::size_t operation = 0;
    Key key = {};
  };
  std::vector<OperationSpec> specs = {};
  std::vector<Place> places = {};  ///< in the order of the trace
};

/// An operation's variants are those of all its keys, in the order of their first mention. A key supports its
/// own ones only.
TraceOperations operations_of(const std::vector<table::TraceKey>& keys);

}  // namespace adaptive::replay
