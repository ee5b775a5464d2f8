#include "chaos.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>
#include <vector>

#include "trace.hpp"

namespace ha::sim {
namespace {

using namespace std::chrono_literals;

using Act = std::function<void(Lan&)>;

/// Draws faults, and notes what begins and what ends them until it is time.
class Troublemaker {
 public:
  Troublemaker(const Setup& setup, Random& random)
      : setup_{setup}, random_{random}, unit_{setup.longest_interval()} {}

  void plan(TimePoint at, Act act) { plan_.emplace_back(at, std::move(act)); }

  void plan_any(TimePoint at) {
    using Fault = void (Troublemaker::*)(TimePoint);
    static constexpr Fault kFaults[] = {
        &Troublemaker::pause,       &Troublemaker::pause,       &Troublemaker::pause,
        &Troublemaker::crash,       &Troublemaker::kill,        &Troublemaker::death,
        &Troublemaker::death,       &Troublemaker::death,       &Troublemaker::meddling,
        &Troublemaker::restart,     &Troublemaker::priority,    &Troublemaker::reload,
        &Troublemaker::priority,    &Troublemaker::interface,   &Troublemaker::address,
        &Troublemaker::one_way,     &Troublemaker::one_way,     &Troublemaker::partition,
        &Troublemaker::weather,     &Troublemaker::weather,     &Troublemaker::stranger,
        &Troublemaker::flood,       &Troublemaker::flood,       &Troublemaker::reload,
        &Troublemaker::meaningless, &Troublemaker::meaningless, &Troublemaker::group};
    (this->*kFaults[random_.below(std::size(kFaults))])(at);
  }

  /// Everything planned up to `end` happens.
  void run(Lan& lan, TimePoint end) {
    std::stable_sort(plan_.begin(), plan_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [at, act] : plan_) {
      if (at > end) break;
      lan.run_until(at);
      act(lan);
    }
    lan.run_until(end);
  }

  [[nodiscard]] Duration longest_delay() const { return 2 * unit_; }

 private:
  NodeId any() { return random_.below(setup_.routers.size()); }
  NodeId other_than(NodeId id) {
    return (id + 1 + random_.below(setup_.routers.size() - 1)) % setup_.routers.size();
  }
  Duration some_time() { return random_.between(unit_ / 10, 8 * unit_); }

  /// A priority that an event may carry: an owner keeps its own, nobody else gets it.
  Priority demoted() {
    const Priority drawn = random_priority(random_);
    return drawn == kPriorityOwner ? Priority{254} : drawn;
  }

  vrrp::AdvertReceived random_advert() {
    // Serial numbers from 200 on are no router's.
    const auto serial = static_cast<unsigned>(random_.between(200, 203));
    const Priority priority =
        random_.chance(1, 4) ? kPriorityRelease : Priority{random_priority(random_)};
    return {fresh_address(random_, setup_.family, serial), priority,
            setup_.intervals[random_.below(setup_.intervals.size())]};
  }

  /// 1 ms to 60 s; most of the lengths that matter: an interval, a down interval, well beyond.
  void pause(TimePoint at) {
    Duration length = random_.pick<Duration>({unit_ / 4, 3 * unit_, 12 * unit_});
    length += random_.between(Duration::zero(), 2 * unit_);
    if (random_.chance(1, 100)) length = random_.between(Duration{1ms}, Duration{60s});
    length = std::clamp<Duration>(length, 1ms, 60s);
    const NodeId id = any();
    const Freeze freeze = random_.chance(1, 4) ? Freeze::kMachine : Freeze::kProcesses;
    plan(at, [id, freeze](Lan& lan) { lan.pause(id, freeze); });
    // Something to find when it goes on.
    if (random_.chance(1, 4)) reload(at + random_.between(Duration::zero(), length), id);
    plan(at + length, [id](Lan& lan) { lan.resume(id); });
    if (random_.chance(2, 3)) return;
    // Once more before it has found its feet.
    at += length + random_.between(Duration::zero(), unit_);
    plan(at, [id, freeze](Lan& lan) { lan.pause(id, freeze); });
    plan(at + random_.between(Duration::zero(), 4 * unit_), [id](Lan& lan) { lan.resume(id); });
  }

  void crash(TimePoint at) {
    const NodeId id = any();
    plan(at, [id](Lan& lan) { lan.crash(id); });
    if (random_.chance(3, 4)) plan(at + some_time(), [id](Lan& lan) { lan.start(id); });
  }

  /// Engine and guard at once.
  void kill(TimePoint at) {
    const NodeId id = any();
    plan(at, [id](Lan& lan) { lan.kill(id); });
    if (random_.chance(3, 4)) plan(at + some_time(), [id](Lan& lan) { lan.start(id); });
  }

  /// The engine alone, whatever it is about to do; sometimes its successor, too.
  void death(TimePoint at) {
    const NodeId id = any();
    for (int deaths = random_.pick({1, 1, 2, 3}); deaths > 0; --deaths) {
      const Duration load = random_.pick<Duration>({1ms, unit_ / 10, 5 * unit_});
      const Duration restart_after = random_.between(Duration::zero(), load);
      const int actions = random_.between(0, 4);
      const bool amidst = random_.chance(1, 2);
      plan(at, [=](Lan& lan) {
        if (amidst) {
          lan.kill_engine_after(id, actions, restart_after);
        } else {
          lan.kill_engine(id, restart_after);
        }
      });
      // Whatever killed it may have to do with its interface.
      if (random_.chance(1, 4)) {
        plan(at + random_.between(Duration::zero(), restart_after),
             [id](Lan& lan) { lan.fault(id, vrrp::Faulted::Cause::kInterfaceDown); });
        plan(at + restart_after + random_.between(Duration::zero(), 2 * unit_),
             [id](Lan& lan) { lan.restore(id); });
      }
      at += random_.pick<Duration>({restart_after, unit_, 11s});
    }
  }

  /// Somebody takes addresses away.
  void meddling(TimePoint at) {
    const NodeId id = any();
    for (int removal = random_.between(1, 3); removal > 0; --removal) {
      plan(at, [id](Lan& lan) { lan.remove_addresses(id); });
      at += random_.between(Duration::zero(), unit_);
    }
  }

  void restart(TimePoint at) {
    const NodeId id = any();
    plan(at, [id](Lan& lan) { lan.shut_down(id); });
    if (random_.chance(3, 4)) plan(at + some_time(), [id](Lan& lan) { lan.start(id); });
  }

  void priority(TimePoint at) {
    const NodeId id = any();
    for (int change = random_.between(1, 3); change > 0; --change) {
      plan(at, [id, priority = demoted()](Lan& lan) {
        if (lan.node(id).priority != kPriorityOwner) lan.set_priority(id, priority);
      });
      at += random_.between(Duration::zero(), unit_);
    }
  }

  void interface(TimePoint at) {
    const NodeId id = any();
    using Cause = vrrp::Faulted::Cause;
    const Cause cause = random_.pick(
        {Cause::kInterfaceDown, Cause::kNoPrimaryIpAddress, Cause::kNoVirtualIpAddresses});
    plan(at, [id, cause](Lan& lan) { lan.fault(id, cause); });
    if (random_.chance(5, 6)) plan(at + some_time(), [id](Lan& lan) { lan.restore(id); });
  }

  void address(TimePoint at) {
    const NodeId id = any();
    const IpAddress fresh = fresh_address(random_, setup_.family, 10 + ++addresses_given_);
    plan(at, [id, fresh](Lan& lan) { lan.change_address(id, fresh); });
  }

  void one_way(TimePoint at) {
    const NodeId from = any();
    const NodeId to = other_than(from);
    plan(at, [from, to](Lan& lan) {
      lan.cut(from, to);
      lan.remark("one-way cut");
    });
    plan(at + some_time(), [from, to](Lan& lan) { lan.mend(from, to); });
  }

  void partition(TimePoint at) {
    const std::uint64_t side = random_.next();
    plan(at, [side](Lan& lan) {
      for (NodeId a = 0; a < lan.size(); ++a) {
        for (NodeId b = 0; b < lan.size(); ++b) {
          if (((side >> a) & 1U) != ((side >> b) & 1U)) lan.cut(a, b);
        }
      }
      lan.remark("partition");
    });
    plan(at + some_time(), [](Lan& lan) {
      lan.mend_all();
      lan.remark("mended");
    });
  }

  /// Loss, delay, duplicates and reordering on all links.
  void weather(TimePoint at) {
    LinkQuality bad = setup_.calm;
    bad.loss_per_mille = static_cast<unsigned>(random_.pick({0, 100, 500, 900}));
    bad.duplicate_per_mille = static_cast<unsigned>(random_.pick({0, 100, 500}));
    bad.delay_max = std::max(
        bad.delay_max, random_.pick<Duration>({Duration::zero(), unit_ / 10, longest_delay()}));
    bad.reorders = random_.chance(1, 2);
    plan(at, [bad](Lan& lan) {
      lan.set_quality(bad);
      lan.remark(fmt::format("loss {} duplicates {} per mille, delay up to {}{}",
                             bad.loss_per_mille, bad.duplicate_per_mille, seconds(bad.delay_max),
                             bad.reorders ? ", reordering" : ""));
    });
    plan(at + some_time(), [calm = setup_.calm](Lan& lan) { lan.set_quality(calm); });
  }

  /// Valid advertisements of somebody else, to one router each.
  void stranger(TimePoint at) {
    for (int packet = random_.between(1, 4); packet > 0; --packet) {
      plan(at, [id = any(), advert = random_advert()](Lan& lan) { lan.inject(id, advert); });
      at += random_.between(Duration::zero(), unit_);
    }
  }

  /// The same one again and again, far faster than an interval.
  void flood(TimePoint at) {
    const NodeId id = any();
    vrrp::AdvertReceived advert = random_advert();
    if (random_.chance(1, 2)) advert.priority = Priority{1};
    const Duration spacing = random_.between(Duration{1us}, setup_.shortest_interval() / 4);
    for (int packet = random_.between(5, 20); packet > 0; --packet) {
      plan(at, [id, advert](Lan& lan) { lan.inject(id, advert); });
      at += spacing;
    }
  }

  void reload(TimePoint at) { reload(at, any()); }

  void reload(TimePoint at, NodeId id) {
    Reload reload;
    reload.advertisement_interval = setup_.intervals[random_.below(setup_.intervals.size())];
    reload.preempt =
        random_.pick({vrrp::Preempt::kYes, vrrp::Preempt::kNo, vrrp::Preempt::kDegraded});
    if (random_.chance(1, 2)) reload.priority = demoted();
    reload.adds_addresses = random_.chance(1, 3);
    plan(at, [=](Lan& lan) {
      Reload told = reload;
      if (lan.node(id).priority == kPriorityOwner) told.priority.reset();
      lan.reload(id, told);
    });
  }

  /// It is in a group, whose other members come and go.
  void group(TimePoint at) {
    const NodeId id = any();
    for (int change = random_.between(1, 4); change > 0; --change) {
      const Others others = random_.pick({Others::kReady, Others::kUnready});
      plan(at, [id, others](Lan& lan) { lan.set_others(id, others); });
      at += random_.between(Duration::zero(), 4 * unit_);
    }
  }

  /// Events that the driver would not send now.
  void meaningless(TimePoint at) {
    const NodeId id = any();
    const vrrp::Event event = random_.pick<vrrp::Event>(
        {vrrp::DeadlineReached{}, vrrp::DeadlineReached{}, vrrp::AnnouncementDue{},
         vrrp::AnnouncementDue{vrrp::Announced::kNew}, vrrp::Reconfigured{}, vrrp::Started{},
         vrrp::AddressesLost{}, vrrp::Event{random_advert()}});
    plan(at, [id, event](Lan& lan) {
      // To a router that is off a start does mean something.
      const bool starts = std::holds_alternative<vrrp::Started>(event);
      if (!starts || lan.node(id).participates()) lan.stray(id, event);
    });
  }

  const Setup& setup_;
  Random& random_;
  Duration unit_;
  unsigned addresses_given_ = 0;
  std::vector<std::pair<TimePoint, Act>> plan_;
};

}  // namespace

void chaos(Lan& lan, const Setup& setup, Random& random) {
  Troublemaker troublemaker{setup, random};
  const TimePoint begin = lan.now();
  const Duration unit = setup.longest_interval();
  for (NodeId id = 0; id < setup.routers.size(); ++id) {
    const Duration after =
        random.chance(2, 3) ? Duration::zero() : random.between(Duration::zero(), 10 * unit);
    troublemaker.plan(begin + after, [id](Lan& target) { target.start(id); });
  }
  const Duration length = unit * random.between(5, 30);
  for (int fault = random.between(1, 8); fault > 0; --fault) {
    troublemaker.plan_any(begin + random.between(Duration::zero(), length));
  }
  troublemaker.run(lan, begin + length);

  lan.set_quality(setup.calm);
  lan.mend_all();
  for (NodeId id = 0; id < lan.size(); ++id) {
    lan.spare_engine(id);
    if (lan.node(id).others != Others::kNone) lan.set_others(id, Others::kReady);
    lan.resume(id);
    lan.finish_restart(id);
    // What died with its guard is found by then.
    if (!lan.node(id).running) lan.crash(id);
  }
  lan.remark("calm");
  lan.run_for(troublemaker.longest_delay());
}

}  // namespace ha::sim
