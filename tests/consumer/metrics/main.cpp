// A user's program that gives its metrics to Prometheus, over HTTP if the library was built with
// prometheus-cpp.
#include <cstdio>
#include <memory>
#include <string>

#include <adaptive/adaptive.hpp>
#include <adaptive/metrics.hpp>

int main() {
  adaptive::Selector selector;
  selector.define({.name = "op", .dimensions = {{"m"}}, .variants = {{.name = "plain"}}});
  const std::string text = adaptive::metrics::text(adaptive::metrics::collect(selector));
  std::fputs(text.c_str(), stdout);
  try {
    const adaptive::metrics::Endpoint endpoint(selector, "127.0.0.1:0");
    if (!adaptive::metrics::has_prometheus() || endpoint.port() == 0) return 1;
  } catch (const adaptive::Error& error) {
    std::puts(error.what());
    if (error.code() != adaptive::ErrorCode::unsupported) return 1;
  }
  return text.find("adaptive_promotions_total{operation=\"op\"} 0") != std::string::npos ? 0 : 1;
}
