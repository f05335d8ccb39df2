#include "redis/connection.hpp"

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <sys/time.h>

#include <csignal>
#include <ctime>
#include <utility>

#include <adaptive/error.hpp>

namespace adaptive::redis {
namespace {

// hiredis writes to sockets that may be closed by now, for which the kernel would end the program: the signal
// is kept from this thread meanwhile, and taken back if it was sent.
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
  if (reply.str != nullptr) answer.text.assign(reply.str, static_cast<std::size_t>(reply.len));
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
  throw Error(what, name());
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
      if (page.elements.size() != 2) fail("an answer that is none to HSCAN");
      std::vector<Answer>& words = page.elements[1].elements;
      for (std::size_t i = 0; i + 1 < words.size(); i += 2)
        fields.insert_or_assign(std::move(words[i].text), std::move(words[i + 1].text));
      cursor = page.elements[0].text;
      if (cursor.empty()) fail("an answer that is none to HSCAN");
    } while (cursor != "0");
    return fields;
  });
}

void Connection::write_hash(const std::string& hash, const std::map<std::string, std::string>& fields) {
  guarded([&] {
    constexpr std::size_t batch = 1000;  // commands on their way at once
    auto next = fields.begin();
    while (next != fields.end()) {
      std::size_t sent = 0;
      for (; next != fields.end() && sent < batch; ++next, ++sent)
        append({"HSET", hash, next->first, next->second});
      for (; sent > 0; --sent) answer();
    }
  });
}

void Connection::connect() {
  const timeval timeout = to_timeval(options_.timeout);
  auto context = std::make_unique<Context>();
  context->redis.reset(options_.host.starts_with('/')
                           ? ::redisConnectUnixWithTimeout(options_.host.c_str(), timeout)
                           : ::redisConnectWithTimeout(options_.host.c_str(), options_.port, timeout));
  if (!context->redis) fail("no memory for a connection");
  if (context->redis->err != 0) fail(std::string("cannot be reached: ") + context->redis->errstr);
  ::redisSetTimeout(context->redis.get(), timeout);
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
  if (::redisAppendCommandArgv(context_->redis.get(), static_cast<int>(texts.size()), texts.data(),
                               sizes.data()) != REDIS_OK)
    fail(context_->redis->errstr);
}

Answer Connection::answer() {
  void* raw = nullptr;
  if (::redisGetReply(context_->redis.get(), &raw) != REDIS_OK)
    fail(std::string("does not answer: ") + context_->redis->errstr);
  const Reply reply(static_cast<redisReply*>(raw));
  if (reply->type == REDIS_REPLY_ERROR) fail("answers: " + answer_of(*reply).text);
  return answer_of(*reply);
}

Answer Connection::command(Words words) {
  append(words);
  return answer();
}

}  // namespace adaptive::redis
