#include "tuning/trial_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include <adaptive/error.hpp>

#include "base/text.hpp"
#include "files/atomic_file.hpp"
#include "files/file_descriptor.hpp"
#include "files/system_error.hpp"

namespace adaptive::inline v1::tuning {
namespace {

constexpr std::string_view header =
    "operation,shape,variant,parameters,phase,round,status,latency_us,launches,prepare_us,detail,is_best";
constexpr std::size_t columns = 12;

// A field of one line; line breaks in the text are replaced.
std::string field(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  return core::csv_field(text);
}

// The shortest text that reads back as the same number, so that a resumed run sees exactly the numbers of the
// first one.
std::string number(double value) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

std::optional<std::vector<std::string>> fields_of(std::string_view line) {
  std::vector<std::string> fields(1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == ',') {
      fields.emplace_back();
    } else if (line[i] == '"' && fields.back().empty()) {
      for (++i;; ++i) {
        if (i >= line.size()) return std::nullopt;
        if (line[i] == '"' && (i + 1 == line.size() || line[i + 1] != '"')) break;
        if (line[i] == '"') ++i;
        fields.back() += line[i];
      }
    } else {
      fields.back() += line[i];
    }
  }
  if (fields.size() != columns) return std::nullopt;
  return fields;
}

std::optional<TrialRow> parse_row(std::string_view line) {
  auto fields = fields_of(line);
  if (!fields) return std::nullopt;
  auto& f = *fields;
  TrialRow row{.operation = std::move(f[0]), .shape = std::move(f[1]), .variant = std::move(f[2])};
  row.phase = std::move(f[4]);
  const auto status = parse_trial_status(f[6]);
  const auto round = core::parse_number<int>(f[5]);
  const auto launches = core::parse_number<int>(f[8]);
  const auto latency_us = core::parse_number<double>(f[7]), prepare_us = core::parse_number<double>(f[9]);
  if (!status || !round || !latency_us || !launches || !prepare_us || (f[11] != "0" && f[11] != "1"))
    return std::nullopt;
  row.round = *round;
  row.trial.latency_us = *latency_us;
  row.trial.launches = *launches;
  row.trial.prepare_us = *prepare_us;
  try {
    row.parameters = parse_parameters(f[3]);
  } catch (const Error&) {
    return std::nullopt;
  }
  row.trial.status = *status;
  row.trial.detail = std::move(f[10]);
  row.is_best = f[11] == "1";
  return row;
}

std::string lines(const std::vector<TrialRow>& rows) {
  std::string result;
  for (const TrialRow& row : rows) result += to_csv(row) + '\n';
  return result;
}

}  // namespace

struct TrialLog::File {
  explicit File(const std::filesystem::path& path)
      : descriptor(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644)) {}
  table::FileDescriptor descriptor;
};

std::string to_csv(const TrialRow& row) {
  const Trial& trial = row.trial;
  return field(row.operation) + ',' + field(row.shape) + ',' + field(row.variant) + ',' +
         field(to_string(row.parameters)) + ',' + row.phase + ',' + std::to_string(row.round) + ',' +
         std::string(to_string(trial.status)) + ',' + number(trial.latency_us) + ',' +
         std::to_string(trial.launches) + ',' + number(trial.prepare_us) + ',' + field(trial.detail) + ',' +
         (row.is_best ? '1' : '0');
}

std::string print_trials(const std::vector<TrialRow>& rows) {
  return std::string(header) + '\n' + lines(rows);
}

std::vector<TrialRow> parse_trials(std::string_view text, const std::string& source, std::size_t* skipped) {
  std::vector<TrialRow> rows;
  if (skipped != nullptr) *skipped = 0;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    ++number;
    const std::size_t end = text.find('\n', at);
    const bool complete = end != std::string::npos;
    const std::string_view line = text.substr(at, complete ? end - at : std::string::npos);
    at = complete ? end + 1 : text.size();
    if (number == 1) {
      if (complete && line != header)
        throw Error(ErrorCode::corrupt, "is not a list of trials", source + ":1",
                    "its first line is not \"" + std::string(header) + '"');
      continue;
    }
    auto row = complete ? parse_row(line) : std::nullopt;
    if (row)
      rows.push_back(std::move(*row));
    else if (skipped != nullptr)
      ++*skipped;
    else
      throw Error(ErrorCode::corrupt, "is not a trial", source + ":" + std::to_string(number));
  }
  return rows;
}

std::vector<TrialRow> read_trials(const std::filesystem::path& path, std::size_t* skipped) {
  std::size_t ignored = 0;
  if (!std::filesystem::exists(path)) return parse_trials("", path.string(), skipped);
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCode::io, "cannot be read", path.string());
  const std::string text(std::istreambuf_iterator<char>(file), {});
  if (file.bad()) throw Error(ErrorCode::io, "cannot be read", path.string());
  return parse_trials(text, path.string(), skipped != nullptr ? skipped : &ignored);
}

TrialLog::TrialLog() = default;

TrialLog::TrialLog(std::filesystem::path path) : path_(std::move(path)) {
  add(read_trials(path_));
  for (auto& [shape, rows] : rows_)
    for (TrialRow& row : rows) row.is_best = false;  // decided again when the run ends
  rewrite();
}

TrialLog::~TrialLog() = default;

void TrialLog::rewrite() {
  table::write_atomically(path_, text());
  file_ = std::make_unique<File>(path_);
  if (!file_->descriptor)
    throw Error(table::error_code_of(errno), "cannot be written: " + std::generic_category().message(errno),
                path_.string());
}

void TrialLog::write(const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(file_->descriptor.get(), text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      throw Error(table::error_code_of(errno), "cannot be written: " + std::generic_category().message(errno),
                  path_.string());
    done += static_cast<std::size_t>(written);
  }
}

void TrialLog::append(const std::vector<TrialRow>& rows) {
  const std::lock_guard lock(mutex_);
  if (file_) write(lines(rows));
  add(rows);
}

void TrialLog::replace(const std::string& operation, const std::string& shape,
                       const std::vector<TrialRow>& rows) {
  const std::lock_guard lock(mutex_);
  const bool was_there = rows_.erase({operation, shape}) > 0;
  if (was_there) std::erase(order_, std::pair{operation, shape});
  add(rows);
  if (!file_) return;
  if (was_there)
    rewrite();
  else
    write(lines(rows));
}

void TrialLog::add(const std::vector<TrialRow>& rows) {
  for (const TrialRow& row : rows) {
    auto& of_shape = rows_[{row.operation, row.shape}];
    if (of_shape.empty()) order_.emplace_back(row.operation, row.shape);
    of_shape.push_back(row);
  }
}

std::vector<TrialRow> TrialLog::rows(const std::string& operation, const std::string& shape) const {
  const std::lock_guard lock(mutex_);
  const auto at = rows_.find({operation, shape});
  return at == rows_.end() ? std::vector<TrialRow>{} : at->second;
}

std::size_t TrialLog::size() const {
  const std::lock_guard lock(mutex_);
  std::size_t result = 0;
  for (const auto& [shape, rows] : rows_) result += rows.size();
  return result;
}

std::string TrialLog::text() const {
  std::string result = std::string(header) + '\n';
  for (const auto& shape : order_) result += lines(rows_.at(shape));
  return result;
}

void TrialLog::finish(const std::map<std::pair<std::string, std::string>, std::string>& best) {
  const std::lock_guard lock(mutex_);
  for (auto& [shape, rows] : rows_) {
    const auto at = best.find(shape);
    for (TrialRow& row : rows)
      row.is_best = at != best.end() && !row.variant.empty() && row.variant == at->second;
  }
  if (file_) rewrite();
}

}  // namespace adaptive::tuning
