// A store of files: one for each writer, which nobody else writes.
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include <adaptive/error.hpp>
#include <adaptive/store.hpp>

#include "table/atomic_file.hpp"
#include "table/file_text.hpp"

namespace adaptive {

Store::~Store() = default;

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

class FileStore final : public Store {
 public:
  explicit FileStore(fs::path folder) : folder_(std::move(folder)) {}

  Records read(const std::string& group) override {
    Records all;
    std::error_code error;
    for (fs::directory_iterator file(folder_ / group, error), end; !error && file != end;
         file.increment(error)) {
      const std::string name = file->path().filename().string();
      if (!name.starts_with('.') && name.ends_with(".json")) read_into(all, file->path());
    }
    if (error && error != std::errc::no_such_file_or_directory)
      throw Error("cannot be read: " + error.message(), (folder_ / group).string());
    return all;
  }

  void write(const std::string& group, const std::string& writer, const Records& records) override {
    Records& mine = written_[{group, writer}];
    for (const auto& [name, text] : records) mine.insert_or_assign(name, text);
    std::error_code error;
    fs::create_directories(folder_ / group, error);
    if (error) throw Error("cannot be made: " + error.message(), (folder_ / group).string());
    table::write_atomically(folder_ / group / (writer + ".json"), Json(mine).dump(1) + "\n");
  }

  std::string name() const override { return folder_.string(); }

 private:
  static void read_into(Records& all, const fs::path& path) {
    const Json json = Json::parse(table::read_text(path), nullptr, false);
    if (!json.is_object()) throw Error("is no file of a store", path.string());
    for (const auto& [name, text] : json.items())
      if (text.is_string()) all.insert_or_assign(name, text.get<std::string>());
  }

  fs::path folder_;
  std::map<std::pair<std::string, std::string>, Records> written_;  // by group and writer: the whole files
};

}  // namespace

std::shared_ptr<Store> file_store(fs::path folder) {
  return std::make_shared<FileStore>(std::move(folder));
}

}  // namespace adaptive
