// Metrics over HTTP, and for a program's own registry, by prometheus-cpp.
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>

#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/error.hpp>
#include <adaptive/metrics.hpp>

namespace adaptive::inline v1::metrics {
namespace {

prometheus::ClientMetric metric_of(const Sample& sample, MetricType type) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
  (type == MetricType::counter ? metric.counter.value : metric.gauge.value) = sample.value;
  return metric;
}

prometheus::MetricFamily family_of(Family family) {
  prometheus::MetricFamily out;
  out.name = std::move(family.name);
  out.help = std::move(family.help);
  out.type =
      family.type == MetricType::counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
  for (const Sample& sample : family.samples) out.metric.push_back(metric_of(sample, family.type));
  return out;
}

class SelectorMetrics final : public prometheus::Collectable {
 public:
  SelectorMetrics(const Selector& selector, Options options)
      : selector_(selector), options_(std::move(options)) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::vector<prometheus::MetricFamily> families;
    for (Family& family : collect(selector_, options_)) families.push_back(family_of(std::move(family)));
    return families;
  }

 private:
  const Selector& selector_;
  const Options options_;
};

}  // namespace

struct Endpoint::Impl {
  Impl(const Selector& selector, const std::string& address, Options options)
      : metrics(std::make_shared<SelectorMetrics>(selector, std::move(options))), exposer(address) {
    exposer.RegisterCollectable(metrics);
  }

  std::shared_ptr<prometheus::Collectable> metrics;
  prometheus::Exposer exposer;
};

bool has_prometheus() noexcept {
  return true;
}

Endpoint::Endpoint(const Selector& selector, const std::string& address, Options options) {
  try {
    impl_ = std::make_unique<Impl>(selector, address, std::move(options));
  } catch (const std::exception& error) {
    throw Error(ErrorCode::unavailable, std::string("cannot listen: ") + error.what(), address,
                "choose another address; port 0 takes a free port");
  }
}

Endpoint::~Endpoint() = default;

int Endpoint::port() const noexcept {
  try {
    const std::vector<int> ports = impl_->exposer.GetListeningPorts();
    return ports.empty() ? 0 : ports.front();
  } catch (...) {
    return 0;
  }
}

std::shared_ptr<prometheus::Collectable> collectable(const Selector& selector, Options options) {
  return std::make_shared<SelectorMetrics>(selector, std::move(options));
}

}  // namespace adaptive::metrics
