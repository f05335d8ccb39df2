// Metrics over HTTP, and for a program's own registry.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <adaptive/adaptive.hpp>
#include <adaptive/metrics.hpp>
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

// The answer of the server on this host to a GET.
std::string get(int port, const std::string& path) {
  const int connection = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = "GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n";
    EXPECT_EQ(::send(connection, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
    char buffer[4096];
    for (ssize_t size = 0; (size = ::recv(connection, buffer, sizeof buffer, 0)) > 0;)
      answer.append(buffer, static_cast<std::size_t>(size));
  }
  ::close(connection);
  return answer;
}

TEST(Prometheus, IsAnsweredOverHttp) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  const metrics::Endpoint endpoint(selector, "127.0.0.1:0", {.labels = {{"device", "0"}}});
  ASSERT_GT(endpoint.port(), 0);
  test::learn(op, {64}, {2e6, 1e6});
  const std::string answer = get(endpoint.port(), "/metrics");
  EXPECT_NE(answer.find("200 OK"), std::string::npos) << answer;
  EXPECT_NE(answer.find("adaptive_results_total{operation=\"op\",device=\"0\"} 40"), std::string::npos)
      << answer;
  EXPECT_NE(answer.find("# TYPE adaptive_keys gauge"), std::string::npos);
}

TEST(Prometheus, AnAddressInUseIsAnError) {
  Selector selector(test::options());
  const metrics::Endpoint first(selector, "127.0.0.1:0");
  try {
    const metrics::Endpoint second(selector, "127.0.0.1:" + std::to_string(first.port()));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
  }
}

TEST(Prometheus, AProgramMayRegisterTheMetricsItself) {
  EXPECT_TRUE(metrics::has_prometheus());
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  test::learn(op, {64}, {2e6, 1e6});
  const auto collectable = metrics::collectable(selector);
  const std::vector<prometheus::MetricFamily> families = collectable->Collect();
  const std::vector<metrics::Family> expected = metrics::collect(selector);
  ASSERT_EQ(families.size(), expected.size());
  for (std::size_t i = 0; i < families.size(); ++i) {
    EXPECT_EQ(families[i].name, expected[i].name);
    ASSERT_EQ(families[i].metric.size(), expected[i].samples.size());
    for (std::size_t k = 0; k < families[i].metric.size(); ++k) {
      const prometheus::ClientMetric& metric = families[i].metric[k];
      EXPECT_EQ(
          families[i].type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value,
          expected[i].samples[k].value);
    }
  }
}

}  // namespace
}  // namespace adaptive
