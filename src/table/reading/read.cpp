// Reads the text of a file.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include <adaptive/error.hpp>

#include "base/limits.hpp"
#include "files/file_descriptor.hpp"
#include "files/file_text.hpp"
#include "files/system_error.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table {

std::string read_text(const std::filesystem::path& path) {
  const auto fail = [&](const std::string& what, int error) { return system_error(what, path, error); };
  // Without O_NONBLOCK, opening a pipe would wait for its writer.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) throw fail("cannot be opened", errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw fail("cannot be read", errno);
  if (S_ISDIR(status.st_mode))
    throw Error(ErrorCode::invalid_argument, "is a folder, not a table", path.string(), "name a file in it");
  if (!S_ISREG(status.st_mode))
    throw Error(ErrorCode::invalid_argument, "is not a regular file", path.string());
  const auto too_large = [&] {
    return Error(ErrorCode::too_large, "larger than " + std::to_string(limits::file_bytes) + " bytes",
                 path.string());
  };
  if (static_cast<std::size_t>(status.st_size) > limits::file_bytes) throw too_large();

  // One byte more than the size, so that the last read finds the end. The file may also grow meanwhile, or
  // claim to be empty, as files in /proc do.
  std::string text(static_cast<std::size_t>(status.st_size) + 1, '\0');
  std::size_t size = 0;
  while (true) {
    if (size == text.size()) text.resize(text.size() * 2);
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw fail("cannot be read", errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
    if (size > limits::file_bytes) throw too_large();
  }
  text.resize(size);
  return text;
}

ReadResult read(const std::filesystem::path& path) {
  return parse(read_text(path), path.string());
}

std::vector<Notice> validate(const std::filesystem::path& path) {
  std::string text;
  try {
    text = read_text(path);
  } catch (const Error& error) {
    return {{path.string(), error.problem(), LogLevel::error}};
  }
  return validate(text, path.string());
}

}  // namespace adaptive::table
