/* The C interface for sharing through a Redis server, in the library adaptive_redis.
 *
 *     adaptive_store* store;
 *     adaptive_redis_store_create("tables.local", 6379, NULL, NULL, NULL, 0, &store);
 *     adaptive_saver_create_shared(selector, "adapted.json", store, 60000, &saver);
 *     adaptive_store_destroy(store);            // the saver keeps what it needs
 *
 * Errors and ownership are those of <adaptive/c.h>.
 */
#ifndef ADAPTIVE_REDIS_C_H
#define ADAPTIVE_REDIS_C_H

#include <adaptive/c.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a store on a Redis server (`RedisOptions` in <adaptive/redis.hpp>). `host` is a name, an address, or
 * the path of a Unix socket, which begins with '/'; NULL: this host. `port` 0: 6379. `user` and `password`
 * may be NULL. `prefix` begins the names of the server's keys; NULL: "adaptive". `timeout_ms` is the longest
 * wait for the connection and for each answer; 0: 2 s. It connects at its first use. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_redis_store_create(const char* host, int port, const char* user,
                                                              const char* password, const char* prefix,
                                                              uint64_t timeout_ms,
                                                              adaptive_store** store) ADAPTIVE_C_NOEXCEPT;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* ADAPTIVE_REDIS_C_H */
