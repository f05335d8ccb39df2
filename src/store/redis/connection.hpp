// A connection to a Redis server, without hiredis to see.
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

namespace adaptive::redis {

/// What the server answers: one of the first three, by the command.
struct Answer {
  std::string text = {};
  std::int64_t integer = 0;
  std::vector<Answer> elements = {};
  bool is_null = false;    ///< there is no such thing
  std::string error = {};  ///< of a command among several; empty where there is none
};

/// Connects at the first use, and anew after any error: then nobody knows which answer belongs to which
/// command. Every member throws `Error` where the server cannot be reached or answers with an error. Of one
/// thread at a time.
class Connection {
 public:
  using Words = std::initializer_list<std::string_view>;
  using Command = std::vector<std::string>;

  explicit Connection(RedisOptions options);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  Answer run(Words words);
  /// Every field of a hash; none where there is no such hash.
  std::map<std::string, std::string> read_hash(const std::string& hash);
  /// The answers to independent commands, which are on their way at the same time. An error of the server is
  /// in the answer to its command, and does not concern the others.
  std::vector<Answer> run_all(const std::vector<Command>& commands);
  /// All of the commands or, where the connection breaks, none of them. Throws where the server refuses one.
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
