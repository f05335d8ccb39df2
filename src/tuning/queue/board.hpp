// Texts by name, in groups, that processes on many machines see and change, one at a time: what a shared
// queue lies in (shared_queue.hpp).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace adaptive::tuning {

/// An empty text is the same as none. Of one thread at a time. Each member throws `Error` where the board
/// cannot be reached; the next call tries again.
class Board {
 public:
  using Texts = std::map<std::string, std::string>;

  Board() = default;
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;
  virtual ~Board() = default;

  /// All texts of a group.
  virtual Texts read(const std::string& group) = 0;
  virtual std::string read(const std::string& group, const std::string& name) = 0;
  /// Puts `desired` where `expected` is, in one step that no other process can come between. True where
  /// `desired` is there now, so that a call may be made again whose answer was lost.
  virtual bool replace(const std::string& group, const std::string& name, const std::string& expected,
                       const std::string& desired) = 0;
  /// For messages.
  virtual std::string name() const = 0;
};

/// "redis://HOST:PORT/NAME", or "redis:///PATH/OF/SOCKET/NAME".
struct BoardAddress {
  std::string host = {};  ///< or the path of a Unix socket, which begins with '/'
  int port = 6379;
  std::string name = {};  ///< of the queue, among others on the same server

  friend bool operator==(const BoardAddress&, const BoardAddress&) = default;
};

/// Throws `Error`.
BoardAddress parse_board_address(const std::string& text);

/// A board on a Redis server: the hash "adaptive:tune:NAME:GROUP" has a field for each text, and is gone a
/// week after its last change. The password, where there is one, is in the environment variable
/// REDISCLI_AUTH, as for redis-cli, so that it is in no list of processes and no run's metadata. Throws
/// `Error` for a wrong address, and where the program was built without hiredis.
std::unique_ptr<Board> open_board(const std::string& address);

}  // namespace adaptive::tuning
