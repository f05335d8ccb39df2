// adaptive top [PID…]
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <adaptive/error.hpp>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/json_output.hpp"
#include "cli/watch/selectors.hpp"
#include "cli/watch/top_live.hpp"
#include "cli/watch/top_view.hpp"

namespace adaptive::inline v1::cli {
namespace {

struct TopArguments {
  std::vector<std::string> processes;
  std::string operation;
  std::string filter;
  std::string sort = "time";
  std::string explain;
  std::filesystem::path folder;
  std::size_t limit = 20;
  double interval_s = 2.0;
  bool once = false;
  bool json = false;
};

std::vector<SelectorId> ids_of(const TopArguments& arguments) {
  std::vector<SelectorId> ids;
  for (const std::string& process : arguments.processes) ids.push_back(parse_selector_id(process));
  return ids;
}

std::vector<watch::FoundSocket> sockets_of(const TopArguments& arguments) {
  return find_selectors(socket_folders(arguments.folder), ids_of(arguments));
}

std::vector<Json> ask_all(const TopArguments& arguments, const std::string& sort, const std::string& filter,
                          std::size_t limit) {
  std::vector<Json> answers;
  for (const watch::FoundSocket& socket : sockets_of(arguments)) {
    Json answer = ask_selector(socket, {{"ask", "status"},
                                        {"sort", sort},
                                        {"filter", filter},
                                        {"operation", arguments.operation},
                                        {"limit", limit}});
    // With `--op`, a selector without that operation has nothing to show.
    if (answer.contains("error") && answer["error"].value("code", "") == "not_found") continue;
    answers.push_back(std::move(answer));
  }
  return answers;
}

Json explain_request(const std::string& operation, const std::string& key) {
  return {{"ask", "explain"}, {"operation", operation}, {"key", key}};
}

Exit explain_once(const TopArguments& arguments, const Streams& streams) {
  const std::size_t space = arguments.explain.find(' ');
  if (space == arguments.explain.npos)
    throw UsageError("--explain: write the operation and the key, as in \"gemm m=512 type=bfloat16\"");
  Json found = Json::array();
  std::string trouble = "no process listens; start one with ADAPTIVE_SOCKET=1";
  for (const watch::FoundSocket& socket : sockets_of(arguments)) {
    const Json answer = ask_selector(
        socket, explain_request(arguments.explain.substr(0, space), arguments.explain.substr(space + 1)));
    if (answer.contains("error")) {
      trouble = answer["error"].value("what", "");
      continue;
    }
    Json one = {{"process", socket.name.process}, {"selector", socket.name.selector}};
    one.update(answer);
    found.push_back(std::move(one));
  }
  if (found.empty()) throw Error(ErrorCode::not_found, trouble, "adaptive top --explain");
  if (arguments.json) {
    print_json(found, streams.out);
    return exit_ok;
  }
  for (const Json& one : found)
    streams.out << fmt::format("{}.{} {}", one["process"].get<int>(), one["selector"].get<int>(),
                               one.value("text", ""));
  return exit_ok;
}

Exit show_once(const TopArguments& arguments, const Streams& streams) {
  const std::vector<Json> answers = ask_all(arguments, arguments.sort, arguments.filter, arguments.limit);
  if (arguments.json) {
    print_json(answers, streams.out);
    return exit_ok;
  }
  if (answers.empty()) streams.err << "no process listens; start one with ADAPTIVE_SOCKET=1\n";
  for (const std::string& line :
       top_lines(answers, top_rows(answers, arguments.sort, arguments.limit), {}, 0.0, {}))
    streams.out << line << "\n";
  return exit_ok;
}

// The lines of what a selector says to the key of the row.
std::vector<std::string> explain_row(const TopArguments& arguments, const TopRow& row) {
  const int process = row.status->value("process", 0);
  const int selector = row.status->value("selector", 0);
  for (const watch::FoundSocket& socket : sockets_of(arguments)) {
    if (socket.name.process != process || socket.name.selector != selector) continue;
    const Json answer =
        ask_selector(socket, explain_request(row.key->value("operation", ""), row.key->value("key", "")));
    return core::split(
        answer.contains("error") ? answer["error"].value("what", "") : answer.value("text", ""), '\n');
  }
  return {"the process has ended"};
}

Exit top(const TopArguments& arguments, const Streams& streams) {
  if (!arguments.explain.empty()) return explain_once(arguments, streams);
  if (arguments.once || arguments.json || !is_live_terminal(streams.out))
    return show_once(arguments, streams);
  TopState state;
  state.sort = arguments.sort;
  state.filter = arguments.filter;
  const auto interval = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::duration<double>(arguments.interval_s));
  run_top(
      state, interval,
      [&](const TopState& now, std::size_t limit) { return ask_all(arguments, now.sort, now.filter, limit); },
      [&](const TopRow& row) { return explain_row(arguments, row); });
  return exit_ok;
}

}  // namespace

Command add_top(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("top", "Shows what the selectors of running processes do, live on a terminal.");
  const auto a = std::make_shared<TopArguments>();
  command
      ->add_option("process", a->processes, "Only these processes or selectors; default: all of the user's")
      ->type_name("PID[.SELECTOR]");
  command->add_option("--op", a->operation, "Only this operation")->type_name("OPERATION");
  command
      ->add_option("--filter", a->filter, "Only keys whose operation, key, incumbent or leader has this text")
      ->type_name("TEXT");
  command->add_option("--sort", a->sort, "The order of the keys")
      ->check(CLI::IsMember(top_orders()))
      ->capture_default_str()
      ->type_name("ORDER");
  command->add_option("--limit", a->limit, "Number of keys, 0 to 1,000; a terminal shows what fits")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command
      ->add_option("--interval", a->interval_s,
                   "Seconds between two questions; longer if answers take more than 0.5 % of a core")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str()
      ->type_name("SECONDS");
  command->add_option("--explain", a->explain, "Explains one key: \"gemm m=512 type=bfloat16\"")
      ->type_name("\"OPERATION KEY\"");
  command->add_option("--folder", a->folder, "The folder of the sockets; default: the user's own")
      ->type_name("FOLDER");
  command->add_flag("--once", a->once, "Print the table once; without a terminal, this is the default");
  command->add_flag("--json", a->json, "Print what the selectors answer as JSON, once");
  return {command, [a](const Streams& streams) { return top(*a, streams); }};
}

}  // namespace adaptive::cli
