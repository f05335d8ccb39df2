// Measures reading and saving a large table: time, and memory relative to the size of the file.
//
// usage: bench_table [KEYS [VARIANTS]]        (100,000 keys of 2 variants)
//
// Numbers have as many digits as measured ones. Each figure is the smallest of several runs, since other
// programs can only add time. Memory is the peak of a process that only reads, minus that of a process that
// does nothing, and includes the file's text.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <limits>
#include <random>
#include <string>

#include "table/table.hpp"

namespace {

using adaptive::table::Table;

Table made_up(std::size_t keys, std::size_t variants) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> latency_ns(10.0, 1.0);
  Table table;
  table.tool = "bench_table";
  adaptive::table::OperationTable& operation = table.operations["matmul"];
  operation.name = "matmul";
  operation.dimensions = {adaptive::size_dimension("m"), adaptive::size_dimension("n"),
                          adaptive::size_dimension("k")};
  for (std::size_t i = 0; i < variants; ++i)
    operation.variants["tile" + std::to_string(i)] = {{"tile", static_cast<std::int64_t>(i)}};
  for (std::size_t i = 0; i < keys; ++i) {
    adaptive::table::Entry entry;
    entry.key = adaptive::Key{i / 256, i % 256 * 64, 4096};
    entry.incumbent = "tile0";
    entry.time = 1'769'847'300;
    for (const auto& [name, parameters] : operation.variants) {
      const double mean = latency_ns(random);
      entry.variants[name] = {1 + random() % 100, mean, mean * mean / 977.0, mean * 0.99, 0};
    }
    operation.entries.emplace(entry.key, std::move(entry));
  }
  return table;
}

double least_seconds(const std::function<void()>& work) {
  constexpr int runs = 5;
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < runs; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return least;
}

// Runs in a process of its own, forked before this process has used much memory.
double peak_mib(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  rusage usage{};
  ::wait4(child, &status, 0, &usage);
  if (child < 0 || status != 0) throw std::runtime_error("the measured process failed");
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t keys = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100'000;
  const std::size_t variants = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 2;
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("bench_table." + std::to_string(::getpid()) + ".json");

  peak_mib([&] { adaptive::table::write(made_up(keys, variants), path); });
  const double file_mib = static_cast<double>(std::filesystem::file_size(path)) / (1024.0 * 1024.0);
  const double idle_mib = peak_mib([] {});
  const double read_mib = peak_mib([&] { static_cast<void>(adaptive::table::read(path)); }) - idle_mib;

  Table table;
  const double read_s = least_seconds([&] { table = adaptive::table::read(path).table; });
  const double print_s = least_seconds([&] { static_cast<void>(adaptive::table::print(table)); });
  const double write_s = least_seconds([&] { adaptive::table::write(table, path); });
  std::filesystem::remove(path);

  std::printf("%zu keys of %zu variants, %.1f MiB\n", keys, variants, file_mib);
  std::printf("read      %7.3f s  %6.1f MiB/s\n", read_s, file_mib / read_s);
  std::printf("print     %7.3f s  %6.1f MiB/s\n", print_s, file_mib / print_s);
  std::printf("save      %7.3f s  %6.1f MiB/s\n", write_s, file_mib / write_s);
  std::printf("memory    %7.1f MiB, %.2f times the file\n", read_mib, read_mib / file_mib);
}
