#include "formats/systems/sglang.hpp"

#include <algorithm>
#include <string>

#include "formats/nearest.hpp"
#include "formats/systems/triton.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

// Whether the name has a part that only SGLang uses. Without such a part, the file may belong to either
// system.
bool is_sglang_name(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const auto has = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
  return has(", ") || has("per_channel_quant=") || name.ends_with("_down.json") ||
         path.find("sglang") != std::string_view::npos ||
         (path.starts_with("triton_") && path.find("vllm") == std::string_view::npos) ||
         (path.find("/triton_") != std::string_view::npos && path.find("vllm") == std::string_view::npos);
}

class Sglang final : public TritonFormat {
 public:
  std::string_view name() const noexcept override { return "sglang"; }

  bool recognises_path(std::string_view path) const override {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    return name.ends_with(".json") && (name.starts_with("E=") || name.starts_with("N=")) &&
           is_sglang_name(path);
  }

  std::string why_not_found(const Sheet& sheet) const override {
    if (sheet.operation != "fused_moe" || !folder_of(sheet).empty()) return {};
    return "SGLang looks for it in a folder named by the version of Triton, such as triton_3_5_1";
  }

  Answer look_up(std::span<const Sheet* const> sheets, const Question& question) const override {
    if (label_in(question.key, "projection") != "down") return of_file(sheets, question);
    Question up = question;
    up.key["projection"] = Parameter("up");
    const Answer above = of_file(sheets, up);
    Answer answer = of_file(sheets, question);
    if (answer.source.empty()) {
      answer = above;
      if (!answer.source.empty()) {
        as_neighbour(answer);
        answer.warnings.emplace_back("there is no _down file; the file of the up projection is used");
      }
      return answer;
    }
    if (answer.parameters && above.parameters) share_tile(*answer.parameters, *above.parameters, answer);
    return answer;
  }

 protected:
  // Configurations of other kernels have no folders of versions.
  std::string folder_of(const Sheet& sheet) const override {
    if (sheet.operation != "fused_moe" || version_of(sheet, "triton").empty()) return {};
    std::string version = version_of(sheet, "triton");
    std::replace(version.begin(), version.end(), '.', '_');
    return "triton_" + version + "/";
  }
  std::string_view block_separator() const noexcept override { return ", "; }

 private:
  Answer of_file(std::span<const Sheet* const> sheets, const Question& question) const {
    const std::vector<const Sheet*> sorted = newest_first(sheets);
    const auto fitting = [&](const Sheet* sheet) { return fits(*sheet, question.key); };
    if (!question.version.empty()) {
      const auto own = std::find_if(sorted.begin(), sorted.end(), [&](const Sheet* sheet) {
        return fitting(sheet) && of_version(*sheet, question.version);
      });
      if (own != sorted.end()) return nearest_in(**own, question);
    }
    const auto newest = std::find_if(sorted.begin(), sorted.end(), fitting);
    if (newest == sorted.end()) return not_found(sheets, question);
    Answer answer = nearest_in(**newest, question);
    // Only the configurations of the experts lie in folders of versions.
    if (!question.version.empty() && question.operation == "fused_moe") {
      as_neighbour(answer);
      answer.warnings.push_back("Config file not found for version " + question.version + ". Fallback to " +
                                (*newest)->path + ". Performance might be sub-optimal!");
    }
    return answer;
  }

  // A row that was tuned for something else than what was asked is never an exact one.
  static void as_neighbour(Answer& answer) {
    if (answer.match == MatchKind::exact) answer.match = MatchKind::nearest;
  }

  static void share_tile(Parameters& down, const Parameters& up, Answer& answer) {
    const auto own = down.find("BLOCK_SIZE_M");
    const auto shared = up.find("BLOCK_SIZE_M");
    if (own == down.end() || shared == up.end() || own->second == shared->second) return;
    own->second = shared->second;
    answer.warnings.emplace_back(
        "BLOCK_SIZE_M is that of the up projection, because both use the same sorted tokens");
  }
};

}  // namespace

const Format& sglang() {
  static const Sglang format;
  return format;
}

}  // namespace adaptive::table::formats
