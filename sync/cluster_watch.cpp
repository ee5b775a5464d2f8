#include "sync/cluster_watch.hpp"

#include <fmt/format.h>

#include <utility>

#include "sync/tool.hpp"

namespace ha::sync {
namespace {

/// Keeps what `parsed` says, or the reason why it says nothing.
template <class T, class Into>
void keep(const ParsedXml<T>& parsed, Into& into, std::string& text) {
  if (parsed) {
    into = *parsed;
  } else if (text.empty()) {
    text = "the gluster command's answer " + parsed.error();
  }
}

}  // namespace

ClusterWatch::ClusterWatch(boost::asio::io_context& io, Children& children,
                           std::vector<std::string> volumes, Listener listener)
    : children_{children},
      pause_{io},
      volumes_{std::move(volumes)},
      listener_{std::move(listener)} {
  if (!volumes_.empty()) ask();
}

void ClusterWatch::ask() {
  answer_.clear();
  const std::string& volume = volumes_[volume_];
  std::vector<std::string> words;
  switch (question_) {
    case Question::kHeal:
      words = {"volume", "heal", volume, "info", "summary", "--xml"};
      break;
    case Question::kBricks:
      words = {"volume", "status", volume, "--xml"};
      break;
    case Question::kPeers:
      words = {"peer", "status", "--xml"};
      break;
  }
  const auto started = children_.start({gluster_command(words),
                                        {},
                                        kGlusterPatience,
                                        [this](std::string_view line) {
                                          if (answer_.size() > kXmlSizeBytesMax) return;
                                          answer_.append(line).append("\n");
                                        },
                                        [this](std::optional<int> code) { answered(code); }});
  if (started) return;
  if (view_.text.empty()) view_.text = started.error().message();
  next();
}

void ClusterWatch::answered(std::optional<int> code) {
  if (code && *code < 128) {
    understand();
  } else if (view_.text.empty()) {
    view_.text = fmt::format("the gluster command did not answer within {} s",
                             std::chrono::floor<std::chrono::seconds>(kGlusterPatience).count());
  }
  next();
}

void ClusterWatch::understand() {
  switch (question_) {
    case Question::kHeal:
      return keep(parse_heal_summary(answer_), view_.heal, view_.text);
    case Question::kBricks:
      return keep(parse_bricks(answer_), view_.bricks, view_.text);
    case Question::kPeers:
      return keep(parse_peers(answer_), view_.peers, view_.text);
  }
}

void ClusterWatch::next() {
  if (question_ != Question::kPeers) {
    question_ = question_ == Question::kHeal ? Question::kBricks : Question::kPeers;
    return ask();
  }
  question_ = Question::kHeal;
  listener_(volumes_[volume_], std::exchange(view_, {}));
  if (++volume_ < volumes_.size()) return ask();
  volume_ = 0;
  pause_.expires_after(kPeriod);
  pause_.async_wait([this](const boost::system::error_code& error) {
    if (!error) ask();
  });
}

}  // namespace ha::sync
