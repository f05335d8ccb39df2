// A connection to a Redis server. This header does not include hiredis.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/redis.hpp>

namespace adaptive::inline v1::redis {

/// An answer of the server. The command decides which of the first three members is set.
struct Answer {
  std::string text = {};
  std::int64_t integer = 0;
  std::vector<Answer> elements = {};
  bool is_null = false;    ///< the key or field does not exist
  std::string error = {};  ///< the error of this command, if several were sent; empty if there was none
};

/// Connects at the first use, and connects again after any error, since it is then unknown which answer
/// belongs to which command. Every member throws `Error` if the server cannot be reached or answers with an
/// error. Not thread-safe.
class Connection {
 public:
  using Words = std::initializer_list<std::string_view>;
  using Command = std::vector<std::string>;

  explicit Connection(RedisOptions options);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  Answer run(Words words);
  /// Every field of a hash; empty if the hash does not exist.
  std::map<std::string, std::string> read_hash(const std::string& hash);
  /// Sends independent commands together and returns their answers. If the server refuses a command, its
  /// answer has the error, and the other commands are not affected.
  std::vector<Answer> run_all(const std::vector<Command>& commands);
  /// Runs all commands as a transaction: if the connection breaks, none of them takes effect. Throws `Error`
  /// if the server refuses one.
  std::vector<Answer> run_as_one(const std::vector<Command>& commands);

  /// "PREFIX:GROUP"
  std::string hash(const std::string& group) const { return options_.prefix + ":" + group; }
  /// "redis://127.0.0.1:6379", or "redis:/run/redis.sock"
  std::string name() const;

 private:
  struct Context;
  template <class F>
  auto guarded(const F& work) -> decltype(work());
  void connect();
  void append(Words words);
  void append(const Command& command);
  void append(std::vector<const char*> texts, const std::vector<std::size_t>& sizes);
  Answer answer();
  Answer answer_or_error();
  Answer command(Words words);
  [[noreturn]] void fail(const std::string& what) const;

  RedisOptions options_;
  std::unique_ptr<Context> context_;
};

}  // namespace adaptive::redis
