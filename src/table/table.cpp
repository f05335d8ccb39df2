#include "table/table.hpp"

#include <algorithm>

namespace adaptive::inline v1::table {

bool operator==(const OperationTable& a, const OperationTable& b) {
  const auto same = [](const Dimension& x, const Dimension& y) {
    return x.name == y.name && x.kind == y.kind && x.labels == y.labels && x.weight == y.weight &&
           x.rounding == y.rounding;
  };
  return a.name == b.name && a.variants == b.variants && a.entries == b.entries && a.mapping == b.mapping &&
         std::equal(a.dimensions.begin(), a.dimensions.end(), b.dimensions.begin(), b.dimensions.end(), same);
}

}  // namespace adaptive::table
