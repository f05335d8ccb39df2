// What a selector answers at its socket. <adaptive/socket.hpp> describes the protocol.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <adaptive/mode.hpp>
#include "learning/learning_context.hpp"
#include "operation/operation_parts.hpp"
#include "watch/changes.hpp"
#include "watch/socket/server.hpp"

namespace adaptive::inline v1::watch {

constexpr int protocol_version = 1;

/// The selector as the thread of its socket sees it. A function that would have to wait for a lock that may
/// be held while code of the program runs returns false instead (see `ForkGuard`).
class Watched {
 public:
  Watched() = default;
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  virtual ~Watched() = default;

  struct Contents {
    std::vector<const core::OperationParts*> operations = {};  ///< by name; they live as long as the selector
    std::vector<std::string> tables = {};                      ///< paths, the most trusted first
  };
  virtual bool try_contents(Contents& contents) = 0;
  /// Sets the mode, and `former` to that of before.
  virtual bool try_set_mode(Mode mode, Mode& former) = 0;
};

/// Answers requests, one at a time. What it refers to must outlive it.
class Answers {
 public:
  Answers(Watched& watched, core::LearningContext& context, Changes& changes, std::string name)
      : watched_(watched), context_(context), changes_(changes), name_(std::move(name)) {}

  /// `self` is the name of the socket that was asked.
  Answer respond(std::string_view line, const Peer& peer, ForkGuard& guard, const SocketName& self);

 private:
  struct Request;

  std::string status(const Request& request, ForkGuard& guard, const SocketName& self);
  std::string explain(const Request& request, ForkGuard& guard);
  std::string set_mode(const Request& request, const Peer& peer, ForkGuard& guard);

  Watched& watched_;
  core::LearningContext& context_;
  Changes& changes_;
  const std::string name_;
};

}  // namespace adaptive::watch
