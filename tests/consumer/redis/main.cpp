// A user's program that shares through Redis. It also runs without a server, and reports that.
#include <cstdio>
#include <memory>
#include <string>

#include <adaptive/adaptive.hpp>
#include <adaptive/redis.hpp>

int main() {
  const std::shared_ptr<adaptive::Store> store = adaptive::redis_store({.host = "/nonexistent/redis.sock"});
  try {
    store->read("group");
  } catch (const adaptive::Error& error) {
    std::printf("%s\n", error.what());
    return std::string(error.what()).find("/nonexistent/redis.sock") != std::string::npos ? 0 : 1;
  }
  return 1;
}
