#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <adaptive/detail/export.hpp>
#include <adaptive/store.hpp>

namespace adaptive::inline v1 {

struct RedisOptions {
  /// A name, an address, or the path of a Unix socket, which begins with '/'.
  std::string host = "127.0.0.1";
  int port = 6379;
  std::string user = {};  ///< of servers with several; else empty
  std::string password = {};
  /// Before the name of every key that is used, so that a server can be shared with other programs.
  std::string prefix = "adaptive";
  /// Of connecting, and of every answer.
  std::chrono::milliseconds timeout = std::chrono::seconds(2);
  /// What the server keeps of writers that have ended. A writer's keys have an expiry, which every exchange
  /// renews. Needs clocks that agree among hosts as far as this time asks for.
  Retention retention = {};
};

/// A Redis server, which needs no modules and no scripts (Redis 4 or later). A process fetches only records
/// that have changed since it last asked. The keys of a group:
///
/// - "PREFIX:GROUP:records:WRITER", a hash: the writer's records by name.
/// - "PREFIX:GROUP:versions:WRITER", a sorted set: the names of these records by when they were written.
/// - "PREFIX:GROUP:writers", a sorted set: all writers by their last exchange.
///
/// Times are in microseconds since 1970. Connects at the first use, and anew after any error. Throws `Error`
/// where `retention` allows no writer, or its time is negative. `#include <adaptive/redis.hpp>`, target
/// adaptive::redis.
[[nodiscard]] ADAPTIVE_EXPORT std::shared_ptr<Store> redis_store(RedisOptions options = {});

}  // namespace adaptive
