#include "tuning/queue/board.hpp"

#include <cstdint>

#include <adaptive/error.hpp>

#include "base/text.hpp"

#ifdef ADAPTIVE_TUNING_REDIS
#include "tuning/queue/redis_board.hpp"
#endif

namespace adaptive::inline v1::tuning {
namespace {

constexpr std::string_view scheme = "redis://";

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  throw Error(ErrorCode::invalid_argument, why, text,
              "write redis://HOST:PORT/NAME, or redis:///PATH/OF/SOCKET/NAME");
}

}  // namespace

BoardAddress parse_board_address(const std::string& text) {
  if (!text.starts_with(scheme)) refuse(text, "is not the address of a queue");
  const std::string rest = text.substr(scheme.size());
  const std::size_t slash = rest.rfind('/');
  if (slash == std::string::npos || slash + 1 == rest.size()) refuse(text, "names no queue");
  BoardAddress address{.host = rest.substr(0, slash), .name = rest.substr(slash + 1)};
  if (address.host.empty()) refuse(text, "names no host");
  if (address.host.starts_with('/')) return address;
  if (address.host.find('/') != std::string::npos) refuse(text, "has too many parts");
  if (address.host.find('@') != std::string::npos)
    throw Error(ErrorCode::invalid_argument, "contains a password", "the address of the queue",
                "put the password in the environment variable REDISCLI_AUTH, where lists of processes do not "
                "show it");
  const std::size_t colon = address.host.rfind(':');
  if (colon == std::string::npos) return address;
  const auto port = core::parse_number<std::uint16_t>(address.host.substr(colon + 1));
  if (!port || *port == 0) refuse(text, "has no port");
  address.port = *port;
  address.host.resize(colon);
  if (address.host.empty()) refuse(text, "names no host");
  return address;
}

std::unique_ptr<Board> open_board(const std::string& text) {
  const BoardAddress address = parse_board_address(text);
#ifdef ADAPTIVE_TUNING_REDIS
  return redis_board(address);
#else
  throw Error(ErrorCode::unsupported,
              "was built without hiredis and does not support queues between machines", text);
#endif
}

}  // namespace adaptive::tuning
