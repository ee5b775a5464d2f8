/// Remembers on disk that the operator wants no address on this machine, so that a restart does not
/// bring one back.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "vrrpd/runtime/status.hpp"

namespace ha::vrrp {

class DrainFile {
 public:
  /// $STATE_DIRECTORY/drained, as systemd sets it, else /var/lib/vrrpd/drained.
  [[nodiscard]] static std::string default_path();

  /// Since when this machine is drained; nothing if it is not. Reads the disk.
  [[nodiscard]] static std::optional<WallClock> read(const std::string& path);

  /// `io` must outlive the object.
  DrainFile(boost::asio::io_context& io, std::string path);
  ~DrainFile();
  DrainFile(const DrainFile&) = delete;
  DrainFile& operator=(const DrainFile&) = delete;

  /// Writes it, or removes it where there is nothing to remember. A child does the work, since a
  /// disk may hang; `done` is called when it has, with what went wrong, or an empty text. While one
  /// is at work the next is kept waiting, and only the last of several is carried out.
  void save(std::optional<WallClock> since, std::function<void(std::string trouble)> done);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  ///< also held by its handlers under way
};

}  // namespace ha::vrrp
