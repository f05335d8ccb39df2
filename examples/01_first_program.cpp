// This example shows the whole cycle: define an operation with two variants, select one before each launch,
// time it if requested, record the latency, ask for an explanation, and save what was learned.
//
// The operation transposes a matrix, row by row or in tiles of 32 x 32 that stay in the cache. Which variant
// is faster depends on the shape, so the shape is the key.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

#include <adaptive/adaptive.hpp>

namespace {

struct Problem {
  std::size_t rows, columns;
  std::vector<float> in, out;
};

void transpose_rows(Problem& p) {
  for (std::size_t r = 0; r < p.rows; ++r)
    for (std::size_t c = 0; c < p.columns; ++c) p.out[c * p.rows + r] = p.in[r * p.columns + c];
}

void transpose_tiles(Problem& p) {
  constexpr std::size_t tile = 32;
  for (std::size_t r0 = 0; r0 < p.rows; r0 += tile)
    for (std::size_t c0 = 0; c0 < p.columns; c0 += tile)
      for (std::size_t r = r0; r < std::min(r0 + tile, p.rows); ++r)
        for (std::size_t c = c0; c < std::min(c0 + tile, p.columns); ++c)
          p.out[c * p.rows + r] = p.in[r * p.columns + c];
}

Problem make_problem(std::size_t rows, std::size_t columns) {
  return {rows, columns, std::vector<float>(rows * columns, 1.0F), std::vector<float>(rows * columns)};
}

}  // namespace

int main() {
  adaptive::Selector selector(
      {.device = adaptive::host_device(), .tables = adaptive::TableSearch::standard()});

  adaptive::Operation& transpose = selector.define({
      .name = "transpose",
      .dimensions = {{"rows"}, {"columns"}},
      .variants = {{.name = "rows"},  // the first variant is the default
                   {.name = "tiles", .parameters = {{"tile", 32}}}},
  });
  constexpr void (*kernels[])(Problem&) = {transpose_rows, transpose_tiles};

  std::vector<Problem> problems;
  problems.push_back(make_problem(512, 512));
  problems.push_back(make_problem(2, 50'000));

  for (int call = 0; call < 2000; ++call) {
    for (Problem& problem : problems) {
      const adaptive::Decision decision = transpose.select({problem.rows, problem.columns});
      const auto begin = std::chrono::steady_clock::now();
      kernels[decision.variant()](problem);
      if (decision.timed()) transpose.record(decision, std::chrono::steady_clock::now() - begin);
    }
  }

  for (const Problem& problem : problems)
    std::printf("%s\n", transpose.explain({problem.rows, problem.columns}).text().c_str());

  // adaptive::run does select, clock and record in one line. If the function throws, the variant is set
  // aside.
  adaptive::run(transpose, {problems[0].rows, problems[0].columns},
                [&](std::uint32_t variant) { kernels[variant](problems[0]); });

  selector.save("first_program.json");
  std::printf("saved first_program.json: the table to start from next time\n");
}
