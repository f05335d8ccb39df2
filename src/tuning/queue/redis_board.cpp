#include "tuning/queue/redis_board.hpp"

#include <cstdlib>
#include <utility>

#include "store/redis/connection.hpp"

namespace adaptive::inline v1::tuning {
namespace {

// KEYS: the hash. ARGV: name, expected text, desired text, seconds until the hash expires. Returns 1 if the
// text is the desired one afterwards.
constexpr std::string_view replace_script = R"(
local now = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if now ~= ARGV[2] and now ~= ARGV[3] then return 0 end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
)";
constexpr std::string_view seconds_kept = "604800";  // a week

RedisOptions options_of(const BoardAddress& address) {
  RedisOptions options{.host = address.host, .port = address.port, .prefix = "adaptive:tune:" + address.name};
  if (const char* password = std::getenv("REDISCLI_AUTH")) options.password = password;
  return options;
}

class RedisBoard final : public Board {
 public:
  explicit RedisBoard(const BoardAddress& address)
      : connection_(options_of(address)), name_(connection_.name() + "/" + address.name) {}

  Texts read(const std::string& group) override { return connection_.read_hash(connection_.hash(group)); }
  std::string read(const std::string& group, const std::string& name) override {
    return connection_.run({"HGET", connection_.hash(group), name}).text;
  }
  bool replace(const std::string& group, const std::string& name, const std::string& expected,
               const std::string& desired) override {
    return connection_
               .run({"EVAL", replace_script, "1", connection_.hash(group), name, expected, desired,
                     seconds_kept})
               .integer == 1;
  }
  std::string name() const override { return name_; }

 private:
  redis::Connection connection_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Board> redis_board(const BoardAddress& address) {
  return std::make_unique<RedisBoard>(address);
}

}  // namespace adaptive::tuning
