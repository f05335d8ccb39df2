// A program that uses the packaged library: it must compile, link and select a variant.
#include <cstdio>

#include <adaptive/adaptive.hpp>

int main() {
  adaptive::Selector selector({.device = adaptive::host_device(), .use_environment = false});
  adaptive::Operation& op = selector.define(
      {.name = "op", .dimensions = {{"m"}}, .variants = {{.name = "plain"}, {.name = "tiled"}}});
  const adaptive::Decision decision = op.select({64});
  std::printf("adaptive %s runs variant %u\n", adaptive::library_version, decision.variant());
  return decision.variant() < 2 ? 0 : 1;
}
