// The local socket of a selector: what it answers, to whom, and that nobody who asks can harm it.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include <adaptive/adaptive.hpp>
#include "tests/selector/environment_variable.hpp"
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"
#include "tests/watch/audit_lines.hpp"
#include "tests/watch/socket_support.hpp"
#include "watch/socket/client.hpp"
#include "watch/socket/server.hpp"
#include "watch/socket/socket_folder.hpp"

namespace adaptive {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::ask;
using test::listening;
using watch::Client;
using watch::find_sockets;
using watch::Server;

// Bytes on a connection, without a protocol.
class RawClient {
 public:
  explicit RawClient(const fs::path& folder)
      : socket_(watch::connect_to(
            {watch::open_socket_folder(folder), to_text(find_sockets({folder}).at(0).name)})) {
    EXPECT_TRUE(static_cast<bool>(socket_));
  }
  void send(const std::string& text) {
    EXPECT_EQ(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  /// Reads up to a newline or the end of the connection.
  std::string line() {
    std::string text;
    char c = 0;
    while (read(c) && c != '\n') text += c;
    return text;
  }
  bool has_ended() {
    char c = 0;
    return !read(c);
  }

 private:
  bool read(char& c) {
    if (next_ == size_) {
      pollfd wait{socket_.get(), POLLIN, 0};
      EXPECT_EQ(::poll(&wait, 1, 60'000), 1) << "nothing comes";
      const ssize_t size = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
      if (size <= 0) return false;
      next_ = 0;
      size_ = static_cast<std::size_t>(size);
    }
    c = buffer_[next_++];
    return true;
  }
  std::array<char, 65536> buffer_{};
  std::size_t next_ = 0;
  std::size_t size_ = 0;
  table::FileDescriptor socket_;
};

class SocketTest : public testing::Test {
 protected:
  static OperationSpec spec(const std::string& name = "op") {
    OperationSpec spec;
    spec.name = name;
    spec.dimensions = {size_dimension("m"), label_dimension("type", {"half", "single"})};
    spec.variants = {{.name = "plain", .numeric_class = "x"}, {.name = "tiled", .numeric_class = "x"}};
    return spec;
  }
  fs::path path() const { return folder_.path(); }

  const test::ScratchFolder folder_{test::memory_folder()};
};

constexpr const char* ask_status = R"({"version": 1, "ask": "status"})";

TEST_F(SocketTest, TellsOperationsKeysAndChanges) {
  SelectorOptions options = listening(path());
  options.socket.name = "device 0";
  Selector selector(options);
  Operation& op = selector.define(spec());
  selector.define(spec("other"));
  test::learn(op, {512, 1}, {2e6, 1e6});
  test::launch(op, {512, 1}, {2e6, 1e6}, 100);
  test::launch(op, {4096, 0}, {1e6, 2e6}, 10);

  const json answer = ask(path(), ask_status);
  EXPECT_EQ(answer.at("version"), 1);
  EXPECT_EQ(answer.at("process"), ::getpid());
  EXPECT_EQ(answer.at("selector"), 1);
  EXPECT_EQ(answer.at("name"), "device 0");
  EXPECT_EQ(answer.at("device"), "Test Device 1");
  EXPECT_EQ(answer.at("time"), "2023-11-14T22:13:20Z");
  EXPECT_EQ(answer.at("mode"), "online");
  EXPECT_EQ(answer.at("epoch"), selector.epoch());
  ASSERT_EQ(answer.at("operations").size(), 2u);
  const json& operation = answer.at("operations").at(0);
  EXPECT_EQ(operation.at("name"), "op");
  EXPECT_EQ(operation.at("keys"), 2);
  EXPECT_EQ(operation.at("calls"), std::floor(op.account().calls));
  const Account account = op.account();
  EXPECT_NEAR(operation.at("saved_s").get<double>(), account.saved_ns * 1e-9, 1e-12);
  EXPECT_NEAR(operation.at("lost_s").get<double>(), account.lost_exploring_ns * 1e-9, 1e-12);
  EXPECT_EQ(operation.at("promotions"), op.counters().promotions);

  ASSERT_EQ(answer.at("keys").size(), 2u);
  const json& row = answer.at("keys").at(0);
  EXPECT_EQ(row.at("key"), "m=512 type=single");
  EXPECT_EQ(row.at("default"), "plain");
  EXPECT_EQ(row.at("incumbent"), "tiled");
  EXPECT_EQ(row.at("leader"), "tiled");
  EXPECT_NEAR(row.at("incumbent_ns").get<double>(), 1e6, 2e4);
  EXPECT_NEAR(row.at("default_ns").get<double>(), 2e6, 4e4);
  EXPECT_EQ(row.at("confirmed"), true);
  EXPECT_GT(row.at("confidence").get<double>(), 0.9);
  EXPECT_EQ(row.at("calls"), std::floor(op.explain({512, 1}).calls));
  EXPECT_NEAR(row.at("saved_s").get<double>(), 0.1, 0.01);
  EXPECT_NEAR(row.at("share").get<double>() + answer.at("keys").at(1).at("share").get<double>(), 1.0, 1e-9);
  EXPECT_GT(row.at("share"), answer.at("keys").at(1).at("share"));

  const json& change = answer.at("changes").at(0);
  EXPECT_EQ(change.at("event"), "promotion");
  EXPECT_EQ(change.at("from"), "plain");
  EXPECT_EQ(change.at("to"), "tiled");
  EXPECT_EQ(change.at("time"), "2023-11-14T22:13:20Z");
}

TEST_F(SocketTest, SortsAndFiltersAndLimitsKeys) {
  Selector selector(listening(path()));
  Operation& op = selector.define(spec());
  Operation& other = selector.define(spec("other"));
  test::launch(op, {64, 0}, {1e6, 2e6}, 400);
  test::launch(op, {512, 1}, {8e6, 9e6}, 100);
  test::learn(other, {64, 0}, {2e3, 1e3});
  const auto keys = [&](const std::string& members) {
    std::vector<std::string> lines;
    const json answer = ask(path(), R"({"version": 1, "ask": "status", )" + members + "}");
    for (const json& row : answer.at("keys"))
      lines.push_back(row.at("operation").get<std::string>() + " " + row.at("key").get<std::string>());
    return lines;
  };
  using Keys = std::vector<std::string>;
  EXPECT_EQ(keys(R"("sort": "time")"),
            (Keys{"op m=512 type=single", "op m=64 type=half", "other m=64 type=half"}));
  EXPECT_EQ(keys(R"("sort": "calls")"),
            (Keys{"op m=64 type=half", "op m=512 type=single", "other m=64 type=half"}));
  EXPECT_EQ(keys(R"("sort": "changed")").front(), "other m=64 type=half");
  EXPECT_EQ(keys(R"("limit": 1)"), (Keys{"op m=512 type=single"}));
  EXPECT_EQ(keys(R"("limit": 0)"), Keys{});
  EXPECT_EQ(keys(R"("filter": "m=64")"), (Keys{"op m=64 type=half", "other m=64 type=half"}));
  EXPECT_EQ(keys(R"("filter": "tiled")"), (Keys{"other m=64 type=half"})) << "the incumbent";
  EXPECT_EQ(keys(R"("operation": "other")"), (Keys{"other m=64 type=half"}));
  const json one = ask(path(), R"({"version": 1, "ask": "status", "limit": 1})");
  EXPECT_EQ(one.at("all_keys"), 3);
}

TEST_F(SocketTest, ExplainsAKeyThatHasAStateAndAsksTheProgramNothing) {
  Selector selector(listening(path()));
  OperationSpec asked = spec();
  int questions = 0;
  asked.candidates = [&](const Key&) {
    ++questions;
    return std::vector<std::uint32_t>{0, 1};
  };
  Operation& op = selector.define(asked);
  test::learn(op, {512, 1}, {2e6, 1e6});
  const int before = questions;
  const json answer =
      ask(path(), R"({"version": 1, "ask": "explain", "operation": "op", "key": "m=512 type=single"})");
  EXPECT_EQ(answer.at("incumbent"), "tiled");
  EXPECT_EQ(answer.at("reason"), op.explain({512, 1}).reason);
  EXPECT_EQ(answer.at("text"), op.explain({512, 1}).text());
  EXPECT_EQ(answer.at("candidates").size(), 2u);
  EXPECT_EQ(answer.at("candidates_left_out"), 0);
  EXPECT_EQ(ask(path(), R"({"version": 1, "ask": "explain", "operation": "op", "key": "m=7 type=half"})")
                .at("error")
                .at("code"),
            "not_found");
  EXPECT_EQ(questions, before);
  EXPECT_EQ(op.counters().keys, 1u);
}

TEST_F(SocketTest, AnExplanationOfManyVariantsIsShortened) {
  Selector selector(listening(path()));
  OperationSpec many;
  many.name = "op";
  many.dimensions = {size_dimension("m")};
  for (int i = 0; i < 500; ++i) many.variants.push_back({.name = "v" + std::to_string(i)});
  Operation& op = selector.define(many);
  op.record({1}, 400, Latency(1e6));
  const json answer = ask(path(), R"({"version": 1, "ask": "explain", "operation": "op", "key": "m=1"})");
  EXPECT_EQ(answer.at("candidates").size(), 64u);
  EXPECT_EQ(answer.at("candidates_left_out"), 436);
  std::set<std::string> names;
  for (const json& candidate : answer.at("candidates")) names.insert(candidate.at("name"));
  EXPECT_TRUE(names.contains("v400")) << "it has a result";
}

TEST_F(SocketTest, TheKillSwitchIsObeyedAndWrittenDown) {
  const fs::path audit = folder_ / "audit.jsonl";
  test::Log log;
  {
    SelectorOptions options = listening(path());
    options.audit.file = audit;
    options.log = log.callback();
    Selector selector(options);
    Operation& op = selector.define(spec());
    test::learn(op, {512, 1}, {2e6, 1e6});
    EXPECT_EQ(op.select({512, 1}).variant(), 1u);
    json answer = ask(path(), R"({"version": 1, "ask": "mode", "mode": "off"})");
    EXPECT_EQ(answer.at("mode"), "off");
    EXPECT_EQ(answer.at("former"), "online");
    EXPECT_EQ(selector.mode(), Mode::off);
    EXPECT_EQ(op.select({512, 1}).variant(), 0u) << "the default";
    EXPECT_EQ(ask(path(), R"({"version": 1, "ask": "mode"})").at("mode"), "off");
    answer = ask(path(), ask_status);
    EXPECT_EQ(answer.at("mode"), "off");
    EXPECT_EQ(answer.at("changes").at(0).at("by_process"), ::getpid());
    ask(path(), R"({"version": 1, "ask": "mode", "mode": "online"})");
    EXPECT_EQ(op.select({512, 1}).variant(), 1u);
    EXPECT_EQ(ask(path(), R"({"version": 1, "ask": "mode", "mode": "fast"})").at("error").at("code"),
              "invalid");
  }
  const auto modes = test::events_of(audit, "mode");
  ASSERT_EQ(modes.size(), 2u);
  EXPECT_EQ(modes[0].at("to"), "off");
  EXPECT_EQ(modes[0].at("by_process"), ::getpid());
  EXPECT_EQ(log.count("mode off, by process"), 1u);
}

TEST_F(SocketTest, SelectorsOfAProcessAreToldApart) {
  SelectorOptions options = listening(path());
  std::optional<Selector> first(options);
  options.socket.name = "second";
  options.mode = Mode::frozen;
  const Selector second(options);
  auto sockets = find_sockets({path()});
  ASSERT_EQ(sockets.size(), 2u);
  Client client(sockets[1]);
  EXPECT_EQ(ask(client, ask_status).at("selector"), 2);
  EXPECT_EQ(ask(client, ask_status).at("name"), "second");
  EXPECT_EQ(ask(client, ask_status).at("mode"), "frozen");
  first.reset();
  sockets = find_sockets({path()});
  ASSERT_EQ(sockets.size(), 1u);
  EXPECT_EQ(sockets[0].name.selector, 2);
  const Selector third(listening(path()));
  EXPECT_EQ(find_sockets({path()}).size(), 2u) << "the number of the first is free again";
}

TEST_F(SocketTest, IsThereOnlyIfSomebodyAskedForIt) {
  const test::EnvironmentVariable unset("ADAPTIVE_SOCKET", "");
  SelectorOptions options = test::options();
  options.socket.folder = path();
  const Selector without(options);
  EXPECT_TRUE(fs::is_empty(path()));
}

TEST_F(SocketTest, TheEnvironmentNamesAFolder) {
  SelectorOptions options = test::options();
  {
    const test::EnvironmentVariable variable("ADAPTIVE_SOCKET", path().c_str());
    const Selector ignores(options);
    EXPECT_TRUE(fs::is_empty(path()));
    options.use_environment = true;
    const Selector obeys(options);
    EXPECT_EQ(find_sockets({path()}).size(), 1u);
  }
  {
    const test::EnvironmentVariable variable("ADAPTIVE_SOCKET", "0");
    const Selector none(options);
    EXPECT_TRUE(fs::is_empty(path()));
  }
  const test::EnvironmentVariable runtime("XDG_RUNTIME_DIR", path().c_str());
  const test::EnvironmentVariable variable("ADAPTIVE_SOCKET", "1");
  const Selector own(options);
  EXPECT_EQ(watch::user_socket_folder(), path() / "adaptive");
  EXPECT_EQ(find_sockets(watch::user_socket_folders()).back().folder, path() / "adaptive");
}

TEST_F(SocketTest, OnlyTheOwnUserGetsThere) {
  const fs::path folder = path() / "new";
  const Selector selector(listening(folder));
  struct stat status {};
  ASSERT_EQ(::stat(folder.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777u, 0700u);
  ASSERT_EQ(::stat((folder / to_text(find_sockets({folder}).at(0).name)).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777u, 0600u) << "whatever the umask is";
}

TEST_F(SocketTest, AFolderThatOthersMayWriteIsRefused) {
  const fs::path open = path() / "open";
  fs::create_directory(open);
  fs::permissions(open, fs::perms::all);
  fs::create_directory_symlink(path(), path() / "link");
  for (const fs::path& folder : {open, path() / "link"}) {
    test::Log log;
    SelectorOptions options = listening(folder);
    options.log = log.callback();
    Selector selector(options);
    EXPECT_EQ(log.count("there is no socket", LogLevel::warning), 1u) << folder;
    EXPECT_NO_THROW(static_cast<void>(selector.define(spec()))) << "the program runs all the same";
    EXPECT_THROW(find_sockets({folder}), Error) << folder;
  }
}

TEST_F(SocketTest, TheCredentialsDecideWhoeverCouldOpenTheFile) {
  core::Worker worker;
  int requests = 0;
  Server server(
      path(), worker,
      [&](std::string_view, const watch::Peer&, watch::ForkGuard&) {
        ++requests;
        return watch::Answer{.line = "{}"};
      },
      [](const watch::Peer& peer) noexcept { return peer.user != ::geteuid(); });
  server.open();
  RawClient client(path());
  EXPECT_TRUE(client.has_ended());
  server.close();
  EXPECT_EQ(requests, 0);
  EXPECT_TRUE(watch::is_own_user({.process = 1, .user = ::geteuid()}));
  EXPECT_FALSE(watch::is_own_user({.process = 1, .user = ::geteuid() + 1}));
}

TEST_F(SocketTest, RubbishIsAnsweredAndEndsTheConnection) {
  const Selector selector(listening(path()));
  for (const std::string& rubbish :
       {std::string("GET / HTTP/1.1\r\n"), std::string("\n"), std::string("[]\n"), std::string("{}\n"),
        std::string("{\"version\": \"1\"}\n"), std::string("\0\xFF\xFE\n", 4), std::string(64, '[') + "\n",
        std::string(R"({"version": 1, "ask": "everything"})") + "\n",
        std::string(R"({"version": 1, "ask": "status", "limit": 1e9})") + "\n",
        std::string(R"({"version": 1, "ask": "status", "limit": 1001})") + "\n",
        std::string(R"({"version": 1, "ask": "status", "sort": "name"})") + "\n",
        std::string(R"({"version": 1, "ask": "status", "filter": 1})") + "\n", std::string(5000, ' ')}) {
    RawClient client(path());
    client.send(rubbish);
    const json answer = json::parse(client.line());
    EXPECT_EQ(answer.at("error").at("code"), "invalid") << rubbish;
    EXPECT_TRUE(client.has_ended()) << rubbish;
  }
  EXPECT_EQ(ask(path(), R"({"version": 2, "ask": "status"})").at("error").at("code"), "version");
  EXPECT_EQ(ask(path(), R"({"version": 1, "ask": "status", "operation": "x"})").at("error").at("code"),
            "not_found");
  EXPECT_EQ(ask(path(), R"({"version": 1, "ask": "status", "colour": "red"})").at("mode"), "online")
      << "a member of a later version";
}

TEST_F(SocketTest, RequestsMayComeInPiecesAndSeveralAtOnce) {
  const Selector selector(listening(path()));
  RawClient client(path());
  const std::string request = R"({"version": 1, "ask": "mode"})";
  client.send(request.substr(0, 10));
  EXPECT_EQ(ask(path(), ask_status).at("mode"), "online") << "meanwhile others are answered";
  client.send(request.substr(10) + "\n" + request + "\n" + request + "\n");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(json::parse(client.line()).at("mode"), "online");
}

TEST_F(SocketTest, ClientsThatStallKeepNobodyOut) {
  SelectorOptions options = listening(path());
  options.mode = Mode::seed;
  std::optional<Selector> selector(options);
  Operation& op = selector->define(spec());
  static_cast<void>(op.site({512, 1}));
  std::vector<std::unique_ptr<RawClient>> stalled;
  for (std::size_t i = 0; i < Server::clients_max; ++i) {
    stalled.push_back(std::make_unique<RawClient>(path()));
    stalled.back()->send(i % 2 == 0 ? std::string(R"({"version": 1, "as)") : std::string());
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(path(), ask_status).at("mode"), "seed");
  EXPECT_TRUE(stalled.front()->has_ended()) << "the one that was idle for the longest time";
  selector.reset();
  for (const auto& client : stalled) EXPECT_TRUE(client->has_ended());
}

TEST_F(SocketTest, AnAnswerThatNobodyReadsIsKeptAndNoLonger) {
  core::Worker worker;
  const std::string large(3'000'000, 'x');
  Server server(path(), worker, [&](std::string_view line, const watch::Peer&, watch::ForkGuard&) {
    return watch::Answer{.line = line == "small" ? "y" : line == "too large" ? large + large : large};
  });
  server.open();
  RawClient stalls(path());
  stalls.send("large\n");
  RawClient reads(path());
  reads.send("small\n");
  EXPECT_EQ(reads.line(), "y");
  EXPECT_EQ(stalls.line().size(), large.size());
  reads.send("too large\n");
  EXPECT_EQ(json::parse(reads.line()).at("error").at("code"), "too_large");
  stalls.send("large\n");
  server.close();  // does not wait for the client
}

TEST_F(SocketTest, NothingIsLeftInTheFolder) {
  {
    const Selector selector(listening(path()));
    EXPECT_FALSE(fs::is_empty(path()));
  }
  EXPECT_TRUE(fs::is_empty(path()));
}

TEST_F(SocketTest, AFolderMayHaveALongPath) {
  const fs::path folder = path() / std::string(150, 'x');
  const Selector selector(listening(folder));
  EXPECT_EQ(ask(folder, ask_status).at("mode"), "online");
}

TEST_F(SocketTest, FilesOfOtherNamesAreLeftAlone) {
  for (const char* name : {"x.1.sock", "1.sock", "01.1.sock", "1.1.sock.txt", "-1.1.sock", "readme"})
    folder_.write(name, "");
  EXPECT_TRUE(find_sockets({path()}).empty());
  EXPECT_EQ(std::distance(fs::directory_iterator(path()), fs::directory_iterator()), 6);
}

TEST_F(SocketTest, IsAskedFromManyThreadsWhileOthersLearnWithThreads) {
  Selector selector([&] {
    SelectorOptions options = listening(path());
    options.background = true;
    return options;
  }());
  Operation& op = selector.define(spec());
  for (const Key& with_state : {Key{64, 0}, Key{64, 1}, Key{128, 0}, Key{128, 1}})
    static_cast<void>(op.site(with_state));
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i)
        test::launch(op, {64 << t, i % 2}, {2e6, 1e6}, 20, static_cast<std::uint64_t>(i));
    });
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&] {
      Client client(find_sockets({path()}).at(0));
      for (int i = 0; i < 20; ++i) {
        EXPECT_TRUE(ask(client, ask_status).contains("keys"));
        EXPECT_TRUE(ask(client, i % 2 == 0 ? R"({"version": 1, "ask": "mode", "mode": "frozen"})"
                                           : R"({"version": 1, "ask": "mode", "mode": "online"})")
                        .contains("mode"));
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ask(path(), ask_status).at("all_keys"), 4);
}

}  // namespace
}  // namespace adaptive
