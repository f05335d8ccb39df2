// A board of named texts in groups, which processes on many machines read and change. A shared queue is
// stored on such a board (shared_queue.hpp).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace adaptive::inline v1::tuning {

/// An empty text is the same as no text. Not thread-safe. Each member throws `Error` if the board cannot be
/// reached; the next call tries again.
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
  /// Replaces the text by `desired` if it is `expected`, atomically among all processes. True if the text is
  /// `desired` afterwards, so that a call whose answer was lost can be repeated.
  virtual bool replace(const std::string& group, const std::string& name, const std::string& expected,
                       const std::string& desired) = 0;
  /// The name of the board, for messages.
  virtual std::string name() const = 0;
};

/// "redis://HOST:PORT/NAME", or "redis:///PATH/OF/SOCKET/NAME".
struct BoardAddress {
  std::string host = {};  ///< a host, or the path of a Unix socket, which begins with '/'
  int port = 6379;
  std::string name = {};  ///< name of the queue; a server can have several

  friend bool operator==(const BoardAddress&, const BoardAddress&) = default;
};

/// Throws `Error`.
BoardAddress parse_board_address(const std::string& text);

/// A board on a Redis server. The hash "adaptive:tune:NAME:GROUP" has a field for each text and expires a
/// week after its last change. A password is taken from the environment variable REDISCLI_AUTH, as by
/// redis-cli, so that it appears in no list of processes and in no metadata. Throws `Error` for a wrong
/// address, and if the program was built without hiredis.
std::unique_ptr<Board> open_board(const std::string& address);

}  // namespace adaptive::tuning
