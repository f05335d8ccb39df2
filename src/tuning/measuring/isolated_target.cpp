#include "tuning/measuring/isolated_target.hpp"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <fstream>
#include <mutex>
#include <new>
#include <set>
#include <system_error>
#include <utility>

#include "tuning/measuring/message.hpp"

namespace adaptive::inline v1::tuning {
namespace {

enum class Request : std::uint8_t { fingerprint, candidates, open, check, round };
enum class Reply : std::uint8_t { done, open_error, device_error };

void add(Message& message, const Trial& trial) {
  message.add(trial.status).add(trial.latency_us).add(trial.launches);
  message.add(trial.prepare_us).add(trial.detail);
}

Trial take_trial(Message& message) {
  Trial trial{.status = message.take<TrialStatus>()};
  trial.latency_us = message.take<double>();
  trial.launches = message.take<int>();
  trial.prepare_us = message.take<double>();
  trial.detail = message.take_text();
  return trial;
}

void add(Message& message, const Parameters& parameters) {
  message.add(static_cast<std::uint64_t>(parameters.size()));
  for (const auto& [name, parameter] : parameters) {
    message.add(name).add(static_cast<std::uint8_t>(parameter.value().index()));
    std::visit([&](const auto& value) { message.add(value); }, parameter.value());
  }
}

Parameters take_parameters(Message& message) {
  Parameters parameters;
  for (auto left = message.take<std::uint64_t>(); left > 0; --left) {
    const std::string name = message.take_text();
    switch (message.take<std::uint8_t>()) {
      case 0:
        parameters[name] = message.take<std::int64_t>();
        break;
      case 1:
        parameters[name] = message.take<double>();
        break;
      case 2:
        parameters[name] = message.take<bool>();
        break;
      default:
        parameters[name] = message.take_text();
    }
  }
  return parameters;
}

void add(Message& message, const Fingerprint& fingerprint) {
  message.add(fingerprint.device).add(fingerprint.driver).add(fingerprint.toolkit);
  message.add(static_cast<std::uint64_t>(fingerprint.libraries.size()));
  for (const auto& [name, version] : fingerprint.libraries) message.add(name).add(version);
}

void add(Message& message, const std::vector<Candidate>& candidates) {
  for (const Candidate& candidate : candidates) {
    message.add(candidate.name);
    add(message, candidate.parameters);
    message.add(candidate.numeric_class);
    message.add(candidate.memory);
  }
}

// The candidates up to the end of the message.
std::vector<Candidate> take_candidates(Message& message) {
  std::vector<Candidate> candidates;
  while (!message.at_end()) {
    Candidate& candidate = candidates.emplace_back();
    candidate.name = message.take_text();
    candidate.parameters = take_parameters(message);
    candidate.numeric_class = message.take_text();
    candidate.memory = message.take<std::uint64_t>();
  }
  return candidates;
}

void add(Message& message, const kernels::Shape& shape) {
  for (const std::int64_t value : shape) message.add(value);
}

// The shape up to the end of the message.
kernels::Shape take_shape(Message& message) {
  kernels::Shape shape;
  while (!message.at_end()) shape.push_back(message.take<std::int64_t>());
  return shape;
}

Fingerprint take_fingerprint(Message& message) {
  Fingerprint fingerprint{.device = message.take_text()};
  fingerprint.driver = message.take_text();
  fingerprint.toolkit = message.take_text();
  for (auto left = message.take<std::uint64_t>(); left > 0; --left) {
    const std::string name = message.take_text();
    fingerprint.libraries[name] = message.take_text();
  }
  return fingerprint;
}

// Runs in the other process and answers requests until the tuner's process closes the channel.
class Worker {
 public:
  Worker(const IsolatedTarget::Factory& factory, const Channel& channel)
      : factory_(factory), channel_(channel) {}

  void serve() {
    Message request;
    while (channel_.receive(request, -1.0) == Channel::Received::message) {
      Message reply;
      reply.add(Reply::done);
      bool usable = true;
      try {
        answer(request, reply);
      } catch (const OpenError& e) {
        reply = Message();
        reply.add(Reply::open_error).add(e.status()).add(std::string_view(e.what()));
      } catch (const std::bad_alloc&) {
        reply = Message();
        reply.add(Reply::open_error).add(TrialStatus::out_of_memory).add(std::string_view("out of memory"));
      } catch (const std::exception& e) {
        reply = Message();
        reply.add(Reply::device_error).add(std::string_view(e.what()));
        usable = false;  // perhaps a sticky error, from which only a new process recovers
      }
      if (!channel_.send(reply) || !usable) return;
    }
  }

 private:
  Target& target() {
    if (!target_) target_ = factory_();
    return *target_;
  }

  void answer(Message& request, Message& reply) {
    switch (request.take<Request>()) {
      case Request::fingerprint:
        add(reply, target().fingerprint());
        return;
      case Request::candidates:
        add(reply, target().candidates(take_shape(request)));
        return;
      case Request::open:
        open(request, reply);
        return;
      case Request::check:
        add(reply, bench_->check(request.take<std::uint64_t>()));
        return;
      case Request::round: {
        const std::string phase = request.take_text();
        Round round{.phase = phase, .index = request.take<int>()};
        while (!request.at_end()) round.order.push_back(request.take<std::uint64_t>());
        for (const Trial& trial : bench_->round(round)) add(reply, trial);
        return;
      }
    }
  }

  void open(Message& request, Message& reply) {
    const kernels::Shape shape = take_shape(request);
    bench_.reset();  // first, to free its memory
    bench_ = target().open(shape);
    reply.add(bench_->bytes()).add(bench_->operations());
    add(reply, bench_->candidates());
  }

  const IsolatedTarget::Factory& factory_;
  const Channel& channel_;
  std::unique_ptr<Target> target_;
  std::unique_ptr<Bench> bench_;
};

// Mapped memory of this process in bytes.
std::size_t address_space() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::string how_it_ended(int status) {
  if (!WIFSIGNALED(status)) return "exit code " + std::to_string(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

// The tuner's ends of the channels to all processes that any of its threads has started.
//
// A new process begins with a copy of every descriptor. If it kept an end of another process's channel, that
// channel would stay open: a crash of the other process would look like a hang, and that process would
// outlive its target. Therefore only one process starts at a time, and it closes all ends but its own.
class ChannelEnds {
 public:
  static ChannelEnds& all() {
    static ChannelEnds ends;
    return ends;
  }

  std::mutex& mutex() noexcept { return mutex_; }

  // The caller of these members holds `mutex`.
  void add(int end) { ends_.insert(end); }
  void close_all() const noexcept {
    for (const int end : ends_) ::close(end);
  }

  /// Closes a channel. A process that starts at the same time must not close another descriptor with this
  /// number.
  void end(int end, std::unique_ptr<Channel>& channel) {
    const std::lock_guard lock(mutex_);
    ends_.erase(end);
    channel.reset();
  }

 private:
  std::mutex mutex_;
  std::set<int> ends_;
};

// In the worker's process: the process id of the tuner.
volatile std::sig_atomic_t tuner_process = 0;

// The kernel sends the signal when the thread that has started this process ends. The worker must end only
// when the whole tuner has ended.
void end_with_the_tuner(int) {
  if (::getppid() != tuner_process) ::_exit(0);
}

// Makes a worker that hangs end with a killed tuner. Such a worker does not notice the end of its channel.
void follow_the_tuner(pid_t tuner) {
  const int signal = SIGRTMAX;  // a signal that programs seldom use
  tuner_process = tuner;
  struct sigaction action {};
  action.sa_handler = end_with_the_tuner;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, nullptr);
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  ::prctl(PR_SET_PDEATHSIG, signal);
  end_with_the_tuner(signal);  // the tuner may have ended before the call of prctl
}

}  // namespace

class IsolatedTarget::Process {
 public:
  Process(Factory factory, IsolationOptions options) : factory_(std::move(factory)), options_(options) {}
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() { stop(); }

  struct Answer {
    TrialStatus status = TrialStatus::ok;  ///< otherwise crashed, timed_out, or the worker's answer
    bool is_device_error = false;
    std::string detail = {};
    Message message = {};
  };

  /// Sends a request and waits for the answer. Starts the process if it is not running.
  Answer ask(const Message& request) {
    if (!channel_) start();
    Answer answer;
    const bool sent = channel_->send(request);
    const Channel::Received received =
        sent ? channel_->receive(answer.message, options_.seconds_max) : Channel::Received::closed;
    if (received == Channel::Received::message) {
      read_reply(answer);
      return answer;
    }
    const bool hangs = received == Channel::Received::timed_out;
    answer.status = hangs ? TrialStatus::timed_out : TrialStatus::crashed;
    const std::string end = stop();
    answer.detail =
        hangs ? "no answer within " + std::to_string(static_cast<int>(options_.seconds_max)) + " s" : end;
    return answer;
  }

  static void require_open(const Answer& answer) {
    if (answer.is_device_error) throw DeviceError(answer.detail);
    if (answer.status != TrialStatus::ok) throw OpenError(answer.status, answer.detail);
  }

  /// Rises with every start: what was opened in an earlier process no longer exists.
  int generation() const noexcept { return generation_; }
  bool is_running() const noexcept { return channel_ != nullptr; }

 private:
  void read_reply(Answer& answer) {
    const Reply reply = answer.message.take<Reply>();
    if (reply == Reply::open_error) answer.status = answer.message.take<TrialStatus>();
    if (reply == Reply::device_error) {
      answer.status = TrialStatus::failed;
      answer.is_device_error = true;
    }
    if (reply == Reply::done) return;
    answer.detail = answer.message.take_text();
    if (answer.is_device_error) stop();
  }

  void start() {
    const std::lock_guard lock(ChannelEnds::all().mutex());
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
      throw DeviceError("a socket pair cannot be created: " + std::generic_category().message(errno));
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) {
      ::close(ends[0]);
      ::close(ends[1]);
      throw DeviceError("a process cannot be started: " + std::generic_category().message(errno));
    }
    if (pid_ == 0) {
      ::close(ends[0]);
      ChannelEnds::all().close_all();
      run_worker(ends[1], parent);
    }
    ::close(ends[1]);
    ChannelEnds::all().add(ends[0]);
    channel_ = std::make_unique<Channel>(ends[0]);
    end_ = ends[0];
    ++generation_;
  }

  [[noreturn]] void run_worker(int descriptor, pid_t parent) {
    follow_the_tuner(parent);
    std::signal(SIGINT, SIG_IGN);  // the terminal's Ctrl-C is meant for the tuner
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    if (options_.memory_max != 0) {
      const rlim_t most = address_space() + options_.memory_max;
      const rlimit memory{most, most};
      ::setrlimit(RLIMIT_AS, &memory);
    }
    const Channel channel(descriptor);
    Worker(factory_, channel).serve();
    ::_exit(0);  // without destructors of the parent's objects
  }

  std::string stop() {
    if (!channel_) return {};
    ChannelEnds::all().end(end_, channel_);
    // An idle or dead process ends by itself; a process that hangs does not.
    int status = 0;
    for (int tries = 0; tries < 200; ++tries) {
      const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
      if (ended == pid_) return how_it_ended(status);
      if (ended < 0 && errno != EINTR) return {};
      ::usleep(1000);
    }
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    return how_it_ended(status);
  }

  Factory factory_;
  IsolationOptions options_;
  std::unique_ptr<Channel> channel_;
  int end_ = -1;  // descriptor of the channel
  pid_t pid_ = -1;
  int generation_ = 0;
};

class IsolatedTarget::RemoteBench final : public Bench {
 public:
  RemoteBench(std::shared_ptr<Process> process, kernels::Shape shape)
      : process_(std::move(process)), shape_(std::move(shape)) {
    open();
  }

  const std::vector<Candidate>& candidates() override { return candidates_; }
  double bytes() override { return bytes_; }
  double operations() override { return operations_; }

  Trial check(std::size_t candidate) override {
    Message request;
    request.add(Request::check).add(static_cast<std::uint64_t>(candidate));
    Process::Answer answer = ask(request);
    if (answer.status != TrialStatus::ok) return {.status = answer.status, .detail = answer.detail};
    return take_trial(answer.message);
  }

  std::vector<Trial> round(const Round& round) override {
    Message request;
    request.add(Request::round).add(round.phase).add(round.index);
    for (const std::size_t candidate : round.order) request.add(static_cast<std::uint64_t>(candidate));
    Process::Answer answer = ask(request);
    std::vector<Trial> trials;
    if (answer.status == TrialStatus::ok) {
      while (!answer.message.at_end()) trials.push_back(take_trial(answer.message));
      return trials;
    }
    if (round.order.size() == 1) return {{.status = answer.status, .detail = answer.detail}};
    for (const std::size_t candidate : round.order)
      trials.push_back(
          this->round({.phase = round.phase, .index = round.index, .order = {candidate}}).front());
    return trials;
  }

 private:
  Process::Answer ask(const Message& request) {
    if (!process_->is_running() || process_->generation() != generation_) open();
    return process_->ask(request);
  }

  void open() {
    Message request;
    request.add(Request::open);
    add(request, shape_);
    Process::Answer answer = process_->ask(request);
    Process::require_open(answer);
    generation_ = process_->generation();
    bytes_ = answer.message.take<double>();
    operations_ = answer.message.take<double>();
    candidates_ = take_candidates(answer.message);
  }

  std::shared_ptr<Process> process_;
  kernels::Shape shape_;
  int generation_ = 0;
  double bytes_ = 0.0, operations_ = 0.0;
  std::vector<Candidate> candidates_;
};

IsolatedTarget::IsolatedTarget(std::shared_ptr<const Target> description, Factory factory,
                               IsolationOptions options)
    : description_(std::move(description)),
      process_(std::make_shared<Process>(std::move(factory), options)) {}

IsolatedTarget::~IsolatedTarget() = default;

Fingerprint IsolatedTarget::fingerprint() {
  Message request;
  request.add(Request::fingerprint);
  Process::Answer answer = process_->ask(request);
  if (answer.status != TrialStatus::ok) throw DeviceError(answer.detail);
  return take_fingerprint(answer.message);
}

std::vector<Candidate> IsolatedTarget::candidates(const kernels::Shape& shape) {
  Message request;
  request.add(Request::candidates);
  add(request, shape);
  Process::Answer answer = process_->ask(request);
  Process::require_open(answer);
  return take_candidates(answer.message);
}

std::unique_ptr<Bench> IsolatedTarget::open(const kernels::Shape& shape) {
  return std::make_unique<RemoteBench>(process_, shape);
}

}  // namespace adaptive::tuning
