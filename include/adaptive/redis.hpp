#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <adaptive/detail/export.hpp>
#include <adaptive/store.hpp>

namespace adaptive {

struct RedisOptions {
  /// A name, an address, or the path of a Unix socket, which begins with '/'.
  std::string host = "127.0.0.1";
  int port = 6379;
  std::string user = {};  ///< of servers with several; else empty
  std::string password = {};
  /// Before the name of every hash that is used, so that a server can be shared with other programs.
  std::string prefix = "adaptive";
  /// Of connecting, and of every answer.
  std::chrono::milliseconds timeout = std::chrono::seconds(2);
};

/// A Redis server: the hash "PREFIX:GROUP" has a field for each record. Connects at the first use, and anew
/// after any error. `#include <adaptive/redis.hpp>`, target adaptive::redis.
ADAPTIVE_EXPORT std::shared_ptr<Store> redis_store(RedisOptions options = {});

}  // namespace adaptive
