// The C interface for sharing through a Redis server, a part of the library adaptive_redis.
#include <cstdint>
#include <memory>
#include <utility>

#include <adaptive/redis/c.h>
#include <adaptive/redis.hpp>
#include "c/handles.hpp"

using adaptive::c::guarded;
using adaptive::c::require;

adaptive_status adaptive_redis_store_create(const char* host, int port, const char* user,
                                            const char* password, const char* prefix,
                                            std::uint64_t timeout_ms, adaptive_store** store) noexcept {
  return guarded([&] {
    require("adaptive_redis_store_create", store);
    adaptive::RedisOptions options;
    if (host != nullptr) options.host = host;
    if (port != 0) options.port = port;
    if (user != nullptr) options.user = user;
    if (password != nullptr) options.password = password;
    if (prefix != nullptr) options.prefix = prefix;
    if (timeout_ms > 0)
      options.timeout = adaptive::c::milliseconds_of(timeout_ms, "adaptive_redis_store_create");
    *store =
        std::make_unique<adaptive_store>(adaptive_store{adaptive::redis_store(std::move(options))}).release();
  });
}
