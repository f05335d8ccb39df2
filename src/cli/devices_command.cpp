// adaptive devices
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <adaptive/device.hpp>

#include "cli/command.hpp"
#include "cli/json_output.hpp"
#include "tuning/measuring/targets.hpp"

namespace adaptive::inline v1::cli {
namespace {

struct Device {
  tuning::DeviceId id = {};
  Fingerprint fingerprint = {};
  std::vector<std::string> families = {};
};

std::vector<Device> find_devices() {
  std::vector<Device> all = {{.fingerprint = host_device()}};
  for (int gpu = 0, count = tuning::gpu_count(); gpu < count; ++gpu) all.push_back({.id = {gpu}});
  for (Device& device : all)
    for (const std::string& family : tuning::family_names()) {
      try {
        const auto target = tuning::make_isolated_target(family, device.id, {}, {});
        if (!device.id.is_host()) device.fingerprint = target->fingerprint();
        device.families.push_back(family);
      } catch (const std::exception&) {
        // The family does not run on this device, or the device does not answer: it has no variants.
      }
    }
  return all;
}

Exit list_devices(bool json, const Streams& streams) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Device& device : find_devices()) {
    const Fingerprint& fingerprint = device.fingerprint;
    if (json) {
      list.push_back({{"id", to_string(device.id)},
                      {"device", fingerprint.device},
                      {"tables", normalised_device(fingerprint.device)},
                      {"driver", fingerprint.driver},
                      {"toolkit", fingerprint.toolkit},
                      {"libraries", fingerprint.libraries},
                      {"families", device.families}});
      continue;
    }
    std::string details;
    if (!fingerprint.driver.empty()) details += fmt::format("  driver {}", fingerprint.driver);
    if (!fingerprint.toolkit.empty()) details += fmt::format("  toolkit {}", fingerprint.toolkit);
    for (const auto& [name, version] : fingerprint.libraries)
      details += fmt::format("  {} {}", name, version);
    streams.out << fmt::format("{}: {}\n  tables in {}/\n", to_string(device.id),
                               fingerprint.device.empty() ? "does not answer" : fingerprint.device,
                               normalised_device(fingerprint.device));
    if (!details.empty()) streams.out << details << "\n";
    streams.out << fmt::format("  families: {}\n", fmt::join(device.families, ", "));
  }
  if (json) print_json(list, streams.out);
  return exit_ok;
}

}  // namespace

Command add_devices(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("devices", "Lists the devices, their fingerprints and families.");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "Print the result as JSON");
  return {command, [json](const Streams& streams) { return list_devices(*json, streams); }};
}

}  // namespace adaptive::cli
