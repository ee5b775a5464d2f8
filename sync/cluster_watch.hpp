/// What the gluster command says about the volumes, one question at a time, each with a deadline.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sync/children.hpp"
#include "sync/gluster_xml.hpp"

namespace ha::sync {

class ClusterWatch {
 public:
  /// The command costs a tenth of a second of a processor, three times for each volume.
  static constexpr Duration kPeriod = std::chrono::seconds{60};
  using Listener = std::function<void(const std::string& volume, const ClusterView& view)>;

  /// Begins at once. The others must outlive the object.
  ClusterWatch(boost::asio::io_context& io, Children& children, std::vector<std::string> volumes,
               Listener listener);
  ClusterWatch(const ClusterWatch&) = delete;
  ClusterWatch& operator=(const ClusterWatch&) = delete;

 private:
  enum class Question : std::uint8_t { kHeal, kBricks, kPeers };

  void ask();
  void answered(std::optional<int> code);
  void understand();
  void next();

  Children& children_;
  boost::asio::steady_timer pause_;
  std::vector<std::string> volumes_;
  Listener listener_;
  std::size_t volume_ = 0;
  Question question_ = Question::kHeal;
  std::string answer_;
  ClusterView view_;
};

}  // namespace ha::sync
