// Messages between the tuner and its worker processes: values in a fixed order, over a socket. Both ends are
// the same program.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace adaptive::inline v1::tuning {

class Message {
 public:
  Message() = default;
  explicit Message(std::string bytes) : bytes_(std::move(bytes)) {}

  const std::string& bytes() const noexcept { return bytes_; }
  bool at_end() const noexcept { return at_ == bytes_.size(); }

  template <class T>
  requires std::is_arithmetic_v<T> || std::is_enum_v<T> Message& add(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Message& add(std::string_view text) {
    add(static_cast<std::uint64_t>(text.size()));
    bytes_.append(text);
    return *this;
  }

  /// Values in the order of add(). Missing values are read as zero or empty.
  template <class T>
  T take() {
    T value{};
    if (bytes_.size() - at_ >= sizeof value) std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += std::min(sizeof value, bytes_.size() - at_);
    return value;
  }
  std::string take_text() {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(take<std::uint64_t>(), bytes_.size() - at_));
    std::string text = bytes_.substr(at_, size);
    at_ += size;
    return text;
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

/// A channel to the other process, which owns its descriptor. `send` returns false if the other end is gone.
class Channel {
 public:
  explicit Channel(int descriptor) noexcept : descriptor_(descriptor) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel();

  bool send(const Message& message) const;

  enum class Received { message, closed, timed_out };
  /// Waits at most `seconds_max` seconds; negative: without a limit.
  Received receive(Message& message, double seconds_max) const;

 private:
  bool receive_bytes(char* to, std::size_t size) const;

  int descriptor_;
};

}  // namespace adaptive::tuning
