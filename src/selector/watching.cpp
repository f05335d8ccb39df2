// What a selector shows at its socket, and what others may change there.
#include <exception>
#include <mutex>
#include <string>
#include <string_view>

#include "operation/control.hpp"
#include "selector/selector.hpp"
#include "watch/socket/socket_folder.hpp"

namespace adaptive::inline v1 {

void Selector::Impl::open_socket() noexcept {
  try {
    const SocketOptions& socket = options.socket;
    answers = std::make_unique<watch::Answers>(*this, context, *changes, socket.name);
    server = std::make_unique<watch::Server>(
        socket.folder.empty() ? watch::user_socket_folder() : socket.folder, context.worker,
        [this](std::string_view request, const watch::Peer& peer, watch::ForkGuard& guard) {
          return answers->respond(request, peer, guard, server->name());
        });
    server->open();
  } catch (const std::exception& error) {
    context.say(LogLevel::warning, std::string("there is no socket: ") + error.what(), "socket");
  }
}

bool Selector::Impl::try_contents(Contents& contents) {
  const std::unique_lock lock(mutex, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  for (const auto& [name, operation] : operations) contents.operations.push_back(operation->parts_.get());
  for (const Source& source : sources) contents.tables.push_back(source.path);
  return true;
}

bool Selector::Impl::try_set_mode(Mode mode, Mode& former) {
  const std::unique_lock lock(mutex, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  former = exchange_mode(mode);
  return true;
}

Mode Selector::Impl::exchange_mode(Mode mode) {
  const Mode former = context.mode.exchange(mode, std::memory_order_relaxed);
  context.allow_worker();
  for (const auto& [name, operation] : operations) core::publish_plans(*operation->parts_);
  return former;
}

}  // namespace adaptive
