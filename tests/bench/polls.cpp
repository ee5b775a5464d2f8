/// bench_polls SOCKET POLLS: polls a HAProxy without a pause and prints what that cost.
/// bench_polls --parse FILE SECONDS: parses a recorded answer again and again.
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "haproxy_probe/client.hpp"

namespace {

using namespace ha::probe;
using Clock = std::chrono::steady_clock;

/// User and kernel mode, of this process.
double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

long resident_kilobytes() {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, 6, "VmRSS:") == 0) return std::atol(line.c_str() + 6);
  }
  return 0;
}

int poll(const std::string& socket, int polls) {
  ProbeConfig config;
  config.stats = socket;
  config.interval = ha::Duration::zero();
  config.timeout = std::chrono::seconds{10};
  config.scope = ServerScope::kAll;
  Evaluator evaluator{config};
  boost::asio::io_context io{1};
  int done = 0;
  int bad = 0;
  double began = 0;
  long memory = 0;
  const int warm_up = polls / 10;
  const Client client{io, config, [&](const Event& event) {
                        evaluator.handle(event, Clock::now());
                        bad += std::holds_alternative<StatsReceived>(event) ? 0 : 1;
                        if (++done == warm_up) {
                          began = processor_seconds();
                          memory = resident_kilobytes();
                        }
                        if (done == polls + warm_up) io.stop();
                      }};
  // What one handler takes is what everything else in the loop waits for, advertisements too.
  double longest = 0;
  while (!io.stopped()) {
    const double before = processor_seconds();
    io.run_one();
    if (done >= warm_up) longest = std::max(longest, processor_seconds() - before);
  }
  std::printf(
      "{\"us\": %.1f, \"longest_us\": %.0f, \"bad\": %d, \"rss_begin_kb\": %ld, "
      "\"rss_end_kb\": %ld}\n",
      (processor_seconds() - began) * 1e6 / polls, longest * 1e6, bad, memory,
      resident_kilobytes());
  return bad == 0 ? 0 : 1;
}

int parse(const char* file, double seconds) {
  std::ifstream stream{file, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{stream}, {}};
  const Clock::time_point began = Clock::now();
  const double processor_began = processor_seconds();
  double bytes = 0;
  do {
    const auto answer = parse_answer(text);
    if (!answer) {
      std::fprintf(stderr, "%s\n", answer.error().reason.c_str());
      return 1;
    }
    bytes += static_cast<double>(text.size());
  } while (Clock::now() - began < std::chrono::duration<double>{seconds});
  std::printf("{\"megabytes_per_second\": %.0f}\n",
              bytes / 1e6 / (processor_seconds() - processor_began));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) return poll(argv[1], std::atoi(argv[2]));
  if (argc == 4 && std::string_view{argv[1]} == "--parse")
    return parse(argv[2], std::atof(argv[3]));
  std::fputs("usage: bench_polls SOCKET POLLS | bench_polls --parse FILE SECONDS\n", stderr);
  return 2;
}
