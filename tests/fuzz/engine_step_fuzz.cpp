/// Any sequence of events, at any times: the state machine has an answer, holds its addresses
/// exactly while it is master, says priority 0 exactly when it leaves, and is never due again at
/// the time it was just called for. Unlike the simulated network (tests/sim) nothing here is
/// plausible: intervals jump between 10 ms and 40 s, clocks by hours, advertisements come from
/// anybody.
///
/// The first three bytes of an input are the configuration, each four that follow one event.
#include <algorithm>
#include <boost/asio/ip/address_v4.hpp>
#include <chrono>
#include <cstdint>
#include <variant>

#include "ha/check.hpp"
#include "vrrpd/engine/router.hpp"

namespace ha::vrrp {
namespace {

using namespace std::chrono_literals;

struct Input {
  std::uint8_t what;
  std::uint8_t a;
  std::uint8_t b;
  std::uint8_t c;
};

Duration interval_of(std::uint8_t a, std::uint8_t b) {
  return (1 + (a << 8 | b) % 4095) * 10ms;  // RFC 9568 section 5.2.7
}

IpAddress address_of(std::uint8_t last) { return boost::asio::ip::address_v4{0x0a000000U | last}; }

RouterConfig config_of(const std::uint8_t* data) {
  RouterConfig config;
  config.version = (data[0] & 1) != 0 ? Version::k2 : Version::k3;
  config.priority = Priority{std::max<std::uint8_t>(data[1], 1)};
  config.advertisement_interval =
      config.version == Version::k2 ? (1 + data[2] % 255) * 1s : interval_of(data[0], data[2]);
  config.preempt = static_cast<Preempt>((data[0] >> 1) % 3);
  config.preempt_delay = (data[0] >> 3) % 4 * 7s;
  config.announcements.repeat = (data[0] >> 5) % 4;
  if ((data[0] & 0x80) != 0) config.announcements.refresh = {};
  return config;
}

class Machine {
 public:
  explicit Machine(const RouterConfig& config) : config_{config} {}

  void take(const Input& input) {
    switch (input.what % 12) {
      case 0:
        return feed(Started{effective(input.a), address_of(100)});
      case 1:
        return feed(Faulted{static_cast<Faulted::Cause>(input.a % 3)});
      case 2:
        return feed(ShutDown{});
      case 3:
      case 4:
        return feed(AdvertReceived{address_of(input.a), Priority{input.b}, heard(input.c)});
      case 5:
        return feed(PriorityChanged{effective(input.a)});
      case 6:
        return feed(AddressChanged{address_of(input.a)});
      case 7:
        return feed(AnnouncementDue{});
      case 8:
        return feed(Reconfigured{});
      case 9:
        now_ += input.a * 1ms + input.b * 1s + (input.c > 250 ? input.c * 1h : 0h);
        return feed(DeadlineReached{});
      default:
        now_ = std::max(now_, deadline(state_).value_or(now_)) + input.a * 1us;
        return feed(DeadlineReached{});
    }
  }

 private:
  Priority effective(std::uint8_t value) const {
    if (config_.priority == kPriorityOwner) return kPriorityOwner;
    return Priority{std::clamp<std::uint8_t>(value, 1, 254)};
  }
  /// Version 2 drops other intervals before they get here.
  Duration heard(std::uint8_t value) const {
    return config_.version == Version::k2 ? config_.advertisement_interval
                                          : interval_of(value, value);
  }

  void feed(const Event& event) {
    const Step next = step(config_, state_, event, now_);
    HA_CHECK(next.actions.size() <= 8);
    int transitions = 0;
    int adverts = 0;
    for (const Action& action : next.actions) {
      if (std::holds_alternative<AcquireAddresses>(action)) {
        HA_CHECK(!held_);
        held_ = true;
      } else if (std::holds_alternative<ReleaseAddresses>(action)) {
        HA_CHECK(held_);
        held_ = false;
      } else if (const auto* sent = std::get_if<SendAdvert>(&action)) {
        check_advert(*sent, next.next);
        ++adverts;
      } else if (const auto* changed = std::get_if<Transitioned>(&action)) {
        HA_CHECK(changed->to == name_of(next.next));
        ++transitions;
      }
    }
    HA_CHECK(adverts <= 1);
    HA_CHECK(transitions == (name_of(next.next) == name_of(state_) ? 0 : 1));
    HA_CHECK(held_ == std::holds_alternative<Master>(next.next));
    if (std::holds_alternative<DeadlineReached>(event)) {
      // Or the loop would spin.
      HA_CHECK(deadline(next.next).value_or(TimePoint::max()) > now_);
    }
    state_ = next.next;
  }

  void check_advert(const SendAdvert& sent, const State& next) const {
    const auto* master = std::get_if<Master>(&next);
    // Whoever yields to a better claim leaves without a word.
    const bool leaves = std::holds_alternative<Master>(state_) && master == nullptr &&
                        !std::holds_alternative<Backup>(next);
    HA_CHECK((sent.priority == kPriorityRelease) == leaves);
    HA_CHECK(master == nullptr || sent.priority == master->priority);
  }

  RouterConfig config_;
  State state_ = Initialize{};
  TimePoint now_{100h};
  bool held_ = false;
};

}  // namespace
}  // namespace ha::vrrp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kConfigSize = 3;
  constexpr std::size_t kEventSize = 4;
  if (size < kConfigSize) return 0;
  ha::vrrp::Machine machine{ha::vrrp::config_of(data)};
  for (std::size_t at = kConfigSize; at + kEventSize <= size; at += kEventSize) {
    machine.take({data[at], data[at + 1], data[at + 2], data[at + 3]});
  }
  return 0;
}
