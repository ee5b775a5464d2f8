/// Child processes of the daemon. Whatever can block for as long as a volume does happens in one of
/// them, so nothing here waits: their words and their ends are events of the loop.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ha/result.hpp"
#include "ha/types.hpp"

namespace ha::sync {

/// What a child is started with. It has no descriptor but its three streams: both outputs go to
/// `on_line`, line by line; lines of more than kLineSizeBytesMax are cut.
struct Launch {
  std::vector<std::string> words;  ///< the program, looked up in PATH if it has no slash
  std::string input;
  std::optional<Duration> patience;  ///< after which it is killed
  std::function<void(std::string_view)> on_line;
  /// Once, from the loop: its exit status, 128 + the signal that ended it, or nothing if it was
  /// killed and does not end: it hangs in the kernel, and will be reaped when it comes back.
  std::function<void(std::optional<int>)> on_end;
};

class Children {
 public:
  using Id = std::uint64_t;
  static constexpr std::size_t kLineSizeBytesMax = std::size_t{4} * 1024 * 1024;

  /// `io` must outlive the object.
  explicit Children(boost::asio::io_context& io);
  /// Kills all of them, and calls nobody.
  ~Children();
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  [[nodiscard]] Result<Id> start(Launch launch);
  /// Its end is told as any other. Harmless if it has ended.
  void kill(Id id);

 private:
  struct Child;
  void read(Id id);
  void wait(Id id);
  void arm(Id id, Duration after);
  void end(Id id);

  boost::asio::io_context& io_;
  std::map<Id, std::unique_ptr<Child>> children_;
  Id last_ = 0;
};

}  // namespace ha::sync
