// Tests every variant with every test shape: the result is correct and complete, the variant is refused where
// it says so, and results within a numeric class have the same bits.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <set>
#include <string>

#include "tests/kernels/cuda/random_operand.hpp"
#include "tests/kernels/cuda/support.hpp"

namespace adaptive::kernels::cuda {
namespace {

// Set by scripts/test for racecheck, which reports accesses in cuBLASLt's kernels as races, breaks if it is
// told to ignore them, and takes seconds for kernels that take a microsecond otherwise.
bool own_kernels_only() {
  return std::getenv("ADAPTIVE_TEST_OWN_KERNELS") != nullptr;
}

bool left_out(const Variant& variant) {
  return own_kernels_only() &&
         (variant.name.starts_with("lt") || variant.name.find("cublas") != std::string::npos);
}

bool left_out(const Variant& variant, const Problem& problem) {
  const double operations_max = variant.name.starts_with("plain") ? 2e5 : 5e7;
  return left_out(variant) || (own_kernels_only() && problem.operations() > operations_max);
}

class EveryCudaVariant : public OnGpu, public testing::WithParamInterface<const Family*> {
 protected:
  const Family& family = *GetParam();
};

TEST_P(EveryCudaVariant, RunsOnATestShapeIfItIsACandidate) {
  std::set<std::size_t> candidates = {0};
  for (const Shape& shape : family.test_shapes())
    for (const std::size_t v : family.candidates(shape)) candidates.insert(v);
  int refused = 0;
  std::set<std::size_t> run;
  for (const Shape& shape : family.test_shapes())
    for (std::size_t v = 0; v < family.variant_count(); ++v) {
      if (family.runs(v, shape))
        run.insert(v);
      else
        ++refused;
    }
  for (const std::size_t v : candidates) EXPECT_TRUE(run.contains(v)) << family.variant(v).name;
  EXPECT_GE(refused, 10);
}

/// A family and the number of one of its test shapes. Each is a test of its own, so that processes can divide
/// them among themselves (GTEST_TOTAL_SHARDS).
struct TestShape {
  const Family* family;
  std::size_t number;
};

void PrintTo(const TestShape& at, std::ostream* out) {
  *out << at.family->name() << ' ' << at.number;
}

std::vector<TestShape> all_test_shapes() {
  std::vector<TestShape> all;
  for (const Family* family : families())
    for (std::size_t i = 0; i < family->test_shapes().size(); ++i) all.push_back({family, i});
  return all;
}

class EveryCudaVariantOnAShape : public OnGpu, public testing::WithParamInterface<TestShape> {
 protected:
  const Family& family = *GetParam().family;
  const Shape shape = family.test_shapes()[GetParam().number];
};

// Every variant is tried: refused ones must not change the output.
TEST_P(EveryCudaVariantOnAShape, AgreesWithTheReferenceOrLeavesTheOutput) {
  const auto problem = family.make_problem(shape, {.seed = 7, .rotate_bytes = 4096});
  SCOPED_TRACE(problem->description());
  for (std::size_t v = 0; v < family.variant_count(); ++v) {
    if (left_out(family.variant(v), *problem)) continue;
    SCOPED_TRACE(family.variant(v).name);
    problem->poison_output(stream);
    const std::vector<std::byte> poison = problem->output(stream);
    EXPECT_EQ(problem->launch(v, stream), LaunchStatus::unprepared);
    if (!family.runs(v, shape)) {
      const LaunchStatus refusal = problem->prepare(v, stream);
      EXPECT_TRUE(refusal == LaunchStatus::unsupported ||
                  (refusal == LaunchStatus::unavailable && !family.variant(v).available()));
      EXPECT_EQ(problem->launch(v, stream), refusal);
      EXPECT_EQ(problem->output(stream), poison) << "a refused launch touched the output";
      continue;
    }
    EXPECT_EQ(problem->output(stream), poison) << "an unprepared launch touched the output";
    ASSERT_EQ(problem->prepare(v, stream), LaunchStatus::ok);
    problem->poison_output(stream);
    ASSERT_EQ(problem->launch(v, stream), LaunchStatus::ok);
    EXPECT_LE(problem->max_error(stream), problem->tolerance());
    const std::vector<std::byte> first = problem->output(stream);
    problem->poison_output(stream);
    ASSERT_EQ(problem->launch(v, stream), LaunchStatus::ok);
    if (repeats(family.variant(v))) {
      EXPECT_EQ(problem->output(stream), first) << "two launches differ";
    } else {
      EXPECT_LE(problem->max_error(stream), problem->tolerance());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cuda, EveryCudaVariantOnAShape, testing::ValuesIn(all_test_shapes()),
                         [](const auto& at) {
                           return at.param.family->name() + "_" + std::to_string(at.param.number);
                         });

TEST_P(EveryCudaVariant, OfOneClassIsBitIdentical) {
  for (const Shape& shape : family.test_shapes()) {
    const auto problem = family.make_problem(shape, {.seed = 3});
    SCOPED_TRACE(problem->description());
    std::map<std::string, std::pair<std::string, std::vector<std::byte>>> first_of_class;
    for (std::size_t v = 0; v < family.variant_count(); ++v) {
      const Variant& variant = family.variant(v);
      if (!repeats(variant) || problem->prepare(v, stream) != LaunchStatus::ok) continue;
      const auto output = problem->output(stream);
      const auto [at, is_first] = first_of_class.try_emplace(variant.numeric_class, variant.name, output);
      EXPECT_TRUE(is_first || at->second.second == output)
          << variant.name << " differs from " << at->second.first << " of class " << variant.numeric_class;
    }
  }
}

// Launches that overlap read what the one before has not yet written, and use its memory, unless they wait.
TEST_P(EveryCudaVariant, GivesTheSameBitsInOverlappingLaunches) {
  for (const Shape& shape : family.test_shapes()) {
    const auto apart = family.make_problem(shape, {.seed = 5});
    const auto overlapping = family.make_problem(shape, {.seed = 5, .overlaps = true});
    if (own_kernels_only() && apart->operations() > 5e7) continue;
    SCOPED_TRACE(apart->description());
    for (std::size_t v = 1; v < family.variant_count(); ++v) {
      const Variant& variant = family.variant(v);
      if (left_out(variant) || !repeats(variant) || apart->prepare(v, stream) != LaunchStatus::ok) continue;
      SCOPED_TRACE(variant.name);
      ASSERT_EQ(overlapping->prepare(v, stream), LaunchStatus::ok);
      overlapping->poison_output(stream);
      for (int launch = 0; launch < 3; ++launch) ASSERT_EQ(overlapping->launch(v, stream), LaunchStatus::ok);
      EXPECT_EQ(overlapping->output(stream), apart->output(stream));
    }
  }
}

TEST_P(EveryCudaVariant, IsNotTakenForRightWhereNothingWasWritten) {
  const auto problem = family.make_problem(family.test_shapes().front(), {});
  problem->poison_output(stream);
  EXPECT_EQ(problem->max_error(stream), std::numeric_limits<double>::infinity());
}

TEST_P(EveryCudaVariant, ThatDoesNotExistIsRefused) {
  const auto problem = family.make_problem(family.test_shapes().front(), {});
  EXPECT_EQ(problem->prepare(Family::variants_max, stream), LaunchStatus::unknown_variant);
  EXPECT_EQ(problem->launch(Family::variants_max, stream), LaunchStatus::unknown_variant);
}

INSTANTIATE_TEST_SUITE_P(Cuda, EveryCudaVariant, testing::ValuesIn(families().begin(), families().end()),
                         [](const auto& family) { return family.param->name(); });

// A name that a table has and that this process has not met: 64 × 64 tiles of an algorithm that does not
// exist.
TEST_F(OnGpu, DenseGemmOfAnUnknownAlgorithmIsParsedAndRefused) {
  const Family* family = find_family("dense_gemm");
  ASSERT_NE(family, nullptr);
  const auto unknown = family->parse("lt30000_t5_s1_k1_r0_x0_o0_i0_c0", {});
  ASSERT_TRUE(unknown);
  EXPECT_FALSE(family->runs(*unknown, {16, 64, 64, 0}));
  // Sums in the type of the output are not what this family guarantees.
  const auto output_type = family->parse("lt66_t20_s35_k2_r4_x0_o0_i0_c0", {});
  ASSERT_TRUE(output_type);
  EXPECT_FALSE(family->runs(*output_type, {16, 64, 64, 0}));
}

// The reference runs on the same device as the kernels that it checks; here the host checks both.
TEST_F(OnGpu, DenseGemmAgreesWithTheHost) {
  const Family* family = find_family("dense_gemm");
  ASSERT_NE(family, nullptr);
  const Shape shape = {7, 50, 136, 0};
  const std::uint64_t seed = 12;
  const auto problem = family->make_problem(shape, {.seed = seed});
  for (const std::size_t v : family->candidates(shape)) {
    ASSERT_EQ(problem->prepare(v, stream), LaunchStatus::ok);
    const std::vector<std::byte> output = problem->output(stream);
    ASSERT_EQ(output.size(), 7u * 50u * 2u);
    for (std::uint64_t row = 0; row < 7; ++row)
      for (std::uint64_t column = 0; column < 50; ++column) {
        double expected = 0.0;
        for (std::uint64_t i = 0; i < 136; ++i)
          expected +=
              random_operand(seed, row * 136 + i) * random_operand(seed ^ weights_seed, column * 136 + i);
        std::uint16_t bits;
        std::memcpy(&bits, &output[(row * 50 + column) * 2], sizeof bits);
        EXPECT_NEAR(from_bfloat16(bits), expected, 1e-4 + std::abs(expected) * 0x1p-8)
            << row << ' ' << column;
      }
  }
}

}  // namespace
}  // namespace adaptive::kernels::cuda
