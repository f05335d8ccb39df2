// The C interface: savers, stores, and epochs of ranks.
#include <cstdint>
#include <memory>

#include "c/handles.hpp"

using adaptive::c::guarded;
using adaptive::c::milliseconds_of;
using adaptive::c::require;

adaptive_status adaptive_saver_create(adaptive_selector* selector, const char* path,
                                      std::uint64_t interval_ms, adaptive_saver** saver) noexcept {
  return guarded([&] {
    require("adaptive_saver_create", selector, path, saver);
    *saver = std::make_unique<adaptive_saver>(
                 selector->selector,
                 adaptive::SaverOptions{.path = path,
                                        .interval = milliseconds_of(interval_ms, "adaptive_saver_create")})
                 .release();
  });
}

adaptive_status adaptive_saver_create_shared(adaptive_selector* selector, const char* path,
                                             adaptive_store* store, std::uint64_t interval_ms,
                                             adaptive_saver** saver) noexcept {
  return guarded([&] {
    require("adaptive_saver_create_shared", selector, store, saver);
    adaptive::SaverOptions options{.store = store->store,
                                   .interval = milliseconds_of(interval_ms, "adaptive_saver_create_shared")};
    if (path != nullptr) options.path = path;
    *saver = std::make_unique<adaptive_saver>(selector->selector, std::move(options)).release();
  });
}

void adaptive_saver_destroy(adaptive_saver* saver) noexcept {
  delete saver;
}

void adaptive_saver_request(adaptive_saver* saver) noexcept {
  saver->saver.request();
}

adaptive_status adaptive_store_create(const char* folder, adaptive_store** store) noexcept {
  return guarded([&] {
    require("adaptive_store_create", folder, store);
    *store = std::make_unique<adaptive_store>(adaptive_store{adaptive::file_store(folder)}).release();
  });
}

void adaptive_store_destroy(adaptive_store* store) noexcept {
  delete store;
}

adaptive_status adaptive_rank_epochs_create(adaptive_selector* selector, adaptive_store* store,
                                            const char* job, int rank, std::uint64_t interval,
                                            std::uint64_t patience_ms,
                                            adaptive_rank_epochs** epochs) noexcept {
  return guarded([&] {
    require("adaptive_rank_epochs_create", selector, store, job, epochs);
    adaptive::RankEpochsOptions options{
        .store = store->store,
        .job = job,
        .rank = rank,
        .patience = milliseconds_of(patience_ms, "adaptive_rank_epochs_create")};
    if (interval > 0) options.interval = interval;
    *epochs = std::make_unique<adaptive_rank_epochs>(selector->selector, std::move(options)).release();
  });
}

void adaptive_rank_epochs_destroy(adaptive_rank_epochs* epochs) noexcept {
  delete epochs;
}

adaptive_status adaptive_rank_epochs_step(adaptive_rank_epochs* epochs, std::uint64_t number,
                                          bool* risen) noexcept {
  return guarded([&] {
    require("adaptive_rank_epochs_step", epochs);
    const bool has_risen = epochs->epochs.step(number);
    if (risen != nullptr) *risen = has_risen;
  });
}

adaptive_status adaptive_rank_epochs_announce(adaptive_rank_epochs* epochs, const char* path) noexcept {
  return guarded([&] {
    require("adaptive_rank_epochs_announce", epochs, path);
    epochs->epochs.announce(path);
  });
}

int adaptive_rank_epochs_rank(const adaptive_rank_epochs* epochs) noexcept {
  return epochs->epochs.rank();
}
