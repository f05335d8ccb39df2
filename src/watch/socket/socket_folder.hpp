// Where the sockets of running processes are, and which of them are those of dead ones.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "files/file_descriptor.hpp"

namespace adaptive::inline v1::watch {

/// The folder of this user's sockets: that in which a selector listens if it names none. Needs not exist.
std::filesystem::path user_socket_folder();

/// All folders in which programs of this user may listen by themselves, since processes differ in their
/// environment: that of `XDG_RUNTIME_DIR`, /run/user/UID/adaptive and /tmp/adaptive-UID.
std::vector<std::filesystem::path> user_socket_folders();

/// Opens a folder for sockets. Throws `Error` if it cannot be opened, belongs to another user, or others may
/// write in it: they could put a socket of theirs in the place of one of ours.
table::FileDescriptor open_socket_folder(const std::filesystem::path& folder);
/// Makes it first, with mode 0700, if it does not exist.
table::FileDescriptor make_socket_folder(const std::filesystem::path& folder);

/// The process and the number of the selector behind the name of a socket.
struct SocketName {
  int process = 0;
  int selector = 0;
};
std::string to_text(const SocketName& name);  ///< "4711.1.sock"
std::optional<SocketName> parse_socket_name(const std::string& text);

/// A name under which a selector binds its socket before it listens; see `living_sockets`.
std::string name_before_listening(const SocketName& name);

/// A socket of the folder that `folder` is, as an address, however long the path of the folder is.
struct Address {
  Address(const table::FileDescriptor& folder, const std::string& name);
  std::string path;  ///< of at most 107 bytes
};

/// Connects without waiting. Returns a descriptor, or a negative one with `errno` set. ECONNREFUSED is the
/// answer of a socket whose process is dead.
table::FileDescriptor connect_to(const Address& address) noexcept;
/// Whether the socket of that name is one of a dead process.
bool is_dead(const table::FileDescriptor& folder, const std::string& name) noexcept;
/// Makes the file of a socket. False: `errno` is set.
bool bind_to(const Address& address, const table::FileDescriptor& socket) noexcept;

/// The sockets of the folder, in the order of their processes and numbers. Removes those of dead processes,
/// which a process that was killed leaves behind. A socket whose process has bound it but does not listen
/// yet looks dead as well; therefore it has another name until it listens, which is removed only if it is
/// older than a minute.
std::vector<SocketName> living_sockets(const table::FileDescriptor& folder);

}  // namespace adaptive::watch
