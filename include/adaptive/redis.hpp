#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <adaptive/detail/export.hpp>
#include <adaptive/store.hpp>

namespace adaptive::inline v1 {

/// How to reach a Redis server, and what it keeps.
struct RedisOptions {
  /// A host name, an address, or the path of a Unix socket, which begins with '/'.
  std::string host = "127.0.0.1";
  int port = 6379;
  std::string user = {};      ///< empty for a server without users
  std::string password = {};  ///< empty for a server without a password
  /// Begins the name of every key, so that other programs can use the same server.
  std::string prefix = "adaptive";
  /// Longest time to wait for the connection, and for each answer.
  std::chrono::milliseconds timeout = std::chrono::seconds(2);
  /// What the server keeps of writers that have ended. A writer's keys expire, and every exchange renews
  /// them. The clocks of the hosts must agree well enough for this time.
  Retention retention = {};
};

/// Makes a store on a Redis server (Redis 4 or later; no modules, no scripts). A process fetches only records
/// that have changed since it last asked. A group has these keys:
///
/// - "PREFIX:GROUP:records:WRITER", a hash: the writer's records by name.
/// - "PREFIX:GROUP:versions:WRITER", a sorted set: the names of these records by when they were written.
/// - "PREFIX:GROUP:writers", a sorted set: all writers by their last exchange.
///
/// Times are in microseconds since 1970. The store connects at its first use, and again after any error.
/// Throws `Error` if `retention` allows no writer or its time is negative. Link the target adaptive::redis.
[[nodiscard]] ADAPTIVE_EXPORT std::shared_ptr<Store> redis_store(RedisOptions options = {});

}  // namespace adaptive
