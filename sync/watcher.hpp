/// Tells what changes below the sources, by inotify. It may miss what happens in the moment in
/// which it is told to watch, and says so when the kernel's queue was too short: whoever listens
/// scans then.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ha/result.hpp"
#include "sync/exclude.hpp"

namespace ha::sync {

class Watcher {
 public:
  struct Root {
    std::string path;
    Exclusions exclusions;
  };
  struct Listener {
    /// `path` below root number `root`. A directory stands for everything below it.
    std::function<void(std::size_t root, std::string_view path)> changed;
    /// Anything may have changed there.
    std::function<void(std::size_t root)> lost;
    /// Something is not watched, and why; told once for each root until it is.
    std::function<void(std::size_t root, const std::string& why)> refused;
  };

  /// `io` must outlive the object. Nothing is watched yet.
  [[nodiscard]] static Result<std::unique_ptr<Watcher>> open(boost::asio::io_context& io,
                                                             std::vector<Root> roots,
                                                             Listener listener);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  /// Begins to watch the roots that are there now and were not before. Each new one is `lost`.
  void look_for_roots();

 private:
  class Impl;
  explicit Watcher(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ha::sync
