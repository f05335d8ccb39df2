#include "store/redis/connection.hpp"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <sys/time.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <utility>

#include <adaptive/error.hpp>

namespace adaptive::inline v1::redis {
namespace {

// hiredis writes to sockets that may have been closed, for which the kernel would end the program with
// SIGPIPE. This class blocks the signal in the calling thread and removes it if it was sent.
class WithoutBrokenPipes {
 public:
  WithoutBrokenPipes() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  WithoutBrokenPipes(const WithoutBrokenPipes&) = delete;
  WithoutBrokenPipes& operator=(const WithoutBrokenPipes&) = delete;
  ~WithoutBrokenPipes() {
    const timespec at_once{};
    if (!was_pending_) ::sigtimedwait(&pipe_, nullptr, &at_once);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

timeval to_timeval(std::chrono::milliseconds time) {
  timeval result{};
  result.tv_sec = static_cast<std::time_t>(time.count() / 1000);
  result.tv_usec = static_cast<suseconds_t>(time.count() % 1000 * 1000);
  return result;
}

struct FreeReply {
  void operator()(redisReply* reply) const noexcept { ::freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

Answer answer_of(const redisReply& reply) {
  Answer answer;
  if (reply.type == REDIS_REPLY_INTEGER) answer.integer = reply.integer;
  answer.is_null = reply.type == REDIS_REPLY_NIL;
  if (reply.str != nullptr)
    (reply.type == REDIS_REPLY_ERROR ? answer.error : answer.text)
        .assign(reply.str, static_cast<std::size_t>(reply.len));
  if (reply.type == REDIS_REPLY_ARRAY)
    for (std::size_t i = 0; i < reply.elements; ++i) answer.elements.push_back(answer_of(*reply.element[i]));
  return answer;
}

}  // namespace

struct Connection::Context {
  struct Free {
    void operator()(redisContext* context) const noexcept { ::redisFree(context); }
  };
  std::unique_ptr<redisContext, Free> redis;
};

Connection::Connection(RedisOptions options) : options_(std::move(options)) {}
Connection::~Connection() = default;

std::string Connection::name() const {
  return options_.host.starts_with('/') ? "redis:" + options_.host
                                        : "redis://" + options_.host + ":" + std::to_string(options_.port);
}

void Connection::fail(const std::string& what) const {
  throw Error(ErrorCode::unavailable, what, name());
}

template <class F>
auto Connection::guarded(const F& work) -> decltype(work()) {
  const WithoutBrokenPipes guard;
  try {
    if (!context_) connect();
    return work();
  } catch (...) {
    context_.reset();
    throw;
  }
}

Answer Connection::run(Words words) {
  return guarded([&] { return command(words); });
}

std::map<std::string, std::string> Connection::read_hash(const std::string& hash) {
  return guarded([&] {
    std::map<std::string, std::string> fields;
    std::string cursor = "0";
    do {
      Answer page = command({"HSCAN", hash, cursor, "COUNT", "1000"});
      if (page.elements.size() != 2) fail("sent an unexpected answer to HSCAN");
      std::vector<Answer>& words = page.elements[1].elements;
      for (std::size_t i = 0; i + 1 < words.size(); i += 2)
        fields.insert_or_assign(std::move(words[i].text), std::move(words[i + 1].text));
      cursor = page.elements[0].text;
      if (cursor.empty()) fail("sent an unexpected answer to HSCAN");
    } while (cursor != "0");
    return fields;
  });
}

std::vector<Answer> Connection::run_all(const std::vector<Command>& commands) {
  return guarded([&] {
    constexpr std::size_t batch = 1000;  // maximum number of commands sent together
    std::vector<Answer> answers;
    for (std::size_t next = 0; next < commands.size();) {
      const std::size_t end = std::min(next + batch, commands.size());
      for (std::size_t i = next; i < end; ++i) append(commands[i]);
      for (; next < end; ++next) answers.push_back(answer_or_error());
    }
    return answers;
  });
}

std::vector<Answer> Connection::run_as_one(const std::vector<Command>& commands) {
  return guarded([&] {
    append(Words{"MULTI"});
    for (const Command& command : commands) append(command);
    append(Words{"EXEC"});
    answer();
    for (std::size_t i = 0; i < commands.size(); ++i) answer();  // each command is answered with "QUEUED"
    Answer all = answer();
    for (const Answer& one : all.elements)
      if (!one.error.empty()) fail("answers: " + one.error);
    if (all.elements.size() != commands.size()) fail("sent an unexpected answer to EXEC");
    return std::move(all.elements);
  });
}

void Connection::connect() {
  const timeval timeout = to_timeval(options_.timeout);
  auto context = std::make_unique<Context>();
  context->redis.reset(options_.host.starts_with('/')
                           ? ::redisConnectUnixWithTimeout(options_.host.c_str(), timeout)
                           : ::redisConnectWithTimeout(options_.host.c_str(), options_.port, timeout));
  if (!context->redis) fail("there is no memory for a connection");
  if (context->redis->err != 0) fail(std::string("cannot be reached: ") + context->redis->errstr);
  ::redisSetTimeout(context->redis.get(), timeout);
  // Programs that this one starts must not inherit the connection; hiredis does not take care of that.
  ::fcntl(context->redis->fd, F_SETFD, FD_CLOEXEC);
  context_ = std::move(context);
  if (options_.password.empty()) return;
  if (options_.user.empty())
    command({"AUTH", options_.password});
  else
    command({"AUTH", options_.user, options_.password});
}

void Connection::append(Words words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string_view word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  append(std::move(texts), sizes);
}

void Connection::append(const Command& command) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string& word : command) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  append(std::move(texts), sizes);
}

void Connection::append(std::vector<const char*> texts, const std::vector<std::size_t>& sizes) {
  if (::redisAppendCommandArgv(context_->redis.get(), static_cast<int>(texts.size()), texts.data(),
                               sizes.data()) != REDIS_OK)
    fail(context_->redis->errstr);
}

Answer Connection::answer_or_error() {
  void* raw = nullptr;
  if (::redisGetReply(context_->redis.get(), &raw) != REDIS_OK)
    fail(std::string("does not answer: ") + context_->redis->errstr);
  const Reply reply(static_cast<redisReply*>(raw));
  return answer_of(*reply);
}

Answer Connection::answer() {
  Answer answer = answer_or_error();
  if (!answer.error.empty()) fail("answers: " + answer.error);
  return answer;
}

Answer Connection::command(Words words) {
  append(words);
  return answer();
}

}  // namespace adaptive::redis
