// This example shows how a table carries what one run has learned to the next run. A key that is in the table
// starts with an exact match. A shape that has not been measured starts from the nearest measured shape, and
// its match says so. If that shape is too far away, the key starts with the default.
//
// The latencies in this example come from a formula, so that the output is the same on every machine.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>

#include <adaptive/adaptive.hpp>

namespace {

adaptive::Operation& define(adaptive::Selector& selector) {
  return selector.define({
      .name = "matmul",
      // Batches are padded to the next power of two, so all numbers of tokens up to it are one key.
      .dimensions = {adaptive::size_dimension("tokens", 1.0, adaptive::Rounding::power_of_two),
                     {"features"},
                     adaptive::label_dimension("dtype", {"float32", "bfloat16"})},
      .variants = {{.name = "row"}, {.name = "tile16", .parameters = {{"tile", 16}}}},
  });
}

/// One row at a time is faster for up to 8 tokens.
adaptive::Latency launch(std::uint32_t variant, std::int64_t tokens) {
  const double us =
      variant == 0 ? 10.0 * static_cast<double>(tokens) : 80.0 + 0.5 * static_cast<double>(tokens);
  return std::chrono::duration<double, std::micro>(us);
}

void show(const adaptive::Operation& matmul, const adaptive::Key& key) {
  const adaptive::Explanation why = matmul.explain(key);
  std::printf("%-44s %-8s distance %.2f  %s\n", why.key.c_str(),
              std::string(adaptive::to_string(why.match.kind)).c_str(), why.match.distance,
              why.incumbent.c_str());
}

}  // namespace

int main() {
  const std::filesystem::path table = "seed_table.json";
  std::int64_t bfloat16 = 0;
  {
    adaptive::Selector first;
    adaptive::Operation& matmul = define(first);
    bfloat16 = matmul.label("dtype", "bfloat16");
    for (int call = 0; call < 30'000; ++call)  // runs the leader at once and promotes it when it is sure
      for (const std::int64_t tokens : {1, 4, 64, 500}) {
        const adaptive::Decision decision = matmul.select({tokens, 4096, bfloat16});
        matmul.record(decision, launch(decision.variant(), tokens));
      }
    std::printf("the first run started without a table:\n");
    for (const std::int64_t tokens : {1, 4, 64, 500}) show(matmul, {tokens, 4096, bfloat16});
    first.save(table);
  }

  adaptive::Selector second({.tables = {.places = {table}}});  // or second.load(table)
  adaptive::Operation& matmul = define(second);
  std::printf("\nthe second run started from the table of the first:\n");
  show(matmul, {64, 4096, bfloat16});                          // exact
  show(matmul, {400, 4096, bfloat16});                         // padded to 512 like 500, so exact as well
  show(matmul, {64, 6144, bfloat16});                          // nearest: half a doubling away
  show(matmul, {64, 65536, bfloat16});                         // four doublings away is too far
  show(matmul, {64, 4096, matmul.label("dtype", "float32")});  // keys with different labels are never near

  std::printf("\n%s", matmul.explain({64, 6144, bfloat16}).text().c_str());
}
