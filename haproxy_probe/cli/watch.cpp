#include "haproxy_probe/cli/watch.hpp"

#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "haproxy_probe/cli/record.hpp"
#include "haproxy_probe/client.hpp"
#include "haproxy_probe/evaluator.hpp"

namespace ha::probe::cli {
namespace {

/// All addresses of this machine, virtual ones among them: only vrrpd can tell those apart.
LocalAddresses own_addresses() {
  LocalAddresses local;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return local;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner{list, &freeifaddrs};
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    if (each->ifa_addr->sa_family == AF_INET) {
      sockaddr_in address{};
      std::memcpy(&address, each->ifa_addr, sizeof address);
      local.addresses.emplace_back(boost::asio::ip::address_v4{ntohl(address.sin_addr.s_addr)});
    } else if (each->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 address{};
      std::memcpy(&address, each->ifa_addr, sizeof address);
      boost::asio::ip::address_v6::bytes_type bytes;
      std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
      local.addresses.emplace_back(boost::asio::ip::address_v6{bytes});
    }
  }
  return local;
}

/// The wall clock as it was at the start plus the time since: it never goes back.
class Clock {
 public:
  [[nodiscard]] WallTime at(TimePoint now) const {
    return std::chrono::floor<std::chrono::milliseconds>(wall_ + (now - steady_));
  }

 private:
  TimePoint steady_ = std::chrono::steady_clock::now();
  std::chrono::system_clock::time_point wall_ = std::chrono::system_clock::now();
};

void print(const std::string& line) {
  std::fputs((line + '\n').c_str(), stdout);
  std::fflush(stdout);
}

int exit_code(Verdict verdict) {
  switch (verdict) {
    case Verdict::kHealthy:
      return kHealthy;
    case Verdict::kUnhealthy:
    case Verdict::kDown:
      return kUnhealthy;
    case Verdict::kUnknown:
      break;
  }
  return kUnusable;
}

/// The client, the evaluator it feeds, and the timer of the latter's deadlines.
class Probe {
 public:
  using OnEvent = std::function<void(const Event&, const Report&, TimePoint now)>;

  Probe(boost::asio::io_context& io, const ProbeConfig& config, OnEvent on_event)
      : evaluator_{config},
        on_event_{std::move(on_event)},
        timer_{io},
        client_{io, config, [this](const Event& event) { handle(event); }} {}

 private:
  void handle(const Event& event) {
    const TimePoint now = std::chrono::steady_clock::now();
    if (std::holds_alternative<StatsReceived>(event)) {
      evaluator_.handle(LocalAddressesChanged{own_addresses()}, now);
    }
    evaluator_.handle(event, now);
    on_event_(event, evaluator_.report(), now);
    const auto deadline = evaluator_.deadline();
    if (!deadline) {
      timer_.cancel();
      return;
    }
    timer_.expires_at(*deadline);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) handle(DeadlineReached{});
    });
  }

  Evaluator evaluator_;
  OnEvent on_event_;
  boost::asio::steady_timer timer_;
  Client client_;  ///< last, so that it is gone before what its events change
};

/// What is printed of a report as text; empty parts are left out.
std::string text_of(const Report& report) {
  std::string text;
  if (!report.teams.empty()) text = overall_line(report) + '\n';
  text += report.reason;
  const bool is_told = !report.alarm || report.reason.find(*report.alarm) != std::string::npos;
  if (!is_told) text += "\nALARM: " + *report.alarm;
  return text;
}

}  // namespace

int probe_once(ProbeConfig config, Format format) {
  config.grace = Duration::zero();
  config.events.clear();
  boost::asio::io_context io{1};
  const Clock clock;
  std::optional<int> code;
  const Probe probe{io, config, [&](const Event& event, const Report& report, TimePoint now) {
                      if (code) return;
                      code = exit_code(report.verdict);
                      print(format == Format::kJson ? line_of(clock.at(now), now, event, report)
                                                    : text_of(report));
                    }};
  while (!code) io.run_one();
  return *code;
}

int watch(ProbeConfig config, Format format) {
  boost::asio::io_context io{1};
  boost::asio::signal_set signals{io, SIGINT, SIGTERM};
  signals.async_wait([&io](const boost::system::error_code&, int) { io.stop(); });
  const Clock clock;
  std::string printed;
  const Probe probe{
      io, config, [&](const Event& event, const Report& report, TimePoint now) {
        std::string text = text_of(report);
        const bool changed = text != printed;
        const bool told = !std::holds_alternative<DeadlineReached>(event);
        if (format == Format::kJson && (told || changed)) {
          print(line_of(clock.at(now), now, event, report));
        } else if (format == Format::kText && changed) {
          print(fmt::format("{} {}\n{}", to_text(clock.at(now)), name_of(report.verdict), text));
        }
        printed = std::move(text);
      }};
  io.run();
  return kHealthy;
}

}  // namespace ha::probe::cli
