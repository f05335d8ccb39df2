#include <adaptive/redis.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <set>
#include <utility>

#include "store/redis/connection.hpp"

namespace adaptive::inline v1 {
namespace {

using redis::Answer;
using Command = redis::Connection::Command;

// Maximum number of records in one command, so that the server does not block other clients for long.
constexpr std::size_t records_at_once = 500;

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class RedisStore final : public Store {
 public:
  explicit RedisStore(RedisOptions options) : retention_(options.retention), connection_(std::move(options)) {
    retention_.check();
  }

  const Records& read(const std::string& group) override {
    problems_.clear();
    Group& known = groups_[group];
    std::set<std::string> writers;
    for (Answer& writer : connection_.run({"ZRANGE", key(group, "writers"), "0", "-1"}).elements)
      writers.insert(std::move(writer.text));
    std::erase_if(known.writers, [&](const auto& writer) {
      if (writers.contains(writer.first)) return false;
      forget(known, writer.second);
      return true;
    });
    fetch(group, known, news_of(group, known, writers));
    return known.records;
  }

  void write(const std::string& group, const std::string& writer, const Records& records) override {
    std::int64_t& version = versions_[{group, writer}];
    if (records.empty()) {
      if (version != 0) renew(group, writer);
      return;
    }
    auto next = records.begin();
    while (next != records.end()) {
      // The clock may be set back, but versions must always rise.
      version = std::max(version + 1, now_us());
      const std::string score = std::to_string(version);
      Command set = {"HSET", key(group, "records", writer)};
      Command mark = {"ZADD", key(group, "versions", writer)};
      for (std::size_t i = 0; i < records_at_once && next != records.end(); ++i, ++next) {
        set.insert(set.end(), {next->first, next->second});
        mark.insert(mark.end(), {score, next->first});
      }
      std::vector<Command> commands = {std::move(set), std::move(mark)};
      add_renewal(commands, group, writer);
      connection_.run_as_one(commands);
    }
    clean_up(group, writer);
  }

  std::vector<Problem> problems() const override { return problems_; }
  std::string name() const override { return connection_.name(); }

 private:
  struct Writer {
    std::string seen = "-inf";         ///< the latest version that was read, as the server writes it
    std::set<std::string> names = {};  ///< of the records that were read
  };
  struct Group {
    std::map<std::string, Writer> writers = {};
    Records records = {};  ///< of all writers
  };
  struct News {
    std::string writer = {};
    std::string version = {};
    std::vector<std::string> names = {};  ///< of records that have changed
  };

  std::string key(const std::string& group, const char* kind) const {
    return connection_.hash(group) + ":" + kind;
  }
  std::string key(const std::string& group, const char* kind, const std::string& writer) const {
    return key(group, kind) + ":" + writer;
  }

  static void forget(Group& group, const Writer& writer) {
    for (const std::string& name : writer.names) group.records.erase(name);
  }

  void note(const std::string& where, const std::string& error) {
    problems_.push_back({connection_.name() + " " + where, "answers: " + error});
  }

  /// Finds the records that have changed, by writer. A writer whose keys cannot be read does not affect the
  /// others.
  std::vector<News> news_of(const std::string& group, const Group& known,
                            const std::set<std::string>& writers) {
    std::vector<Command> commands;
    for (const std::string& writer : writers) {
      const auto at = known.writers.find(writer);
      const std::string from = at == known.writers.end() ? "-inf" : "(" + at->second.seen;
      commands.push_back({"ZRANGEBYSCORE", key(group, "versions", writer), from, "+inf", "WITHSCORES"});
    }
    std::vector<Answer> answers = connection_.run_all(commands);
    std::vector<News> all;
    auto writer = writers.begin();
    for (std::size_t i = 0; i < answers.size(); ++i, ++writer) {
      if (!answers[i].error.empty()) note(commands[i][1], answers[i].error);
      std::vector<Answer>& words = answers[i].elements;  // name, version, name, version, … in their order
      if (words.size() < 2) continue;
      News news{.writer = *writer, .version = words.back().text};
      for (std::size_t w = 0; w + 1 < words.size(); w += 2) news.names.push_back(std::move(words[w].text));
      all.push_back(std::move(news));
    }
    return all;
  }

  void fetch(const std::string& group, Group& known, const std::vector<News>& all) {
    std::vector<Command> commands;
    std::vector<const News*> sources;
    for (const News& news : all)
      for (std::size_t i = 0; i < news.names.size(); ++i) {
        if (i % records_at_once == 0) {
          commands.push_back({"HMGET", key(group, "records", news.writer)});
          sources.push_back(&news);
        }
        commands.back().push_back(news.names[i]);
      }
    std::vector<Answer> answers = connection_.run_all(commands);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (!answers[i].error.empty()) note(commands[i][1], answers[i].error);
      Writer& writer = known.writers[sources[i]->writer];
      writer.seen = sources[i]->version;
      std::vector<Answer>& texts = answers[i].elements;
      for (std::size_t t = 0; t < texts.size() && t + 2 < commands[i].size(); ++t) {
        if (texts[t].is_null) continue;
        known.records.insert_or_assign(commands[i][t + 2], std::move(texts[t].text));
        writer.names.insert(std::move(commands[i][t + 2]));
      }
    }
  }

  void add_renewal(std::vector<Command>& commands, const std::string& group,
                   const std::string& writer) const {
    commands.push_back({"ZADD", key(group, "writers"), std::to_string(now_us()), writer});
    if (retention_.unused == retention_.unused.zero()) return;
    const std::string seconds = std::to_string(retention_.unused.count());
    for (const std::string& each :
         {key(group, "writers"), key(group, "versions", writer), key(group, "records", writer)})
      commands.push_back({"EXPIRE", each, seconds});
  }

  void renew(const std::string& group, const std::string& writer) {
    std::vector<Command> commands;
    add_renewal(commands, group, writer);
    commands.push_back({"EXISTS", key(group, "versions", writer), key(group, "records", writer)});
    if (connection_.run_as_one(commands).back().integer == 2) return;
    // The server may have lost the records. The next read must notice that, so that they are written again.
    Group& known = groups_[group];
    const auto at = known.writers.find(writer);
    if (at == known.writers.end()) return;
    forget(known, at->second);
    known.writers.erase(at);
  }

  /// Removes writers that the retention no longer allows. Keys of writers that were unused for too long have
  /// expired.
  void clean_up(const std::string& group, const std::string& own) {
    const std::string writers = key(group, "writers");
    if (retention_.unused > retention_.unused.zero()) {
      const std::int64_t oldest =
          now_us() - std::chrono::duration_cast<std::chrono::microseconds>(retention_.unused).count();
      connection_.run({"ZREMRANGEBYSCORE", writers, "-inf", "(" + std::to_string(oldest)});
    }
    const auto most = static_cast<std::int64_t>(retention_.writers);
    const std::int64_t surplus = connection_.run({"ZCARD", writers}).integer - most;
    if (surplus <= 0) return;
    std::vector<Command> commands;
    for (const Answer& old :
         connection_.run({"ZRANGE", writers, "0", std::to_string(surplus - 1)}).elements) {
      if (old.text == own) continue;
      commands.push_back({"DEL", key(group, "records", old.text), key(group, "versions", old.text)});
      commands.push_back({"ZREM", writers, old.text});
    }
    connection_.run_all(commands);
  }

  Retention retention_;
  redis::Connection connection_;
  std::map<std::string, Group> groups_;
  std::vector<Problem> problems_;  // of the last read
  std::map<std::pair<std::string, std::string>, std::int64_t>
      versions_;  // latest written, by group and writer
};

}  // namespace

std::shared_ptr<Store> redis_store(RedisOptions options) {
  return std::make_shared<RedisStore>(std::move(options));
}

}  // namespace adaptive
