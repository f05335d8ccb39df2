// adaptive mode PID [MODE]
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <adaptive/error.hpp>

#include "cli/command.hpp"
#include "cli/json_output.hpp"
#include "cli/watch/selectors.hpp"

namespace adaptive::inline v1::cli {
namespace {

struct ModeArguments {
  std::string process;
  std::string mode;
  std::filesystem::path folder;
  bool json = false;
};

Exit set_mode(const ModeArguments& arguments, const Streams& streams) {
  const SelectorId id = parse_selector_id(arguments.process);
  const std::vector<watch::FoundSocket> sockets = find_selectors(socket_folders(arguments.folder), {id});
  if (sockets.empty())
    throw Error(ErrorCode::not_found, "has no selector that listens", "process " + arguments.process,
                "start it with ADAPTIVE_SOCKET=1; `adaptive top --once` lists those that listen");
  Json request = {{"ask", "mode"}};
  if (!arguments.mode.empty()) request["mode"] = arguments.mode;
  Json list = Json::array();
  Exit exit = exit_ok;
  // All of them, even if one does not answer: it is the kill switch.
  for (const watch::FoundSocket& socket : sockets) {
    const Json answer = ask_selector(socket, request);
    Json one = {{"process", socket.name.process}, {"selector", socket.name.selector}};
    one.update(answer);
    one.erase("version");
    if (answer.contains("error")) exit = exit_usage;
    if (!arguments.json) {
      const std::string name = fmt::format("{}.{}", socket.name.process, socket.name.selector);
      if (answer.contains("error"))
        streams.err << fmt::format("adaptive: {}: {}\n", name, answer["error"].value("what", ""));
      else if (answer.contains("former"))
        streams.out << fmt::format("{}: {}, was {}\n", name, answer.value("mode", ""),
                                   answer.value("former", ""));
      else
        streams.out << fmt::format("{}: {}\n", name, answer.value("mode", ""));
    }
    list.push_back(one);
  }
  if (arguments.json) print_json(list, streams.out);
  return exit;
}

}  // namespace

Command add_mode(CLI::App& app) {
  CLI::App* const command = app.add_subcommand(
      "mode", "Sets the mode of a running process, for example off: the kill switch. Tells it without MODE.");
  const auto a = std::make_shared<ModeArguments>();
  command->add_option("process", a->process, "The process, or one of its selectors")
      ->required()
      ->type_name("PID[.SELECTOR]");
  command->add_option("mode", a->mode, "off, seed, observe, online or frozen")
      ->check(CLI::IsMember({"off", "seed", "observe", "online", "frozen"}))
      ->type_name("MODE");
  command->add_option("--folder", a->folder, "The folder of the sockets; default: the user's own")
      ->type_name("FOLDER");
  command->add_flag("--json", a->json, "Print the result as JSON");
  return {command, [a](const Streams& streams) { return set_mode(*a, streams); }};
}

}  // namespace adaptive::cli
