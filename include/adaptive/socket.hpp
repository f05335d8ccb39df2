#pragma once

#include <filesystem>
#include <string>

namespace adaptive::inline v1 {

/// A local socket at which a selector tells what it does, and takes another mode. `adaptive top` shows all
/// selectors of a user that have one; `adaptive mode PID off` is the kill switch.
///
///     adaptive::Selector selector({.socket = {.listen = true}});
///     $ ADAPTIVE_SOCKET=1 ./server          # for a program that uses the environment
///     $ adaptive top
///     $ adaptive mode 4711 off
///
/// **Who may ask.** Only processes of the user that the program runs as: the socket has mode 0600 in a folder
/// that nobody else can write, and the selector closes a connection whose credentials (`SO_PEERCRED`) name
/// another user. The superuser is another user, too.
///
/// **What it costs.** One thread that sleeps until somebody asks. The launch path is the same with and
/// without it. An answer reads each key under its lock, one to two microseconds for each.
///
/// **Where it is.** FOLDER/PID.NUMBER.sock; the number tells the selectors of a process apart. The file goes
/// with the selector. A killed process leaves it behind; whoever lists the folder recognises a socket at
/// which nobody listens, and removes it. A forked child never answers for its parent: it closes the socket,
/// and gets its own when its selector's worker thread starts, or at `Selector::learn`.
///
/// **Protocol, version 1.** A client sends lines of JSON, and gets a line of JSON for each. It may keep the
/// connection.
///
///     {"version": 1, "ask": "status", "sort": "time", "limit": 50, "operation": "gemm", "filter": "m=512"}
///     {"version": 1, "ask": "explain", "operation": "gemm", "key": "m=512 type=bfloat16"}
///     {"version": 1, "ask": "mode", "mode": "off"}
///
/// `status` has the totals of each operation, the first `limit` (50; 0 to 1,000) keys by `time`, `calls`,
/// `saved`, `lost` or `changed`, and the latest changes, at most 16. `operation` chooses an operation, and
/// `filter` keys whose operation, key, incumbent or leader contains it. `explain` has the fields of
/// `Explanation` and its text, for a key that has a state, written as `status` writes it. `mode` without a
/// mode only tells it. Members that a reader does not know are for a later version: it ignores them. An
/// answer without success is {"version": 1, "error": {"code": "invalid", "what": "…"}}, with a code from
/// `invalid`, `version`, `not_found`, `busy`, `too_large` and `failed`; after `invalid` the connection ends.
///
/// **Bounds.** A request has at most 4,096 bytes and an answer at most 4 MiB. A selector has eight
/// connections; one more ends that which has been idle for the longest time, so that clients that stall keep
/// nobody out. Nothing waits for a client: an answer that a client does not read stays in the memory of its
/// connection.
struct SocketOptions {
  /// Whether the selector listens. If false, the environment variable `ADAPTIVE_SOCKET` decides, if the
  /// selector uses the environment: "1" is the user's folder, another value a folder, "0" none.
  bool listen = false;
  /// The folder, which is made if it does not exist. It must belong to the user, and nobody else may write
  /// there. Empty: the user's, which `adaptive top` finds: $XDG_RUNTIME_DIR/adaptive, without that variable
  /// /run/user/UID/adaptive, or /tmp/adaptive-UID where that does not exist.
  std::filesystem::path folder = {};
  /// What `adaptive top` calls the selector, to tell the selectors of a process apart. Empty: the device.
  std::string name = {};
};

}  // namespace adaptive
