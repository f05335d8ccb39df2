#include <adaptive/redis.hpp>

#include <utility>

#include "redis/connection.hpp"

namespace adaptive {
namespace {

class RedisStore final : public Store {
 public:
  explicit RedisStore(RedisOptions options) : connection_(std::move(options)) {}

  Records read(const std::string& group) override { return connection_.read_hash(connection_.hash(group)); }
  void write(const std::string& group, const std::string&, const Records& records) override {
    connection_.write_hash(connection_.hash(group), records);
  }
  std::string name() const override { return connection_.name(); }

 private:
  redis::Connection connection_;
};

}  // namespace

std::shared_ptr<Store> redis_store(RedisOptions options) {
  return std::make_shared<RedisStore>(std::move(options));
}

}  // namespace adaptive
