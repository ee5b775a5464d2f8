/// Changes the configuration of the running daemon: as a whole or not at all, and for a trial if so
/// asked.
///
/// A configuration on trial is taken back unless it is confirmed in time, so that an operator who
/// has cut himself off gets back in. Until then what was confirmed last stays the one to go back
/// to: another trial may follow, but neither a reload without one nor SIGHUP, which would end the
/// trial without a word. An engine that dies leaves its trial to its successor. The file is never
/// written: after a configuration was taken back it still holds it, and so it does for the next
/// start if the daemon stops during a trial.
///
/// Reads no clock and sets no timer; whoever owns it calls wake() at deadline().
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vrrpd/config/load.hpp"
#include "vrrpd/runtime/control.hpp"
#include "vrrpd/runtime/log.hpp"
#include "vrrpd/runtime/virtual_routers.hpp"

namespace ha::vrrp {

class Reloader {
 public:
  /// What to go back to, and when.
  struct Trial {
    Config confirmed;
    TimePoint ends_at;
  };

  /// What it needs of the daemon.
  struct Steps {
    /// Reads the file.
    std::function<Loaded()> load;
    /// Makes a configuration the running one, for good or on trial. Returns what is in the way; as
    /// VirtualRouters::apply().
    std::function<std::vector<std::string>(const Config&, const std::optional<Trial>&, OnRefusal)>
        run;
    /// What was run last.
    std::function<Config()> running;
    /// What does not work although it runs, in sentences: instances that wait for something.
    std::function<std::vector<std::string>()> troubles;
  };

  /// `file` is for messages. A predecessor may have left `trial`.
  Reloader(Log& log, std::string file, std::optional<Trial> trial, Steps steps);

  /// Reads the file and runs it, for a trial of so long if `trial` is given.
  ReloadOutcome reload(std::optional<Duration> trial, TimePoint now);
  /// Ends the trial: what is running stays. False if there is none.
  bool confirm();
  /// Takes back what was not confirmed by deadline(). Early calls are harmless.
  void wake(TimePoint now);
  /// The daemon stops: says what the next start will make of a trial.
  void stop();

  /// When the trial ends; nothing without one.
  [[nodiscard]] std::optional<TimePoint> deadline() const;

 private:
  [[nodiscard]] ReloadOutcome refused(std::vector<std::string> diagnostics,
                                      std::string_view why) const;

  Log& log_;
  std::string file_;
  Steps steps_;
  std::optional<Trial> trial_;
};

}  // namespace ha::vrrp
