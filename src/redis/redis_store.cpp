#include <adaptive/redis.hpp>

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <sys/time.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include <adaptive/error.hpp>

namespace adaptive {
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

struct FreeContext {
  void operator()(redisContext* context) const noexcept { ::redisFree(context); }
};

std::string_view text_of(const redisReply* reply) {
  return {reply->str, static_cast<std::size_t>(reply->len)};
}

class RedisStore final : public Store {
 public:
  explicit RedisStore(RedisOptions options) : options_(std::move(options)) {}

  Records read(const std::string& group) override {
    return guarded([&] {
      Records records;
      std::string cursor = "0";
      do {
        const Reply reply = command({"HSCAN", hash(group), cursor, "COUNT", "1000"});
        const bool sound = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
                           reply->element[0]->type == REDIS_REPLY_STRING &&
                           reply->element[1]->type == REDIS_REPLY_ARRAY;
        if (!sound) fail("an answer that is none to HSCAN");
        const redisReply& fields = *reply->element[1];
        for (std::size_t i = 0; i + 1 < fields.elements; i += 2)
          records.insert_or_assign(std::string(text_of(fields.element[i])),
                                   std::string(text_of(fields.element[i + 1])));
        cursor = text_of(reply->element[0]);
      } while (cursor != "0");
      return records;
    });
  }

  void write(const std::string& group, const std::string&, const Records& records) override {
    guarded([&] {
      constexpr std::size_t batch = 1000;  // commands on their way at once
      auto next = records.begin();
      while (next != records.end()) {
        std::size_t sent = 0;
        for (; next != records.end() && sent < batch; ++next, ++sent)
          append({"HSET", hash(group), next->first, next->second});
        for (; sent > 0; --sent) answer();
      }
      return 0;
    });
  }

  std::string name() const override {
    return options_.host.starts_with('/') ? "redis:" + options_.host
                                          : "redis://" + options_.host + ":" + std::to_string(options_.port);
  }

 private:
  using Words = std::initializer_list<std::string_view>;

  std::string hash(const std::string& group) const { return options_.prefix + ":" + group; }
  [[noreturn]] void fail(const std::string& what) const { throw Error(what, name()); }

  // After an error nobody knows which answer belongs to which command: the connection is given up.
  template <class F>
  auto guarded(const F& work) -> decltype(work()) {
    const WithoutBrokenPipes guard;
    try {
      if (!context_) connect();
      return work();
    } catch (...) {
      context_.reset();
      throw;
    }
  }

  void connect() {
    const timeval timeout = to_timeval(options_.timeout);
    context_.reset(options_.host.starts_with('/')
                       ? ::redisConnectUnixWithTimeout(options_.host.c_str(), timeout)
                       : ::redisConnectWithTimeout(options_.host.c_str(), options_.port, timeout));
    if (!context_) fail("no memory for a connection");
    if (context_->err != 0) fail(std::string("cannot be reached: ") + context_->errstr);
    ::redisSetTimeout(context_.get(), timeout);
    if (options_.password.empty()) return;
    if (options_.user.empty())
      command({"AUTH", options_.password});
    else
      command({"AUTH", options_.user, options_.password});
  }

  void append(Words words) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string_view word : words) {
      texts.push_back(word.data());
      sizes.push_back(word.size());
    }
    if (::redisAppendCommandArgv(context_.get(), static_cast<int>(texts.size()), texts.data(),
                                 sizes.data()) != REDIS_OK)
      fail(context_->errstr);
  }

  Reply answer() {
    void* raw = nullptr;
    if (::redisGetReply(context_.get(), &raw) != REDIS_OK)
      fail(std::string("does not answer: ") + context_->errstr);
    Reply reply(static_cast<redisReply*>(raw));
    if (reply->type == REDIS_REPLY_ERROR) fail("answers: " + std::string(text_of(reply.get())));
    return reply;
  }

  Reply command(Words words) {
    append(words);
    return answer();
  }

  RedisOptions options_;
  std::unique_ptr<redisContext, FreeContext> context_;
};

}  // namespace

std::shared_ptr<Store> redis_store(RedisOptions options) {
  return std::make_shared<RedisStore>(std::move(options));
}

}  // namespace adaptive
