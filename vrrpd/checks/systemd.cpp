#include "vrrpd/checks/systemd.hpp"

#include <dlfcn.h>
#include <poll.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <type_traits>
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

/// libsystemd's functions. The library is only loaded when a unit is watched: with what it needs
/// itself (compression, cryptography) it is most of what this daemon would have in memory, and in
/// reach of an attacker, without ever using it. Where systemd runs, it is installed.
struct SdBus {
  /// False if the library, or one of these in it, is missing.
  [[nodiscard]] bool load() {
    if (message_read != nullptr) return true;
    void* const library = ::dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return false;
    const auto find = [library](auto& function, const char* name) {
      function =
          reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, name));
      return function != nullptr;
    };
    return find(create, "sd_bus_new") && find(unref, "sd_bus_unref") &&
           find(close, "sd_bus_close") && find(start, "sd_bus_start") &&
           find(process, "sd_bus_process") && find(is_open, "sd_bus_is_open") &&
           find(get_fd, "sd_bus_get_fd") && find(get_events, "sd_bus_get_events") &&
           find(set_address, "sd_bus_set_address") &&
           find(set_bus_client, "sd_bus_set_bus_client") &&
           find(call_method_async, "sd_bus_call_method_async") &&
           find(match_signal_async, "sd_bus_match_signal_async") &&
           find(slot_unref, "sd_bus_slot_unref") &&
           find(message_is_method_error, "sd_bus_message_is_method_error") &&
           find(message_get_error, "sd_bus_message_get_error") &&
           find(message_enter_container, "sd_bus_message_enter_container") &&
           find(message_read, "sd_bus_message_read");
  }

  decltype(&::sd_bus_new) create;
  decltype(&::sd_bus_unref) unref;
  decltype(&::sd_bus_close) close;
  decltype(&::sd_bus_start) start;
  decltype(&::sd_bus_process) process;
  decltype(&::sd_bus_is_open) is_open;
  decltype(&::sd_bus_get_fd) get_fd;
  decltype(&::sd_bus_get_events) get_events;
  decltype(&::sd_bus_set_address) set_address;
  decltype(&::sd_bus_set_bus_client) set_bus_client;
  decltype(&::sd_bus_call_method_async) call_method_async;
  decltype(&::sd_bus_match_signal_async) match_signal_async;
  decltype(&::sd_bus_slot_unref) slot_unref;
  decltype(&::sd_bus_message_is_method_error) message_is_method_error;
  decltype(&::sd_bus_message_get_error) message_get_error;
  decltype(&::sd_bus_message_enter_container) message_enter_container;
  decltype(&::sd_bus_message_read) message_read;
};

/// Loaded by Systemd::open(), without which there is no connection to use it on.
SdBus& bus() {
  static SdBus functions{};
  return functions;
}

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
    if (question != nullptr) question = bus().slot_unref(question);
    if (match != nullptr) match = bus().slot_unref(match);
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
  unit.question = bus().slot_unref(unit.question);
  const char* load = nullptr;
  const char* active = nullptr;
  const char* path = nullptr;
  const bool understood = bus().message_is_method_error(answer, nullptr) == 0 &&
                          bus().message_enter_container(answer, 'a', "(ssssssouso)") > 0 &&
                          bus().message_enter_container(answer, 'r', "ssssssouso") > 0 &&
                          bus().message_read(answer, "ssssss", nullptr, nullptr, &load, &active,
                                             nullptr, nullptr) > 0 &&
                          bus().message_read(answer, "o", &path) > 0;
  if (!understood) {
    const sd_bus_error* error = bus().message_get_error(answer);
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
  descriptor_.assign(bus().get_fd(bus_), error);
  if (error) return lost(error.value());
  // Over the system bus nothing is announced to those who did not ask for it.
  bus().call_method_async(bus_, nullptr, kService, kManagerPath, kManager, "Subscribe", nullptr,
                          nullptr, nullptr);
  for (const auto& [id, unit] : units_) {
    if (unit->asked) send_question(*unit);
  }
  pump();
}

/// Connects to a socket of this machine, which does not block, and leaves the rest of the
/// conversation to pump(). A negative errno, as libsystemd has them, if that fails.
int Systemd::open() {
  if (!bus().load()) return -ELIBACC;
  if (const int result = bus().create(&bus_); result < 0) return result;
  const bool to_itself = ::geteuid() == 0;
  int result = bus().set_address(bus_, to_itself ? kPrivateAddress : kSystemAddress);
  if (result >= 0 && !to_itself) result = bus().set_bus_client(bus_, 1);
  return result < 0 ? result : bus().start(bus_);
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
  if (bus_ == nullptr) return;
  // Without waiting for what has not been written yet.
  bus().close(bus_);
  bus_ = bus().unref(bus_);
}

void Systemd::send_question(Unit& unit) {
  if (unit.question != nullptr) return;  // the answer to that one will do
  const int result = bus().call_method_async(bus_, &unit.question, kService, kManagerPath, kManager,
                                             "ListUnitsByNames", &Unit::on_answer, &unit, "as", 1,
                                             unit.name.c_str());
  if (result < 0) trouble_ = std::strerror(-result);
}

void Systemd::listen(Unit& unit, const char* path) {
  if (unit.path == path) return;
  unit.path = path;
  if (unit.match != nullptr) unit.match = bus().slot_unref(unit.match);
  // Whoever sends it: it is believed no more than a doorbell.
  bus().match_signal_async(bus_, &unit.match, nullptr, path, "org.freedesktop.DBus.Properties",
                           "PropertiesChanged", &Unit::on_change, nullptr, &unit);
}

void Systemd::pump() {
  for (int i = 0; i < kMessagesMax; ++i) {
    const int result = bus().process(bus_, nullptr);
    if (result < 0) return lost(-result);
    // After the end of a connection there may be callbacks left, and no event to make them for.
    if (bus().is_open(bus_) <= 0) return lost(ECONNRESET);
    if (result == 0) return wait();
  }
  boost::asio::post(io_, [this, alive = std::weak_ptr<void>{alive_}] {
    if (!alive.expired() && bus_ != nullptr) pump();
  });
}

void Systemd::wait() {
  const int events = bus().get_events(bus_);
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
