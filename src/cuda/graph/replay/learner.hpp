// Decides which executable a replay of a graph launches, and gives the latencies of its launches to the
// selector.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <adaptive/cuda/replay.hpp>
#include <adaptive/decision.hpp>
#include <adaptive/key.hpp>
#include <adaptive/operation.hpp>
#include "cuda/graph/replay/driver.hpp"
#include "cuda/graph/replay/looks.hpp"

namespace adaptive::inline v1::cuda {

/// The program's executable is never timed and never explores: its replays cost what they cost without
/// learning. A replay for which looks wait launches an executable of the learner's own instead, which does
/// the same work. Such an executable *covers* some launches: it times these, and they may run the variants of
/// looks. All other launches run what the program's executable runs.
///
/// - An executable is changed and launched only if its previous replay has ended. Then a latency belongs to
///   the variant that ran, since nothing can have overwritten it.
/// - An executable in which covered launches have nodes of another form than the program's executable is used
///   only if a look at a variant of that form waits for each of these, because they cannot run any other.
/// - An executable is launched once looks wait for all that it covers, or one has waited for `gather`
///   replays: a timed launch costs the same whether its latency was asked for or not.
/// - An executable is made if none covers a look that waits. If the driver makes it on another thread, it can
///   be used some replays later. A full set loses the executable that was not used for the longest time.
///   Executables are made less and less often, so that a program with more forms than executables does not
///   spend its time on making them.
/// - An executable that has given no latencies yet is preferred to others.
/// - Before anything else, each launch for which a look waits is covered once with the form of the program's
///   executable, and timed with what that runs: the selector can compare nothing with an incumbent that has
///   no results.
/// - All executables that are not timed from their first replay on have one replay whose latencies are not
///   read.
///
/// If the program's own executable cannot be updated to the incumbents, a *stand-in* without timing runs
/// them.
///
/// Not thread-safe. Never waits.
class ReplayLearner {
 public:
  /// Number of replays for which an executable stays at least after its latest use.
  static constexpr std::uint64_t idle_min = 16;
  /// Number of replays for which looks wait for others that the same executable can take.
  static constexpr std::uint64_t gather = 24;
  /// Largest number of timed replays whose latencies have not all come. Beyond it the oldest that has ended
  /// is given up.
  static constexpr std::size_t flights_max = 64;
  /// Number of later replays after which a latency of a replay that has ended is given up.
  static constexpr std::uint64_t patience = 4096;

  /// `driver` must outlive the object.
  ReplayLearner(ReplayDriver& driver, ReplayOptions options) noexcept;
  ReplayLearner(const ReplayLearner&) = delete;
  ReplayLearner& operator=(const ReplayLearner&) = delete;
  /// Gives up what is pending and destroys all executables.
  ~ReplayLearner();

  void add(Operation& operation, const Key& key, bool can_be_timed) {
    looks_.add(operation, key, can_be_timed);
  }
  /// Forgets the launches and destroys all executables.
  void clear() noexcept;

  /// Takes the latencies that have come, and launches a timed executable if looks wait for one. Returns false
  /// if the caller is to launch the executable in which launch i runs `base[i]`. May throw `std::bad_alloc`,
  /// and has launched nothing then.
  bool replay(std::span<const std::uint32_t> base, ReplayDriver::Stream stream);

  /// Makes a stand-in that runs `wanted`, or changes the present one. Returns whether there is one now.
  bool prepare_stand_in(std::span<const std::uint32_t> wanted);
  /// Launches the stand-in. Returns false if nothing was launched.
  bool launch_stand_in(ReplayDriver::Stream stream) noexcept;
  void drop_stand_in() noexcept;

  /// Takes the latencies that have come.
  void collect();

  /// Whether CUDA refuses executables of this graph altogether, so that nothing can be learned.
  bool impossible() const noexcept { return impossible_; }
  ReplayCounters& counters() noexcept { return counters_; }
  const ReplayCounters& counters() const noexcept { return counters_; }

 private:
  using Variants = std::span<const std::uint32_t>;

  struct Executable {
    ReplayDriver::Handle handle = 0;
    std::vector<std::uint32_t> variants = {};  // what each launch runs now
    std::vector<std::uint32_t> forms = {};     // of each launch
    std::vector<std::size_t> covered = {};
    bool foreign = false;  // whether covered launches have forms of their own
    bool warm = false;     // whether the next replay has latencies
    bool read = false;     // whether a replay had
    bool begun = false;    // whether it is still being made
    bool flying = false;
    bool retired = false;  // to be destroyed once it does not fly and has been made
    bool is_free() const noexcept { return !begun && !flying && !retired; }
    std::uint64_t used = 0;
  };
  struct Sample {
    std::size_t launch = 0;
    Decision decision = {};
    bool is_look = false;
    bool done = false;
  };
  struct Served {
    std::size_t looks = 0;
    std::uint64_t since = ~std::uint64_t{0};  // the replay that asked for the first of them
  };
  struct Flight {
    ReplayDriver::Flight id = 0;
    ReplayDriver::Handle executable = 0;
    bool ended = false;
    std::uint64_t ended_at = 0;
    std::vector<Sample> samples = {};
  };

  // Forms.
  std::optional<std::uint32_t> form_of_look(std::size_t launch);
  std::optional<std::uint32_t> form_of_base(std::size_t launch, std::uint32_t variant);
  ReplayDriver::Form form(std::size_t launch, std::uint32_t variant) noexcept;

  // Executables.
  Executable* choose_unread(Variants base);
  Executable* choose(Variants base);
  Served served(const Executable& executable);
  bool can_serve(const Executable& executable, std::size_t launch);
  bool can_be_used(Executable& executable, Variants base);
  Executable* make_for_looks(Variants base);
  std::vector<std::size_t> unserved(Variants base);
  bool is_covered(std::size_t launch) const;
  void fill(std::vector<std::size_t>& covered, Variants base);
  Executable* make(Variants variants, std::vector<std::size_t> covered, bool foreign, bool now);
  void finish_begun();
  void note_refused_making(const std::vector<std::size_t>& covered, Variants variants);
  bool make_room(bool for_stand_in);
  bool may_make() const noexcept;
  bool fire(Executable& executable, Variants base, ReplayDriver::Stream stream);
  bool change(Executable& executable, Variants base);
  void note_refusal(Executable& executable, const ReplayDriver::Change& refused);
  void retire_all() noexcept;
  void destroy_retired() noexcept;
  void destroy(const Executable& executable) noexcept;

  // Flights.
  void read(Flight& flight);
  void give_up(Flight& flight) noexcept;
  void land(const Flight& flight) noexcept;

  ReplayDriver& driver_;
  ReplayOptions options_;
  ReplayCounters counters_;
  ReplayLooks looks_{counters_};
  std::vector<Executable> executables_;
  std::optional<Executable> stand_in_;
  std::vector<Flight> flights_;
  // Variants of launches that CUDA has refused in an executable made for another variant of the same form.
  std::set<std::pair<std::size_t, std::uint32_t>> alone_;
  // Variants of launches for which CUDA has refused an executable.
  std::set<std::pair<std::size_t, std::uint32_t>> unfit_;
  bool begins_ = false;      // whether another thread makes the executables
  bool one_by_one_ = false;  // whether the next executable for other forms has one look only
  std::vector<ReplayDriver::Change> changes_;
  ReplayDriver::Flight last_flight_ = 0;
  std::uint32_t source_ = 0;
  std::uint64_t displaced_ = 0;    // executables that were removed for others
  std::uint64_t may_make_at_ = 0;  // number of the replay from which an executable for looks may be made
  std::uint64_t stand_in_at_ = 0;  // the same for the stand-in, after it could not be made
  std::uint64_t memory_at_ = 0;    // the same for all executables, after there was too little memory
  bool impossible_ = false;
};

}  // namespace adaptive::cuda
