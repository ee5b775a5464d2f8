#include "haproxy_probe/client.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "haproxy_probe/dialogue.hpp"
#include "haproxy_probe/http.hpp"
#include "haproxy_probe/link.hpp"
#include "haproxy_probe/stats.hpp"

namespace ha::probe {
namespace {

using ErrorCode = boost::system::error_code;

/// What the other side of a silent held connection may say; two prompts and two blank lines, or the
/// head of a page. Whoever sends much more is no HAProxy.
constexpr std::size_t kHeldBytesMax = 64 * 1024;
/// As much of the ring's last line as a message shows.
constexpr std::size_t kLastWordsBytesMax = 80;

/// What is said to HAProxy.
class Phrases {
 public:
  explicit Phrases(const ProbeConfig& config) : events_{config.events} {
    if (!is_url(config.stats)) return;
    const auto url = parse_url(config.stats);
    if (!url) return;  // then there is no target either
    page_ = http_request(HttpMethod::kGet, *url, config.credentials);
    page_head_ = http_request(HttpMethod::kHead, *url, config.credentials);
  }

  [[nodiscard]] std::string of(Question question) const {
    switch (question) {
      case Question::kServersState:
        return "show info;show servers state\n";
      case Question::kStats:
        return "show info;show stat -1 4 -1\n";
      case Question::kPage:
        break;
    }
    return page_;
  }

  /// Without a time limit of its own HAProxy would end a connection after 10 s of silence, and
  /// without the prompt at once.
  [[nodiscard]] std::string of(const Hold& hold) const {
    if (!page_head_.empty()) return page_head_;
    if (!hold.events) return "prompt\nset timeout cli 1d\n";
    return fmt::format("set timeout cli 1d;show events {} -w\n", events_);
  }

 private:
  std::string events_;
  std::string page_;
  std::string page_head_;
};

/// One question under way.
struct Poll {
  explicit Poll(Question question)
      : on_page{question == Question::kPage}, parser{on_page ? Form::kPage : Form::kSocket} {}

  [[nodiscard]] tl::expected<void, ParseError> feed(std::string_view text) {
    if (!on_page) return parser.feed(text);
    body.clear();
    if (auto taken = page.feed(text, body); !taken) return taken;
    return body.empty() ? tl::expected<void, ParseError>{} : parser.feed(body);
  }
  [[nodiscard]] bool ended() const { return on_page && page.ended(); }
  [[nodiscard]] tl::expected<Answer, ParseError> finish() {
    if (on_page) {
      if (auto whole = page.finish(); !whole) return tl::unexpected<ParseError>{whole.error()};
    }
    return parser.finish();
  }

  bool on_page;
  HttpBody page;
  std::string body;  ///< of the page, the last piece
  AnswerParser parser;
  std::shared_ptr<Link> link;
};

struct Held {
  bool events = false;
  std::size_t discarded_bytes = 0;
  std::string last_words;
  std::shared_ptr<Link> link;
};

}  // namespace

/// Owns the links. Whoever receives an event may destroy the client, so handlers have weak
/// pointers, and keep it until they are done.
class Client::Connections : public std::enable_shared_from_this<Connections> {
 public:
  Connections(boost::asio::io_context& io, ProbeConfig config,
              std::function<void(const Event&)> on_event)
      : io_{io},
        name_{config.stats},
        target_{target_of(config.stats)},
        phrases_{config},
        dialogue_{std::move(config)},
        on_event_{std::move(on_event)},
        timer_{io} {}

  void start() { rearm(); }

  /// No event is handed out any more, not even by the handler that runs now.
  void stop() {
    stopped_ = true;
    timer_.cancel();
    poll_.reset();
    held_.reset();
  }

 private:
  void feed(DialogueEvent event) {
    for (DialogueAction& action :
         dialogue_.handle(std::move(event), std::chrono::steady_clock::now())) {
      if (stopped_) return;
      std::visit([this](auto& what) { carry_out(what); }, action);
    }
    if (!stopped_) rearm();
  }

  void carry_out(const StartPoll& start) {
    poll_ = std::make_unique<Poll>(start.question);
    poll_->link = Link::open(
        io_, target_, phrases_.of(start.question),
        [weak = weak_from_this()](std::string_view text) {
          if (const auto self = weak.lock()) self->on_poll_text(text);
        },
        [weak = weak_from_this()](Link::End end, const std::string& reason) {
          if (const auto self = weak.lock()) self->on_poll_end(end, reason);
        });
  }

  void carry_out(const AbandonPoll&) { poll_.reset(); }

  void carry_out(const Hold& hold) {
    held_ = std::make_unique<Held>();
    held_->events = hold.events;
    held_->link = Link::open(
        io_, target_, phrases_.of(hold),
        [weak = weak_from_this()](std::string_view text) {
          if (const auto self = weak.lock()) self->on_held_text(text);
        },
        [weak = weak_from_this()](Link::End, const std::string&) {
          if (const auto self = weak.lock()) self->end_held();
        });
  }

  void carry_out(const LetGo&) { held_.reset(); }

  void carry_out(Tell& tell) {
    on_event_(tell.event);
    // To free ten thousand rows takes as long as to count them: that is a turn of its own, so that
    // what else is due need not wait for both.
    boost::asio::post(io_, [spent = std::move(tell.event)] {});
  }

  void on_poll_text(std::string_view text) {
    if (const auto taken = poll_->feed(text); !taken) {
      end_poll(PollFailed{name_ + ": " + taken.error().reason});
    } else if (poll_->ended()) {
      finish_poll();
    }
  }

  void on_poll_end(Link::End end, const std::string& reason) {
    switch (end) {
      case Link::End::kNobodyListens:
        return end_poll(PollRefused{reason});
      case Link::End::kFailed:
        return end_poll(PollFailed{reason});
      case Link::End::kClosed:
        return finish_poll();
    }
  }

  void finish_poll() {
    auto answer = poll_->finish();
    if (!answer) return end_poll(PollFailed{name_ + ": " + answer.error().reason});
    end_poll(PollAnswered{std::move(*answer)});
  }

  void end_poll(DialogueEvent outcome) {
    // The link is in the middle of a callback of this object's: it goes when that returns.
    const std::unique_ptr<Poll> ended = std::move(poll_);
    feed(std::move(outcome));
  }

  void on_held_text(std::string_view text) {
    if (held_->events) {
      remember_last_line(text);
      // The blank line that answers `set timeout` is no event.
      if (text.find_first_not_of('\n') != std::string_view::npos) feed(Rang{});
      return;
    }
    held_->discarded_bytes += text.size();
    if (held_->discarded_bytes > kHeldBytesMax) end_held();
  }

  void remember_last_line(std::string_view text) {
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    if (text.empty()) return;
    text.remove_prefix(text.rfind('\n') + 1);
    held_->last_words = quoted(text.substr(0, kLastWordsBytesMax));
  }

  void end_held() {
    const std::unique_ptr<Held> ended = std::move(held_);
    feed(HeldEnded{std::move(ended->last_words)});
  }

  void rearm() {
    timer_.expires_at(dialogue_.deadline());
    timer_.async_wait([self = weak_from_this()](const ErrorCode& error) {
      const auto connections = self.lock();
      if (!error && connections && !connections->stopped_) connections->feed(TimeReached{});
    });
  }

  boost::asio::io_context& io_;
  std::string name_;
  Result<Target> target_;
  Phrases phrases_;
  Dialogue dialogue_;
  std::function<void(const Event&)> on_event_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<Poll> poll_;
  std::unique_ptr<Held> held_;
  bool stopped_ = false;
};

Client::Client(boost::asio::io_context& io, ProbeConfig config,
               std::function<void(const Event&)> on_event)
    : connections_{std::make_shared<Connections>(io, std::move(config), std::move(on_event))} {
  connections_->start();
}

Client::~Client() { connections_->stop(); }

}  // namespace ha::probe
