#include "vrrpd/checks/systemd.hpp"

#include <poll.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ha::checks {
namespace {

using boost::asio::posix::stream_descriptor;

constexpr const char* kRuns = "/run/systemd/system";
constexpr const char* kPrivateAddress = "unix:path=/run/systemd/private";
constexpr const char* kSystemAddress = "unix:path=/run/dbus/system_bus_socket";

constexpr const char* kService = "org.freedesktop.systemd1";
constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";

/// So many messages in one turn of the loop, for advertisements to leave in between.
constexpr int kMessagesMax = 32;

}  // namespace

struct Systemd::Unit {
  Systemd& systemd;
  std::string name;
  Listener listener;
  bool asked = false;
  sd_bus_slot* question = nullptr;
  sd_bus_slot* match = nullptr;
  std::string path;  ///< of the match

  void forget_connection() {
    question = ::sd_bus_slot_unref(question);
    match = ::sd_bus_slot_unref(match);
    path.clear();
  }

  static int on_answer(sd_bus_message* answer, void* self, sd_bus_error*);
  static int on_change(sd_bus_message*, void* self, sd_bus_error*) {
    static_cast<Unit*>(self)->listener.changed();
    return 0;
  }
};

/// An array of one structure: systemd lists the units it was asked for whether they exist or not.
int Systemd::Unit::on_answer(sd_bus_message* answer, void* self, sd_bus_error*) {
  Unit& unit = *static_cast<Unit*>(self);
  unit.question = ::sd_bus_slot_unref(unit.question);
  const char* load = nullptr;
  const char* active = nullptr;
  const char* path = nullptr;
  const bool understood = ::sd_bus_message_is_method_error(answer, nullptr) == 0 &&
                          ::sd_bus_message_enter_container(answer, 'a', "(ssssssouso)") > 0 &&
                          ::sd_bus_message_enter_container(answer, 'r', "ssssssouso") > 0 &&
                          ::sd_bus_message_read(answer, "ssssss", nullptr, nullptr, &load, &active,
                                                nullptr, nullptr) > 0 &&
                          ::sd_bus_message_read(answer, "o", &path) > 0;
  if (!understood) {
    const sd_bus_error* error = ::sd_bus_message_get_error(answer);
    unit.systemd.trouble_ =
        error != nullptr && error->message != nullptr ? error->message : "its answer is not clear";
    return 0;
  }
  const bool was_deaf = unit.path.empty();
  unit.systemd.trouble_.clear();
  unit.systemd.listen(unit, path);
  unit.asked = false;
  unit.listener.state({load, active});
  // What happened before systemd knew that we listen was not told.
  if (was_deaf) unit.listener.changed();
  return 0;
}

Systemd::Systemd(boost::asio::io_context& io)
    : io_{io}, retry_{io}, descriptor_{io}, alive_{std::make_shared<char>()} {}

Systemd::~Systemd() { close(); }

bool Systemd::runs_here() { return ::access(kRuns, F_OK) == 0; }

Systemd::Id Systemd::watch(std::string unit, Listener listener) {
  const Id id = ++last_id_;
  units_.emplace(id, std::unique_ptr<Unit>{
                         new Unit{*this, std::move(unit), std::move(listener), false, {}, {}, {}}});
  return id;
}

void Systemd::unwatch(Id id) {
  const auto found = units_.find(id);
  if (found == units_.end()) return;
  found->second->forget_connection();
  units_.erase(found);
  if (units_.empty()) close();
}

void Systemd::ask(Id id) {
  Unit& unit = *units_.at(id);
  unit.asked = true;
  if (bus_ == nullptr) {
    // Not from within the call, since a refusal is told to all.
    if (retry_.expiry() <= std::chrono::steady_clock::now()) connect();
    return;
  }
  send_question(unit);
  pump();
}

void Systemd::connect() {
  if (const int result = open(); result < 0) return lost(-result);
  boost::system::error_code error;
  descriptor_.assign(::sd_bus_get_fd(bus_), error);
  if (error) return lost(error.value());
  // Over the system bus nothing is announced to those who did not ask for it.
  ::sd_bus_call_method_async(bus_, nullptr, kService, kManagerPath, kManager, "Subscribe", nullptr,
                             nullptr, nullptr);
  for (const auto& [id, unit] : units_) {
    if (unit->asked) send_question(*unit);
  }
  pump();
}

/// Connects to a socket of this machine, which does not block, and leaves the rest of the
/// conversation to pump(). A negative errno, as libsystemd has them, if that fails.
int Systemd::open() {
  if (const int result = ::sd_bus_new(&bus_); result < 0) return result;
  const bool to_itself = ::geteuid() == 0;
  int result = ::sd_bus_set_address(bus_, to_itself ? kPrivateAddress : kSystemAddress);
  if (result >= 0 && !to_itself) result = ::sd_bus_set_bus_client(bus_, 1);
  return result < 0 ? result : ::sd_bus_start(bus_);
}

void Systemd::lost(int error) {
  close();
  trouble_ = std::strerror(error);
  retry_.expires_after(kPause);
  retry_.async_wait(
      [this, alive = std::weak_ptr<void>{alive_}](const boost::system::error_code& failed) {
        if (!failed && !alive.expired() && bus_ == nullptr && !units_.empty()) connect();
      });
}

void Systemd::close() {
  for (const auto& [id, unit] : units_) unit->forget_connection();
  if (descriptor_.is_open()) descriptor_.release();
  reading_ = writing_ = false;
  // Without waiting for what has not been written yet.
  ::sd_bus_close(bus_);
  bus_ = ::sd_bus_unref(bus_);
}

void Systemd::send_question(Unit& unit) {
  if (unit.question != nullptr) return;  // the answer to that one will do
  const int result = ::sd_bus_call_method_async(bus_, &unit.question, kService, kManagerPath,
                                                kManager, "ListUnitsByNames", &Unit::on_answer,
                                                &unit, "as", 1, unit.name.c_str());
  if (result < 0) trouble_ = std::strerror(-result);
}

void Systemd::listen(Unit& unit, const char* path) {
  if (unit.path == path) return;
  unit.path = path;
  unit.match = ::sd_bus_slot_unref(unit.match);
  // Whoever sends it: it is believed no more than a doorbell.
  ::sd_bus_match_signal_async(bus_, &unit.match, nullptr, path, "org.freedesktop.DBus.Properties",
                              "PropertiesChanged", &Unit::on_change, nullptr, &unit);
}

void Systemd::pump() {
  for (int i = 0; i < kMessagesMax; ++i) {
    const int result = ::sd_bus_process(bus_, nullptr);
    if (result < 0) return lost(-result);
    // After the end of a connection there may be callbacks left, and no event to make them for.
    if (::sd_bus_is_open(bus_) <= 0) return lost(ECONNRESET);
    if (result == 0) return wait();
  }
  boost::asio::post(io_, [this, alive = std::weak_ptr<void>{alive_}] {
    if (!alive.expired() && bus_ != nullptr) pump();
  });
}

void Systemd::wait() {
  const int events = ::sd_bus_get_events(bus_);
  if (events < 0) return lost(-events);
  const auto pump_when = [this](stream_descriptor::wait_type what, bool& waiting) {
    if (std::exchange(waiting, true)) return;
    descriptor_.async_wait(what, [this, &waiting, alive = std::weak_ptr<void>{alive_}](
                                     const boost::system::error_code& error) {
      if (error || alive.expired()) return;
      waiting = false;
      if (bus_ != nullptr) pump();
    });
  };
  if ((events & POLLIN) != 0) pump_when(stream_descriptor::wait_read, reading_);
  if ((events & POLLOUT) != 0) pump_when(stream_descriptor::wait_write, writing_);
}

}  // namespace ha::checks
