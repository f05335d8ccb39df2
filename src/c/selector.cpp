// The C interface: selectors.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/tables.hpp>
#include "c/handles.hpp"

using adaptive::c::guarded;
using adaptive::c::require;

adaptive_status adaptive_selector_create(const adaptive_options* options,
                                         adaptive_selector** selector) noexcept {
  return guarded([&] {
    require("adaptive_selector_create", selector);
    if (options == nullptr) {
      *selector = std::make_unique<adaptive_selector>(adaptive::SelectorOptions{}).release();
      return;
    }
    adaptive::SelectorOptions copy = options->options;
    if (options->standard_tables) {
      // Without a header's path: the header that C programs include leaves none in them.
      adaptive::TableSearch usual = adaptive::TableSearch::standard(options->version, nullptr);
      copy.tables.version = usual.version;
      for (auto& place : usual.places) copy.tables.places.push_back(std::move(place));
      copy.tables.defaults = std::move(usual.defaults);
    }
    *selector = std::make_unique<adaptive_selector>(std::move(copy)).release();
  });
}

void adaptive_selector_destroy(adaptive_selector* selector) noexcept {
  delete selector;
}

adaptive_operation* adaptive_selector_find(adaptive_selector* selector, const char* name) noexcept {
  if (selector == nullptr || name == nullptr) return nullptr;
  return reinterpret_cast<adaptive_operation*>(selector->selector.find(name));
}

adaptive_status adaptive_selector_load(adaptive_selector* selector, const char* path) noexcept {
  return guarded([&] {
    require("adaptive_selector_load", selector, path);
    selector->selector.load(path);
  });
}

adaptive_status adaptive_selector_save(const adaptive_selector* selector, const char* path) noexcept {
  return guarded([&] {
    require("adaptive_selector_save", selector, path);
    selector->selector.save(path);
  });
}

adaptive_status adaptive_selector_advance_epoch(adaptive_selector* selector, const char* table) noexcept {
  return guarded([&] {
    require("adaptive_selector_advance_epoch", selector, table);
    selector->selector.advance_epoch(table);
  });
}

adaptive_status adaptive_selector_learn(adaptive_selector* selector) noexcept {
  return guarded([&] {
    require("adaptive_selector_learn", selector);
    selector->selector.learn();
  });
}

adaptive_status adaptive_selector_fit_predictions(adaptive_selector* selector) noexcept {
  return guarded([&] {
    require("adaptive_selector_fit_predictions", selector);
    selector->selector.fit_predictions();
  });
}

adaptive_mode adaptive_selector_mode(const adaptive_selector* selector) noexcept {
  return static_cast<adaptive_mode>(selector->selector.mode());
}

adaptive_status adaptive_selector_set_mode(adaptive_selector* selector, adaptive_mode mode) noexcept {
  return guarded([&] {
    require("adaptive_selector_set_mode", selector);
    selector->selector.set_mode(adaptive::c::mode_of(mode, "adaptive_selector_set_mode"));
  });
}

std::uint64_t adaptive_selector_memory_limit(const adaptive_selector* selector) noexcept {
  return selector->selector.memory_limit();
}

adaptive_status adaptive_selector_set_memory_limit(adaptive_selector* selector,
                                                   std::uint64_t bytes) noexcept {
  return guarded([&] {
    require("adaptive_selector_set_memory_limit", selector);
    selector->selector.set_memory_limit(bytes);
  });
}

std::uint64_t adaptive_selector_epoch(const adaptive_selector* selector) noexcept {
  return selector->selector.epoch();
}
