/// Asks systemd about its units, over its bus and without ever waiting for it, and hears of their
/// changes as they happen.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "ha/types.hpp"

struct sd_bus;
struct sd_bus_slot;

namespace ha::checks {

/// What systemd says of a unit, in its own words.
struct UnitState {
  std::string load;    ///< "loaded", "not-found", "masked", "error", …
  std::string active;  ///< "active", "reloading", "inactive", "failed", "activating", …

  friend bool operator==(const UnitState&, const UnitState&) = default;
};

/// One connection for all units, made with the first of them and again whenever it is lost. root
/// speaks to systemd itself; others to the system bus, so that they depend on that as well.
class Systemd {
 public:
  using Id = std::uint64_t;
  struct Listener {
    std::function<void(const UnitState&)> state;
    std::function<void()> changed;  ///< something about the unit did, or may have
  };

  /// After a connection that was lost or refused.
  static constexpr Duration kPause = std::chrono::milliseconds{200};

  /// `io` must outlive the object.
  explicit Systemd(boost::asio::io_context& io);
  ~Systemd();
  Systemd(const Systemd&) = delete;
  Systemd& operator=(const Systemd&) = delete;

  /// Whether it is systemd that runs this machine (sd_booted(3)). Looks at a file in memory.
  [[nodiscard]] static bool runs_here();

  /// `listener` is called from the loop until unwatch(), and may not destroy this object.
  Id watch(std::string unit, Listener listener);
  void unwatch(Id id);
  /// The state of the unit will be told once, as soon as systemd answers. It is for the caller to
  /// lose patience: a question that is not answered is asked again with the next connection.
  void ask(Id id);

  /// Why nobody answers, as far as that is known; empty while connected.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  struct Unit;
  struct Reply;

  void connect();
  [[nodiscard]] int open();
  void connect_later();
  void lost(int error);
  void close();
  void pump();
  void wait();
  void send_question(Unit& unit);
  void listen(Unit& unit, const char* path);

  boost::asio::io_context& io_;
  boost::asio::steady_timer retry_;
  boost::asio::posix::stream_descriptor descriptor_;  ///< the bus's own
  sd_bus* bus_ = nullptr;
  bool reading_ = false;
  bool writing_ = false;
  std::map<Id, std::unique_ptr<Unit>> units_;
  Id last_id_ = 0;
  std::string trouble_;
  /// A completion may lie in the loop's queue when the object goes.
  std::shared_ptr<void> alive_;
};

}  // namespace ha::checks
