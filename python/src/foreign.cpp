// Files of other systems, for functions that answer in place of the systems' own (adaptive_selector.compat).
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <adaptive/match.hpp>

#include "bindings.hpp"
#include "errors.hpp"
#include "formats/export.hpp"
#include "formats/import.hpp"
#include "selector/lookup.hpp"

namespace adaptive::python {
namespace {

namespace formats = table::formats;

std::vector<const formats::Format*> formats_of(const std::string& system) {
  std::vector<const formats::Format*> found = formats::named(system);
  if (found.empty())
    raise_error("not_found", "there is no system " + system, "system", "known: " + formats::known_names());
  return found;
}

nb::dict dict_of_shape(const formats::Shape& shape) {
  nb::dict dict;
  for (const auto& [name, parameter] : shape)
    std::visit([&, &key = name](const auto& v) { dict[key.c_str()] = v; }, parameter.value());
  return dict;
}

// Files as they were when they were read; nothing changes afterwards.
class ForeignFiles {
 public:
  ForeignFiles(const std::vector<std::filesystem::path>& paths, std::string system)
      : system_(std::move(system)) {
    const std::vector<const formats::Format*> candidates = formats_of(system_);
    const nb::gil_scoped_release release;
    formats::Import import = formats::read_files(paths, candidates, true);
    files_ = std::move(import.files);
    table_ = formats::to_table(import.sheets, files_, import.notices);
  }

  nb::dict look_up(std::map<std::string, std::string> key, std::string operation, bool as_the_system,
                   std::string version, double limit) const {
    formats::LookupRequest request;
    request.operation = std::move(operation);
    request.key = std::move(key);
    request.version = std::move(version);
    request.nearest_limit = limit;
    const formats::LookupResult result = [&] {
      const nb::gil_scoped_release release;
      return as_the_system ? formats::look_up_like(table_, request, system_)
                           : formats::look_up(table_, request);
    }();
    nb::dict dict;
    dict["match"] = std::string(to_string(result.match));
    dict["distance"] = result.distance;
    dict["parameters"] = nb::module_::import_("json").attr("loads")(result.parameters);
    dict["matched"] = dict_of_shape(result.matched);
    dict["source"] = result.source;
    dict["warnings"] = result.warnings;
    return dict;
  }

  nb::list files() const {
    nb::list list;
    for (const formats::FileOutcome& file : files_)
      list.append(nb::make_tuple(file.path, file.rows, file.refused));
    return list;
  }

  const std::string& system() const noexcept { return system_; }

 private:
  std::string system_;
  std::vector<formats::FileOutcome> files_;
  table::Table table_;
};

std::map<std::string, std::string> foreign_texts(const std::filesystem::path& table,
                                                 const std::string& system,
                                                 const std::map<std::string, std::string>& existing) {
  const std::vector<const formats::Format*> wanted = formats_of(system);
  const nb::gil_scoped_release release;
  const formats::Export made = formats::to_files(
      table::read(table).table, wanted, [&](const std::string& path) -> std::optional<std::string> {
        const auto at = existing.find(path);
        return at == existing.end() ? std::nullopt : std::optional(at->second);
      });
  std::map<std::string, std::string> texts;
  for (const formats::ExportedFile& file : made.files) texts.emplace(file.path, file.text);
  return texts;
}

}  // namespace

void bind_foreign(nb::module_& module) {
  nb::class_<ForeignFiles>(
      module, "ForeignFiles",
      "Tuned files of another system, read once, for look-ups of single keys. Any number of threads may use "
      "it.")
      .def(nb::init<const std::vector<std::filesystem::path>&, std::string>(), nb::arg("paths"),
           nb::arg("system"),
           nb::sig("def __init__(self, paths: Sequence[str | os.PathLike[str]], system: str) -> None"),
           "paths: files, and folders whose *.json files are read at any depth. What cannot be used is left "
           "out; `files`\nsays why.\nsystem: the name of a system or a format, as for `adaptive lookup "
           "--like`.\n\nRaises Error for an unknown system.")
      .def(
          "look_up", &ForeignFiles::look_up, nb::arg("key"), nb::kw_only(), nb::arg("operation") = "",
          nb::arg("as_the_system") = false, nb::arg("version") = "", nb::arg("limit") = 1.0,
          nb::sig("def look_up(self, key: Mapping[str, str], *, operation: str = '', as_the_system: bool = "
                  "False, version: str = '', limit: float = 1.0) -> dict[str, typing.Any]"),
          "The row for a key, as `adaptive lookup` finds it.\n\n"
          "as_the_system: by the rule of the other system's runtime; otherwise by this library's, which "
          "borrows from no\nkey that is farther away than `limit` doublings and takes no row that cannot run "
          "the key.\n\n"
          "Returns 'match' ('exact', 'predicted', 'nearest' or 'default'), 'distance' in doublings, "
          "'parameters' as the\nfile names them (empty: no file has any for this key), "
          "'matched' (the key of the row), 'source' (its\nfile) and 'warnings'. Raises Error where the key "
          "is not one of the files' operation.")
      .def_prop_ro("files", &ForeignFiles::files, nb::sig("def files(self) -> list[tuple[str, int, str]]"),
                   "Path, number of rows, and why the file was refused (empty: it was not).")
      .def_prop_ro("system", &ForeignFiles::system);

  module.def(
      "foreign_texts", &foreign_texts, nb::arg("table"), nb::arg("system"),
      nb::arg("existing") = std::map<std::string, std::string>(),
      nb::sig("def foreign_texts(table: str | os.PathLike[str], system: str, existing: Mapping[str, str] = "
              "{}) -> dict[str, str]"),
      "The files of another system for a saved table whose operation is one of that system: texts by path, "
      "as "
      "`adaptive\nexport` writes them. `existing` are texts of files to which rows are added, by the same "
      "paths. Raises Error where\nthe table cannot be read, or for an unknown system.");
}

}  // namespace adaptive::python
