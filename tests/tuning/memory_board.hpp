// A board in memory that several queues share. It can be made unreachable.
#pragma once

#include <map>
#include <memory>
#include <string>

#include <adaptive/error.hpp>

#include "tuning/queue/board.hpp"

namespace adaptive::inline v1::tuning {

struct SharedTexts {
  std::map<std::string, Board::Texts> groups = {};
  int failures = 0;  ///< number of the next calls that fail
  int calls = 0;
};

class MemoryBoard final : public Board {
 public:
  explicit MemoryBoard(SharedTexts& shared) : shared_(shared) {}

  Texts read(const std::string& group) override {
    reach();
    return shared_.groups[group];
  }
  std::string read(const std::string& group, const std::string& name) override {
    reach();
    return shared_.groups[group][name];
  }
  bool replace(const std::string& group, const std::string& name, const std::string& expected,
               const std::string& desired) override {
    reach();
    std::string& text = shared_.groups[group][name];
    if (text != expected && text != desired) return false;
    text = desired;
    return true;
  }
  std::string name() const override { return "memory"; }

 private:
  void reach() {
    ++shared_.calls;
    if (shared_.failures > 0) {
      --shared_.failures;
      throw Error(ErrorCode::unavailable, "cannot be reached", name());
    }
  }

  SharedTexts& shared_;
};

}  // namespace adaptive::tuning
