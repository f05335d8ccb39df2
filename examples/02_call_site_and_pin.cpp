// This example shows two things. A call site with a fixed shape binds its key once. Work that is prepared
// once and repeated many times (a captured graph, a generated program) pins a variant, and is prepared again
// when the pin is stale.
//
// The operation sums an array. Both variants do real work, and the array is long enough to show their
// difference.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <numeric>
#include <vector>

#include <adaptive/adaptive.hpp>

namespace {

double sum_in_order(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value);
  return sum;
}

double sum_in_lanes(const std::vector<float>& values) {  // eight chains of additions instead of one
  double lanes[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= values.size(); i += 8)
    for (std::size_t lane = 0; lane < 8; ++lane) lanes[lane] += static_cast<double>(values[i + lane]);
  for (; i < values.size(); ++i) lanes[0] += static_cast<double>(values[i]);
  return std::accumulate(lanes, lanes + 8, 0.0);
}

}  // namespace

int main() {
  adaptive::Selector selector;
  adaptive::Operation& sum = selector.define({
      .name = "sum",
      .dimensions = {{"length"}},
      .variants = {{.name = "in_order"}, {.name = "in_lanes", .parameters = {{"lanes", 8}}}},
  });
  constexpr double (*kernels[])(const std::vector<float>&) = {sum_in_order, sum_in_lanes};
  const std::vector<float> values(50'000, 0.5F);

  // Stands for a graph: a program with the variant built in. It is expensive to make and cheap to run.
  adaptive::Pin pin = sum.pin({values.size()});
  int prepared = 0;
  const auto prepare = [&](const adaptive::Pin& with) {
    ++prepared;
    std::printf("prepared with %s\n", sum.variant(with.variant()).name.c_str());
    return std::function<double()>([kernel = kernels[with.variant()], &values] { return kernel(values); });
  };
  std::function<double()> graph = prepare(pin);

  // Elsewhere the same key is launched one by one, which teaches the selector. The key is looked up once,
  // here.
  const adaptive::Site site = sum.site({values.size()});
  double total = 0;
  for (int call = 0; call < 3000; ++call) {
    const adaptive::Decision decision = site.select();
    const auto begin = std::chrono::steady_clock::now();
    total += kernels[decision.variant()](values);
    if (decision.timed()) sum.record(decision, std::chrono::steady_clock::now() - begin);

    total += graph();  // never explores and is never timed
    if (pin.stale()) {
      pin = site.pin();
      graph = prepare(pin);
    }
  }
  std::printf("%s", sum.explain({values.size()}).text().c_str());
  std::printf("prepared %d times for 3000 replays; the graph runs %s, total %.0f\n", prepared,
              sum.variant(pin.variant()).name.c_str(), total);
}
