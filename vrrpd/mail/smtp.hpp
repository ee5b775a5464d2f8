/// The client's side of an SMTP session (RFC 5321), as a machine: what the server says goes in,
/// what is to be said comes out. Knows neither sockets nor time. Pure.
///
///     connected -> 220 -> HELO -> { MAIL, RCPT for each recipient, DATA, the text } for each mail
///               -> QUIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ha::mail {

/// Who speaks, and for whom. Nothing in it may hold a blank or a control character.
struct Envelope {
  std::string helo;
  std::string from;
  std::vector<std::string> to;  ///< at least one
};

class SmtpSession {
 public:
  /// A line of the server's that is longer, and an answer of more lines, ends the session: section
  /// 4.5.3.1 allows 512 bytes.
  static constexpr std::size_t kLineSizeBytesMax = 1024;
  static constexpr std::size_t kLinesMax = 100;
  /// So much of what a server said is repeated in trouble().
  static constexpr std::size_t kQuotedSizeBytesMax = 120;

  /// `mails` are at least one, each as compose() makes it.
  SmtpSession(Envelope envelope, std::vector<std::string> mails);

  /// Takes what the server has sent, in pieces of any size, and returns what to send.
  [[nodiscard]] std::string receive(std::string_view bytes);

  /// There is nothing to say or to hear any more; what is received is ignored.
  [[nodiscard]] bool is_over() const { return stage_ == Stage::kOver; }
  /// How many mails the server has taken.
  [[nodiscard]] std::size_t sent() const { return sent_; }
  /// The first thing that the server refused, in words for a log line; empty if nothing. A
  /// recipient who is refused does not keep the others from getting the mail.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  /// What the next answer is about.
  enum class Stage : std::uint8_t {
    kGreeting,
    kHelo,
    kSender,
    kRecipient,
    kData,
    kText,
    kQuit,
    kOver
  };
  struct Reply {
    int code = 0;
    std::string_view text;
  };

  [[nodiscard]] std::string take_line();
  [[nodiscard]] std::string answer(const Reply& reply);
  [[nodiscard]] std::string recipient_answered(const Reply& reply);
  [[nodiscard]] std::string next_mail();
  [[nodiscard]] std::string say(Stage stage, std::string command);
  [[nodiscard]] std::string refuse(std::string trouble);
  void note_refusal(const Reply& reply);

  Envelope envelope_;
  std::vector<std::string> mails_;
  Stage stage_ = Stage::kGreeting;
  std::string said_ = "the connection";  ///< what the server is answering, for messages
  std::string line_;
  std::size_t lines_ = 0;  ///< of the answer that is being received
  std::size_t recipient_ = 0;
  bool has_recipient_ = false;
  std::size_t sent_ = 0;
  std::string trouble_;
};

}  // namespace ha::mail
