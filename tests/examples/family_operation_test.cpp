#include "examples/serving/family_operation.hpp"

#include <gtest/gtest.h>

#include <adaptive/selector.hpp>

namespace serving {
namespace {

TEST(FamilyOperation, HoldsTheVariantsThatRunHereOfEveryFamily) {
  adaptive::Selector selector({.use_environment = false});
  for (const kernels::Family* family : kernels::families()) {
    const FamilyOperation made = make_operation(*family);
    adaptive::Operation& operation = selector.define(made.spec);
    ASSERT_EQ(operation.variant_count(), made.family_variants.size()) << family->name();
    EXPECT_TRUE(made.spec.mix_numeric_classes) << "the demo says that other roundings are welcome";
    ASSERT_EQ(operation.dimensions().size(), family->dimensions().size());
    std::size_t available = 0;
    for (const kernels::Variant& variant : family->variants()) available += variant.available() ? 1 : 0;
    EXPECT_EQ(made.family_variants.size(), available);
    for (std::uint32_t v = 0; v < operation.variant_count(); ++v) {
      const kernels::Variant& from = family->variants()[made.family_variants[v]];
      EXPECT_EQ(operation.variant(v).name, from.name);
      EXPECT_EQ(operation.variant(v).parameters.size(), from.parameters.size());
      EXPECT_EQ(operation.variant(v).numeric_class, from.numeric_class);
    }
  }
}

TEST(FamilyOperation, SelectsOnlyWhatSupportsTheShape) {
  adaptive::Selector selector({.use_environment = false});
  for (const kernels::Family* family : kernels::families()) {
    const FamilyOperation made = make_operation(*family);
    adaptive::Operation& operation = selector.define(made.spec);
    for (const kernels::Shape& shape : family->bench_shapes())
      for (int call = 0; call < 40; ++call) {
        const adaptive::Decision decision = operation.select(key_of(shape));
        ASSERT_TRUE(family->runs(made.family_variants[decision.variant()], shape))
            << kernels::to_string(*family, shape);
        operation.record(decision, adaptive::Latency(1000.0 + decision.variant()));
      }
  }
}

TEST(FamilyOperation, RoundsTheSizesThatArePadded) {
  const kernels::Family& family = *kernels::families().front();
  const std::string& name = family.dimensions().front().name;
  const FamilyOperation made = make_operation(family, {name});
  EXPECT_EQ(made.spec.dimensions.front().rounding, adaptive::Rounding::power_of_two);
  EXPECT_EQ(made.spec.dimensions.back().rounding, adaptive::Rounding::none);
}

TEST(FamilyOperation, KeysAndShapesConvertBothWays) {
  const kernels::Shape shape = {1, 4096, 12};
  EXPECT_EQ(shape_of(key_of(shape)), shape);
}

}  // namespace
}  // namespace serving
