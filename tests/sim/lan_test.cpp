/// The virtual LAN itself: a simulation that does not do what it says proves nothing.
#include "lan.hpp"

#include "scenario.hpp"
#include "tests/support/catch.hpp"

namespace ha::sim {
namespace {

using namespace std::chrono_literals;

/// Notes the advertisements that one router hears.
class Listener : public Observer {
 public:
  explicit Listener(NodeId node) : node_{node} {}

  void stepped(const StepRecord& record) override {
    const auto* advert = std::get_if<vrrp::AdvertReceived>(&record.event);
    if (record.node != node_ || advert == nullptr) return;
    arrivals.push_back(record.now);
    priorities.push_back(advert->priority.value());
  }
  void crashed(NodeId, TimePoint) override {}
  void paused(NodeId, TimePoint) override {}
  void resumed(NodeId, TimePoint) override {}
  void remarked(std::string_view, TimePoint) override {}

  std::vector<TimePoint> arrivals;
  std::vector<int> priorities;

 private:
  NodeId node_;
};

/// A master that says something new every millisecond, and a listener.
class Talk {
 public:
  explicit Talk(const LinkQuality& quality) : lan_{5, quality, Duration::zero()} {
    lan_.observe(listener_);
    lan_.add(router(255), address(0));
    lan_.add(router(1, vrrp::Preempt::kNo), address(1));
    lan_.start(1);
    lan_.start(0);
    for (int priority = 1; priority <= 100; ++priority) {
      lan_.run_for(1ms);
      lan_.set_priority(0, Priority{static_cast<std::uint8_t>(priority)});
    }
    lan_.run_for(500ms);
  }

  [[nodiscard]] const std::vector<int>& heard() const { return listener_.priorities; }

 private:
  Listener listener_{1};
  Lan lan_;
};

TEST_CASE("a good link delivers everything once and in order") {
  const Talk talk{{1ms, 9ms, 0, 0, false}};
  REQUIRE(talk.heard().size() == 101);
  CHECK(std::is_sorted(talk.heard().begin() + 1, talk.heard().end()));
}

TEST_CASE("a link loses, duplicates and reorders when told to") {
  CHECK(Talk{{1ms, 1ms, 1'000, 0, false}}.heard().empty());
  CHECK(Talk{{1ms, 1ms, 0, 1'000, false}}.heard().size() == 202);
  const std::size_t some = Talk{{1ms, 1ms, 500, 0, false}}.heard().size();
  CHECK((some > 30 && some < 70));
  const Talk reordered{{1ms, 9ms, 0, 0, true}};
  CHECK(reordered.heard().size() == 101);
  CHECK_FALSE(std::is_sorted(reordered.heard().begin() + 1, reordered.heard().end()));
}

TEST_CASE("a cut works in one direction") {
  Scenario lan{{router(200), router(100)}};
  Listener at_first{0};
  Listener at_second{1};
  lan.observe(at_first);
  lan.observe(at_second);
  lan.start_all();
  lan.cut(0, 1);
  lan.run_for(20s);
  CHECK_FALSE(at_first.arrivals.empty());
  CHECK(at_second.arrivals.empty());
}

TEST_CASE("a paused machine hears nothing until it goes on, and then what its socket held") {
  Scenario lan{{router(200), router(100)}};
  lan.start_all();
  lan.run_for(10s);
  Listener listener{1};
  lan.observe(listener);
  lan.pause(1);
  lan.run_for(20s);
  CHECK(listener.arrivals.empty());
  lan.resume(1);
  CHECK(listener.arrivals.size() == 20);

  SECTION("which is bounded") {
    lan.pause(1);
    lan.run_for(200s);
    lan.resume(1);
    CHECK(listener.arrivals.size() == 20 + Lan::kSocketBufferPackets);
  }
}

TEST_CASE("a crash takes state, addresses and what waited in the socket with it") {
  Scenario lan{{router(200), router(100)}};
  lan.start_all();
  lan.run_for(10s);
  REQUIRE(lan.node(0).holds_addresses);
  lan.crash(0);
  CHECK_FALSE(lan.node(0).holds_addresses);
  CHECK(lan.node(0).state == vrrp::State{vrrp::Initialize{}});
  CHECK_FALSE(lan.node(0).running);
}

TEST_CASE("commands to a paused machine wait as packets do") {
  Scenario lan{{router(200)}};
  lan.start_all();
  lan.run_for(10s);
  lan.pause(0);
  lan.shut_down(0);
  lan.run_for(1s);
  CHECK(lan.node(0).is_master());
  lan.resume(0);
  CHECK_FALSE(lan.node(0).running);
  CHECK_FALSE(lan.node(0).holds_addresses);
}

}  // namespace
}  // namespace ha::sim
