#include "cuda/graph/replay/learner.hpp"

#include <algorithm>
#include <utility>

namespace adaptive::inline v1::cuda {
namespace {

// Replays between two makings, once executables have to be removed for others.
constexpr std::uint64_t pause_max = 256;
// Replays until something is tried again that failed, such as memory that was too little.
constexpr std::uint64_t memory_pause = 1024;

// Executables that are being made at the same time.
constexpr std::ptrdiff_t begun_max = 4;

// The form of a variant that takes no other's place, beyond those that the driver numbers.
constexpr std::uint32_t form_alone = 0x80000000u;

bool is_among(const std::vector<std::size_t>& launches, std::size_t launch) {
  return std::find(launches.begin(), launches.end(), launch) != launches.end();
}

}  // namespace

ReplayLearner::ReplayLearner(ReplayDriver& driver, ReplayOptions options) noexcept
    : driver_(driver), options_(options), source_(driver.source()) {}

ReplayLearner::~ReplayLearner() {
  clear();
}

void ReplayLearner::clear() noexcept {
  for (Flight& flight : flights_) {
    give_up(flight);
    land(flight);
  }
  flights_.clear();
  for (const Executable& executable : executables_) destroy(executable);
  executables_.clear();
  drop_stand_in();
  looks_.clear();
  alone_.clear();
  unfit_.clear();
  one_by_one_ = false;
  may_make_at_ = 0;
  memory_at_ = 0;
  stand_in_at_ = 0;
  impossible_ = false;
}

bool ReplayLearner::replay(Variants base, ReplayDriver::Stream stream) {
  collect();
  if (const std::uint32_t source = driver_.source(); source != source_) {
    source_ = source;
    retire_all();
  }
  looks_.begin_replay(base);
  if (impossible_ || options_.executables_max == 0 || options_.looks_max == 0 ||
      driver_.timing() != ReplayDriver::Timing::possible)
    return false;
  // While nothing could take a look, the selector is not asked for one.
  const bool free =
      std::any_of(executables_.begin(), executables_.end(), [](const Executable& e) { return e.is_free(); });
  if (!free && !may_make()) return false;
  looks_.ask();
  if (looks_.waiting() == 0) return false;
  Executable* executable = choose_unread(base);
  if (executable == nullptr || begins_) {
    // What another thread makes can be used only later, so it is begun even if there is something to launch.
    Executable* const made = make_for_looks(base);
    executable = choose_unread(base);  // making may have moved the executables
    if (executable == nullptr) executable = made;
  }
  if (executable == nullptr) executable = choose(base);
  return executable != nullptr && fire(*executable, base, stream);
}

// --- Forms
// ---------------------------------------------------------------------------------------------------

ReplayDriver::Form ReplayLearner::form(std::size_t launch, std::uint32_t variant) noexcept {
  if (unfit_.contains({launch, variant})) return {};
  ReplayDriver::Form form = driver_.form(launch, variant);
  if (form.kind == ReplayDriver::Form::Kind::known && alone_.contains({launch, variant}))
    form.number = form_alone | variant;
  return form;
}

// The form of the variant that a look asks for. A look at a variant that no executable can have is dropped.
std::optional<std::uint32_t> ReplayLearner::form_of_look(std::size_t launch) {
  const ReplayLooks::Look* const look = looks_.waiting(launch);
  if (look == nullptr) return std::nullopt;
  const ReplayDriver::Form found = form(launch, look->decision.variant());
  switch (found.kind) {
    case ReplayDriver::Form::Kind::known:
      return found.number;
    case ReplayDriver::Form::Kind::later:
      return std::nullopt;
    case ReplayDriver::Form::Kind::failed:
      looks_.operation(launch).fail(look->decision);
      break;
    case ReplayDriver::Form::Kind::unfit:
      break;
  }
  looks_.drop(launch);
  return std::nullopt;
}

std::optional<std::uint32_t> ReplayLearner::form_of_base(std::size_t launch, std::uint32_t variant) {
  const ReplayDriver::Form found = form(launch, variant);
  if (found.kind != ReplayDriver::Form::Kind::known) return std::nullopt;
  return found.number;
}

// --- Executables
// ---------------------------------------------------------------------------------------------

bool ReplayLearner::can_serve(const Executable& executable, std::size_t launch) {
  const std::optional<std::uint32_t> wanted = form_of_look(launch);
  return wanted && *wanted == executable.forms[launch];
}

// The waiting looks that the executable could take.
ReplayLearner::Served ReplayLearner::served(const Executable& executable) {
  Served all;
  for (const std::size_t i : executable.covered) {
    if (!can_serve(executable, i)) continue;
    ++all.looks;
    all.since = std::min(all.since, looks_.waiting(i)->since);
  }
  return all;
}

// Whether every launch can run what it has to. An executable in which a launch cannot do so any more is
// retired.
bool ReplayLearner::can_be_used(Executable& executable, Variants base) {
  for (std::size_t i = 0; i < base.size(); ++i) {
    if (executable.variants[i] == base[i]) continue;
    const std::optional<std::uint32_t> form = form_of_base(i, base[i]);
    if (form && *form == executable.forms[i]) continue;
    const bool covered = is_among(executable.covered, i);
    if (covered && can_serve(executable, i)) continue;
    if (!covered) executable.retired = true;
    return false;
  }
  return true;
}

// An executable that has given no latencies yet: first those that time what the program runs, then those that
// were made for looks at other forms.
ReplayLearner::Executable* ReplayLearner::choose_unread(Variants base) {
  for (const bool foreign : {false, true})
    for (Executable& executable : executables_)
      if (executable.foreign == foreign && !executable.read && executable.is_free() &&
          (!foreign || served(executable).looks > 0) && can_be_used(executable, base))
        return &executable;
  return nullptr;
}

// The executable whose looks wait longest, so that none is left out; of several, the one that takes the most.
ReplayLearner::Executable* ReplayLearner::choose(Variants base) {
  Executable* best = nullptr;
  Served of_best;
  for (Executable& executable : executables_) {
    if (!executable.is_free()) continue;
    const Served looks = served(executable);
    if (looks.looks == 0) continue;
    if (looks.looks < executable.covered.size() && looks_.replay() - looks.since < gather) continue;
    const bool better = best == nullptr || looks.since < of_best.since ||
                        (looks.since == of_best.since && looks.looks > of_best.looks);
    if (!better || !can_be_used(executable, base)) continue;
    best = &executable;
    of_best = looks;
  }
  return best;
}

// Whether the launch is timed with what the program's executable runs.
bool ReplayLearner::is_covered(std::size_t launch) const {
  return std::any_of(executables_.begin(), executables_.end(), [&](const Executable& e) {
    return !e.retired && !e.foreign && is_among(e.covered, launch);
  });
}

// The launches whose look no executable could take, the longest waiting first; all that are not covered at
// all before the others.
std::vector<std::size_t> ReplayLearner::unserved(Variants base) {
  std::vector<std::size_t> launches;
  for (std::size_t i = 0; i < looks_.size(); ++i) {
    if (looks_.waiting(i) == nullptr || !form_of_look(i)) continue;
    if (std::none_of(executables_.begin(), executables_.end(), [&](const Executable& e) {
          return !e.retired && is_among(e.covered, i) && can_serve(e, i);
        }))
      launches.push_back(i);
  }
  std::stable_sort(launches.begin(), launches.end(), [&](std::size_t a, std::size_t b) {
    return looks_.waiting(a)->since < looks_.waiting(b)->since;
  });
  std::stable_partition(launches.begin(), launches.end(),
                        [&](std::size_t i) { return !is_covered(i) && looks_.untimed(i, base[i]); });
  return launches;
}

bool ReplayLearner::may_make() const noexcept {
  return looks_.replay() >= std::max(may_make_at_, memory_at_) &&
         std::count_if(executables_.begin(), executables_.end(),
                       [](const Executable& e) { return e.begun; }) < begun_max;
}

// Makes an executable for looks that no other can take. Null if there are none, or if none can be made now.
ReplayLearner::Executable* ReplayLearner::make_for_looks(Variants base) {
  if (!may_make()) return nullptr;
  const std::vector<std::size_t> launches = unserved(base);
  if (launches.empty()) return nullptr;
  std::vector<std::uint32_t> variants(base.begin(), base.end());
  std::vector<std::size_t> covered;
  const std::size_t first = launches.front();
  const auto is_foreign = [&](std::size_t i) {
    return is_covered(i) && form_of_look(i) != form_of_base(i, base[i]);
  };
  const bool foreign = is_foreign(first);
  if (foreign) {
    // Several at once, since making an executable costs more than replaying it.
    for (const std::size_t i : launches) {
      if (covered.size() == (one_by_one_ ? 1 : options_.looks_max)) break;
      if (!is_foreign(i)) continue;
      covered.push_back(i);
      variants[i] = looks_.waiting(i)->decision.variant();
    }
  } else {
    for (const std::size_t i : launches)
      if (covered.size() < options_.looks_max && !is_covered(i)) covered.push_back(i);
    if (covered.empty()) covered.push_back(first);
    fill(covered, base);
  }
  if (!make_room(false)) return nullptr;
  const std::uint64_t refused = counters_.refused;
  Executable* const made = make(variants, covered, foreign, false);
  if (foreign && counters_.refused != refused) note_refused_making(covered, variants);
  return made != nullptr && !made->begun ? made : nullptr;
}

// CUDA has refused an executable for other forms. Which of several it has refused is not known, so the next
// ones are made for one look each.
void ReplayLearner::note_refused_making(const std::vector<std::size_t>& covered, Variants variants) {
  one_by_one_ = covered.size() > 1;
  if (one_by_one_) return;
  const std::size_t launch = covered.front();
  unfit_.insert({launch, variants[launch]});
  const ReplayLooks::Look* const look = looks_.waiting(launch);
  if (look != nullptr && look->decision.variant() == variants[launch]) looks_.drop(launch);
}

// Asks about the executables that are still being made.
void ReplayLearner::finish_begun() {
  for (Executable& executable : executables_) {
    if (!executable.begun) continue;
    const ReplayDriver::Making outcome = driver_.outcome(executable.handle);
    executable.begun = outcome == ReplayDriver::Making::begun;
    if (executable.begun || outcome == ReplayDriver::Making::made) continue;
    executable.retired = true;
    if (outcome == ReplayDriver::Making::no_memory) {
      memory_at_ = looks_.replay() + memory_pause;
      continue;
    }
    ++counters_.refused;
    may_make_at_ = looks_.replay() + idle_min;
    if (executable.foreign) note_refused_making(executable.covered, executable.variants);
  }
}

// Adds launches that no executable covers yet, so that they need none of their own later.
void ReplayLearner::fill(std::vector<std::size_t>& covered, Variants base) {
  for (std::size_t i = 0; i < looks_.size() && covered.size() < options_.looks_max; ++i) {
    if (!is_among(covered, i) && looks_.untimed(i, base[i]) && !is_covered(i)) covered.push_back(i);
  }
}

// Makes room for one more executable, if need be in the place of one that has not been used for `idle`
// replays. One place is kept for the stand-in: without it, the incumbents of all launches wait for one that
// needs other nodes.
bool ReplayLearner::make_room(bool for_stand_in) {
  const std::size_t places =
      options_.executables_max - (for_stand_in || options_.executables_max == 1 ? 0 : 1);
  if (executables_.size() + (stand_in_ && places == options_.executables_max ? 1 : 0) < places) return true;
  Executable* oldest = nullptr;
  for (Executable& executable : executables_)
    if (!executable.flying && !executable.begun && (oldest == nullptr || executable.used < oldest->used))
      oldest = &executable;
  if (oldest == nullptr || (!for_stand_in && looks_.replay() - oldest->used < idle_min)) return false;
  oldest->retired = true;
  ++displaced_;
  destroy_retired();
  return true;
}

ReplayLearner::Executable* ReplayLearner::make(Variants variants, std::vector<std::size_t> covered,
                                               bool foreign, bool now) {
  Executable executable{
      .variants = {variants.begin(), variants.end()}, .covered = std::move(covered), .foreign = foreign};
  for (std::size_t i = 0; i < variants.size(); ++i) {
    const std::optional<std::uint32_t> number = form_of_base(i, variants[i]);
    // The incumbent of a launch cannot be captured now; then neither can the whole.
    if (!number) {
      may_make_at_ = looks_.replay() + idle_min;
      return nullptr;
    }
    executable.forms.push_back(*number);
  }
  executables_.reserve(executables_.size() + 1);
  const ReplayDriver::Made made =
      now ? driver_.make(variants, executable.covered) : driver_.begin(variants, executable.covered);
  switch (made.result) {
    case ReplayDriver::Making::begun:
      executable.begun = true;
      begins_ = true;
      break;
    case ReplayDriver::Making::made:
      break;
    case ReplayDriver::Making::no_memory:
      memory_at_ = looks_.replay() + memory_pause;
      return nullptr;
    case ReplayDriver::Making::refused:
      ++counters_.refused;
      may_make_at_ = looks_.replay() + idle_min;
      return nullptr;
    case ReplayDriver::Making::impossible:
      impossible_ = true;
      return nullptr;
  }
  ++counters_.built;
  executable.handle = made.handle;
  executable.warm = made.times_first;
  executable.used = looks_.replay();
  const std::uint64_t rounds = displaced_ / std::max<std::size_t>(options_.executables_max, 1);
  may_make_at_ =
      looks_.replay() + std::min(pause_max, std::uint64_t{1} << std::min<std::uint64_t>(rounds, 8));
  executables_.push_back(std::move(executable));
  return &executables_.back();
}

// Gives each launch of the executable what it has to run. Returns false if that is not possible.
bool ReplayLearner::change(Executable& executable, Variants base) {
  changes_.clear();
  for (std::size_t i = 0; i < base.size(); ++i) {
    std::uint32_t wanted = base[i];
    if (is_among(executable.covered, i)) {
      if (executable.warm && can_serve(executable, i))
        wanted = looks_.waiting(i)->decision.variant();
      else if (form_of_base(i, base[i]) != executable.forms[i])
        wanted = executable.variants[i];  // the untimed first replay for a form of its own
    }
    if (wanted != executable.variants[i]) changes_.push_back({i, executable.variants[i], wanted});
  }
  if (changes_.empty()) return true;
  const ReplayDriver::Set set = driver_.set(executable.handle, changes_);
  switch (set.result) {
    case ReplayDriver::Setting::done:
      for (const ReplayDriver::Change& one : changes_) executable.variants[one.launch] = one.to;
      return true;
    case ReplayDriver::Setting::refused:
      note_refusal(executable, changes_[set.refused]);
      return false;
    case ReplayDriver::Setting::broken:
      ++counters_.refused;
      executable.retired = true;
      return false;
  }
  return false;
}

void ReplayLearner::note_refusal(Executable& executable, const ReplayDriver::Change& refused) {
  ++counters_.refused;
  const ReplayLooks::Look* const look = looks_.waiting(refused.launch);
  if (look != nullptr && look->decision.variant() == refused.to) {
    // From now on the variant has an executable of its own.
    alone_.insert({refused.launch, refused.to});
  } else {
    executable.retired = true;  // it cannot follow the incumbents
  }
}

bool ReplayLearner::fire(Executable& executable, Variants base, ReplayDriver::Stream stream) {
  Flight flight{.id = last_flight_ + 1, .executable = executable.handle};
  flights_.reserve(flights_.size() + 1);
  flight.samples.reserve(executable.covered.size());
  if (!change(executable, base)) {
    destroy_retired();
    return false;
  }
  if (!driver_.launch(executable.handle, flight.id, stream)) {
    executable.retired = true;
    destroy_retired();
    return false;
  }
  last_flight_ = flight.id;
  executable.flying = true;
  executable.used = looks_.replay();
  ++counters_.replays;
  ++counters_.looking;
  const bool warm = std::exchange(executable.warm, true);
  executable.read = executable.read || warm;
  std::size_t taken = 0;
  for (const std::size_t i : executable.covered) {
    const std::uint32_t variant = executable.variants[i];
    const ReplayLooks::Look* const look = looks_.waiting(i);
    if (warm && look != nullptr && look->decision.variant() == variant) {
      if (variant != base[i]) ++counters_.explored;
      flight.samples.push_back({i, looks_.take(i), true});
      ++counters_.pending;
      ++taken;
    } else if (warm) {
      if (const std::optional<Decision> decision = looks_.untimed(i, variant))
        flight.samples.push_back({i, *decision, false});
    }
  }
  // What all timed launches cost is what these looks have cost.
  const Latency cost = driver_.timing_cost() * static_cast<double>(executable.covered.size());
  counters_.timing_ns += cost.count();
  if (cost.count() > 0.0 && taken > 0)
    for (const Sample& sample : flight.samples)
      if (sample.is_look) looks_.operation(sample.launch).note_timing_cost(cost / static_cast<double>(taken));
  flights_.push_back(std::move(flight));
  return true;
}

void ReplayLearner::destroy(const Executable& executable) noexcept {
  driver_.destroy(executable.handle);
  ++counters_.removed;
}

void ReplayLearner::retire_all() noexcept {
  for (Executable& executable : executables_) executable.retired = true;
  destroy_retired();
}

void ReplayLearner::destroy_retired() noexcept {
  std::erase_if(executables_, [&](const Executable& executable) {
    if (!executable.retired || executable.flying || executable.begun) return false;
    destroy(executable);
    return true;
  });
}

// --- The stand-in
// --------------------------------------------------------------------------------------------

bool ReplayLearner::prepare_stand_in(Variants wanted) {
  if (impossible_) return false;
  if (stand_in_) {
    bool same_forms = true;
    changes_.clear();
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (stand_in_->variants[i] == wanted[i]) continue;
      same_forms = same_forms && form_of_base(i, wanted[i]) == stand_in_->forms[i];
      changes_.push_back({i, stand_in_->variants[i], wanted[i]});
    }
    if (changes_.empty()) return true;
    if (same_forms && driver_.set(stand_in_->handle, changes_).result == ReplayDriver::Setting::done) {
      for (const ReplayDriver::Change& one : changes_) stand_in_->variants[one.launch] = one.to;
      return true;
    }
    drop_stand_in();
  }
  if (options_.executables_max == 0 || looks_.replay() < std::max(memory_at_, stand_in_at_)) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (!form_of_base(i, wanted[i])) return false;
  if (!make_room(true)) return false;
  if (make(wanted, {}, false, true) == nullptr) {
    stand_in_at_ = looks_.replay() + memory_pause;
    return false;
  }
  stand_in_ = std::move(executables_.back());
  executables_.pop_back();
  return true;
}

bool ReplayLearner::launch_stand_in(ReplayDriver::Stream stream) noexcept {
  if (!stand_in_ || !driver_.launch(stand_in_->handle, 0, stream)) return false;
  ++counters_.replays;
  ++counters_.stand_ins;
  return true;
}

void ReplayLearner::drop_stand_in() noexcept {
  if (!stand_in_) return;
  destroy(*stand_in_);
  stand_in_.reset();
}

}  // namespace adaptive::cuda
