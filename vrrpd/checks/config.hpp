/// What `checks:` can say, as values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ha/command.hpp"
#include "ha/ip.hpp"
#include "ha/types.hpp"

namespace ha::checks {

/// Healthy while the number of living processes of this name is within the limits.
struct ProcessProbe {
  /// Which arguments a process has to have.
  enum class Match : std::uint8_t {
    kAny,        ///< whichever, none included
    kExact,      ///< these and no others
    kBeginning,  ///< these, and then perhaps others
    kInitial,    ///< these, of which the last may go on
  };
  /// With kAny as in /proc/PID/comm, which the kernel cuts after 15 bytes: what follows them is not
  /// compared. Else the first word of the command line, with the path if that has one.
  std::string name;
  int at_least = 1;      ///< 0-65535
  int at_most = 65'535;  ///< at_least-65535
  Match match = Match::kAny;
  std::vector<std::string> arguments{};  ///< none with kAny

  friend bool operator==(const ProcessProbe&, const ProcessProbe&) = default;
};

/// Healthy if a connection is accepted.
struct TcpProbe {
  IpAddress address;
  std::uint16_t port = 0;

  friend bool operator==(const TcpProbe&, const TcpProbe&) = default;
};

/// Healthy if a GET is answered with one of these status codes.
struct HttpProbe {
  IpAddress address;
  std::uint16_t port = 80;
  std::string path = "/";  ///< with the query, as it is sent
  std::string host;        ///< the Host header; empty: the address
  int expect_min = 200;    ///< 100-599
  int expect_max = 399;    ///< expect_min-599

  friend bool operator==(const HttpProbe&, const HttpProbe&) = default;
};

/// Healthy while systemd calls the unit active.
struct UnitProbe {
  std::string unit;

  friend bool operator==(const UnitProbe&, const UnitProbe&) = default;
};

/// Healthy if the command exits with 0. Its time limit is that of the check.
struct ScriptProbe {
  Command command;

  friend bool operator==(const ScriptProbe&, const ScriptProbe&) = default;
};

/// What a file says.
struct FileProbe {
  enum class Present : std::uint8_t {
    kHealthy,    ///< healthy while it exists
    kUnhealthy,  ///< unhealthy while it exists
    /// Its first line is a number that tracks multiply by their weight; no file, or an empty one,
    /// is 0, anything else than a number unhealthy.
    kNumber,
  };
  std::string path;
  Present present = Present::kUnhealthy;
  /// A file that is missing when the check begins is made, with this number; with kNumber only.
  std::optional<int> create{};

  friend bool operator==(const FileProbe&, const FileProbe&) = default;
};

/// Healthy while the interface is there, up and has a carrier.
struct InterfaceProbe {
  std::string interface;

  friend bool operator==(const InterfaceProbe&, const InterfaceProbe&) = default;
};

using Probe = std::variant<ProcessProbe, TcpProbe, HttpProbe, UnitProbe, ScriptProbe, FileProbe,
                           InterfaceProbe>;

/// What a check is before its first result.
enum class Initial : std::uint8_t {
  kUnknown,    ///< decided by the first result alone
  kUnhealthy,  ///< needs `rise` good results first
};

struct CheckConfig {
  std::string name;
  Probe probe;
  /// From the start of one probe to that of the next; a longer probe delays the next one.
  Duration interval = std::chrono::seconds{2};
  /// A probe that takes longer has failed.
  Duration timeout = std::chrono::seconds{1};
  int fall = 3;  ///< this many bad results in a row make it unhealthy
  int rise = 2;  ///< this many good ones healthy
  /// And no bad one for so long.
  Duration recover{};
  Initial initial = Initial::kUnknown;
  /// A healthy one becomes unhealthy only after it has been bad for so long without a good result.
  Duration grace{};

  friend bool operator==(const CheckConfig&, const CheckConfig&) = default;
};

/// Whether its result is a number rather than healthy or not.
[[nodiscard]] inline bool gives_number(const CheckConfig& check) {
  const auto* file = std::get_if<FileProbe>(&check.probe);
  return file != nullptr && file->present == FileProbe::Present::kNumber;
}

}  // namespace ha::checks
