#include "vrrpd/runtime/control.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tl/expected.hpp>
#include <utility>

#include "vrrpd/runtime/lock_file.hpp"
#include "vrrpd/settings/scalars.hpp"

namespace ha::vrrp {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Protocol = asio::local::stream_protocol;
using Json = nlohmann::ordered_json;

constexpr std::size_t kClientsMax = 16;
constexpr std::size_t kRequestMax = 64 * 1024;
constexpr int kBacklog = 128;
constexpr mode_t kSocketMode = 0660;
constexpr mode_t kDirectoryMode = 0755;

// ---- requests and answers ----

constexpr std::string_view kAccepted =
    R"(a request is one of {"command": "status"}, {"command": "explain", "instance": NAME} )"
    R"((the instance may be left out), {"command": "reload", "confirm": "60s"} )"
    R"((as may the time), {"command": "confirm"}, {"command": "drain"}, {"command": "undrain"}, )"
    R"({"command": "events", "after": "0"}, {"command": "capture", "after": "0"} )"
    R"((as may the number) and {"command": "sync", "team": NAME, "lag-ms": MILLISECONDS})";

/// Each command and the one text that it may have besides.
constexpr std::pair<std::string_view, std::string_view> kCommands[] = {
    {"status", ""},  {"explain", "instance"}, {"reload", "confirm"}, {"confirm", ""}, {"drain", ""},
    {"undrain", ""}, {"events", "after"},     {"capture", "after"},  {"sync", "team"}};

/// How long a reload may wait to be confirmed: long enough to log in again and look.
constexpr config::DurationRange kConfirmRange{std::chrono::seconds{1}, std::chrono::hours{1}};

/// A century; what is older cannot be told from it.
constexpr std::int64_t kLagMsMax = 100LL * 366 * 24 * 60 * 60 * 1000;

struct Request {
  std::string command;
  std::string argument;  ///< empty: none
  std::optional<std::chrono::milliseconds> lag;
};

/// One line of JSON; what is not UTF-8 is shown as a replacement character, since the configuration
/// may hold anything.
std::string to_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json refusal(std::string reason) { return {{"ok", false}, {"error", std::move(reason)}}; }

/// A stranger's text as part of a message, cut to what helps.
std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 40;
  return fmt::format("\"{}{}\"", text.substr(0, kShown), text.size() > kShown ? "…" : "");
}

tl::expected<Request, std::string> parse_request(std::string_view line) {
  // A request is flat. What lies deeper than its values is not kept, so nesting costs nothing.
  const auto flat = [](int depth, Json::parse_event_t, const Json&) { return depth <= 1; };
  const Json json = Json::parse(line, flat, false);
  if (!json.is_object()) return tl::unexpected{fmt::format("not a JSON object; {}", kAccepted)};

  Request request;
  std::string_view argument_key;
  for (const auto& [key, value] : json.items()) {
    if (key == "lag-ms") {
      const bool fits = value.is_number_unsigned() && value.get<std::uint64_t>() <= kLagMsMax;
      if (!fits) {
        return tl::unexpected{
            fmt::format("\"lag-ms\" is not a whole number in 0-{}; {}", kLagMsMax, kAccepted)};
      }
      request.lag = std::chrono::milliseconds{value.get<std::int64_t>()};
      continue;
    }
    const auto* const wanting =
        std::find_if(std::begin(kCommands), std::end(kCommands),
                     [&](const auto& entry) { return !key.empty() && entry.second == key; });
    const bool is_argument = wanting != std::end(kCommands);
    if (key != "command" && !is_argument) {
      return tl::unexpected{fmt::format("unknown key {}; {}", in_quotes(key), kAccepted)};
    }
    if (!value.is_string()) {
      return tl::unexpected{fmt::format("{} is not a string; {}", in_quotes(key), kAccepted)};
    }
    if (is_argument) argument_key = wanting->second;
    (is_argument ? request.argument : request.command) = value.get<std::string>();
  }
  const auto* const command =
      std::find_if(std::begin(kCommands), std::end(kCommands),
                   [&](const auto& entry) { return entry.first == request.command; });
  if (command == std::end(kCommands)) {
    return tl::unexpected{
        fmt::format("unknown command {}; {}", in_quotes(request.command), kAccepted)};
  }
  if (!argument_key.empty() && argument_key != command->second) {
    return tl::unexpected{
        fmt::format("{} takes no {}; {}", in_quotes(request.command), argument_key, kAccepted)};
  }
  const bool is_sync = request.command == "sync";
  if (request.lag && !is_sync) {
    return tl::unexpected{
        fmt::format("{} takes no lag-ms; {}", in_quotes(request.command), kAccepted)};
  }
  if (is_sync && (request.argument.empty() || !request.lag)) {
    return tl::unexpected{
        fmt::format("\"sync\" needs {}; {}", request.lag ? "team" : "lag-ms", kAccepted)};
  }
  return request;
}

std::string known_instances(const Status& status) {
  constexpr std::size_t kShown = 10;
  if (status.instances.empty()) return "there is none";
  std::string text = "there is";
  for (std::size_t i = 0; i < std::min(kShown, status.instances.size()); ++i) {
    text += (i == 0 ? " " : ", ") + status.instances[i].name;
  }
  if (status.instances.size() > kShown) {
    text += fmt::format(" and {} more", status.instances.size() - kShown);
  }
  return text;
}

Json explained(const Request& request, const Status& status) {
  const auto sentences = explain(status, request.argument);
  if (!sentences) {
    return refusal(
        fmt::format("no instance {}; {}", in_quotes(request.argument), known_instances(status)));
  }
  return {{"ok", true}, {"explain", *sentences}};
}

Json reloaded(const Request& request, const ControlHandlers& handlers) {
  std::optional<Duration> trial;
  // An empty time is none, as an empty instance is all of them.
  if (!request.argument.empty()) {
    const auto duration = config::parse_duration(request.argument, kConfirmRange);
    if (!duration) {
      return refusal(
          fmt::format("\"confirm\" {} {}", in_quotes(request.argument), duration.error()));
    }
    trial = *duration;
  }
  const ReloadOutcome outcome = handlers.reload(trial);
  Json json = outcome.done ? Json{{"ok", true}} : refusal(outcome.error);
  json["diagnostics"] = outcome.diagnostics;
  if (outcome.done && trial) {
    json["confirm-within-ms"] =
        std::chrono::duration_cast<std::chrono::milliseconds>(*trial).count();
  }
  return json;
}

/// `key` is what the list is called in the answer.
std::string extracted(const Request& request, std::string_view key,
                      const std::function<RingExtract(std::uint64_t)>& extract) {
  std::uint64_t after = 0;
  const char* const end = request.argument.data() + request.argument.size();
  if (!request.argument.empty()) {
    const auto [stop, error] = std::from_chars(request.argument.data(), end, after);
    if (error != std::errc{} || stop != end) {
      return to_line(refusal(
          fmt::format("\"after\" {} is not in 0-{}", in_quotes(request.argument), UINT64_MAX)));
    }
  }
  const RingExtract found = extract(after);
  return fmt::format(R"({{"ok":true,"last":{},"{}":{}}})", found.last, key, found.json);
}

// ---- the file ----

Result<void> make_directory(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0) return {};
  const std::string directory = path.substr(0, slash);
  if (mkdir(directory.c_str(), kDirectoryMode) == 0) {
    // Not left to the umask: the group has to get in.
    if (chmod(directory.c_str(), kDirectoryMode) == 0) return {};
  } else if (errno == EEXIST) {
    return {};
  }
  return failure(errno, "create " + directory);
}

/// Whether anybody listens on the socket file: 0 if so, else errno.
int try_to_connect(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API's own idiom
  const int result = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = result == 0 ? 0 : errno;
  close(fd);
  return error == EAGAIN ? 0 : error;  // EAGAIN: its queue is full, so there is one
}

/// Leaves nothing at `path`, unless somebody needs what is there.
Result<void> clear_place(const std::string& path) {
  const std::string context = "listen on " + path;
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    return failure(errno, context);
  }
  if (!S_ISSOCK(found.st_mode)) return failure(EEXIST, context + ", which is not a socket");
  switch (const int error = try_to_connect(path)) {
    case 0:
      return failure(EADDRINUSE, context + ", which another process serves");
    case ECONNREFUSED:
      if (unlink(path.c_str()) == 0 || errno == ENOENT) return {};
      return failure(errno, "remove the unused " + path);
    case ENOENT:
      return {};
    default:
      return failure(error, context);
  }
}

/// From /etc/group alone.
std::optional<gid_t> find_group(const std::string& name) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file{std::fopen("/etc/group", "re"), &std::fclose};
  if (!file || name.empty()) return std::nullopt;
  std::array<char, 64 * 1024> buffer{};
  group entry{};
  group* found = nullptr;
  while (fgetgrent_r(file.get(), &entry, buffer.data(), buffer.size(), &found) == 0) {
    if (name == found->gr_name) return found->gr_gid;
  }
  return std::nullopt;
}

}  // namespace

std::string answer(std::string_view line, const ControlHandlers& handlers) {
  const auto request = parse_request(line);
  if (!request) return to_line(refusal(request.error()));
  if (request->command == "explain") return to_line(explained(*request, handlers.status()));
  if (request->command == "reload") return to_line(reloaded(*request, handlers));
  if (request->command == "confirm") {
    return to_line(handlers.confirm() ? Json{{"ok", true}}
                                      : refusal("no reload waits for confirmation"));
  }
  if (request->command == "drain" || request->command == "undrain") {
    handlers.drain(request->command == "drain");
    return to_line({{"ok", true}});
  }
  if (request->command == "events") return extracted(*request, "events", handlers.events);
  if (request->command == "capture") return extracted(*request, "records", handlers.capture);
  if (request->command == "sync") {
    return to_line({{"ok", true}, {"tracked", handlers.sync(request->argument, *request->lag)}});
  }
  return fmt::format(R"({{"ok":true,"status":{}}})", to_json(handlers.status()));
}

// ---- the server ----

class ControlServer::Impl : public std::enable_shared_from_this<ControlServer::Impl> {
 public:
  Impl(asio::io_context& io, ControlHandlers handlers, std::chrono::milliseconds patience)
      : acceptor_{io}, retry_{io}, handlers_{std::move(handlers)}, patience_{patience} {}

  Result<void> lock(const std::string& path);
  Result<void> listen(const std::string& path, const std::string& group);
  void accept();
  void stop();
  [[nodiscard]] const std::string& warning() const { return warning_; }

 private:
  /// Reads a request, writes its answer, and so on, in turns. Closed means dropped: what completes
  /// afterwards is ignored.
  struct Client {
    explicit Client(Protocol::socket connected)
        : socket{std::move(connected)}, timer{socket.get_executor()} {}
    Protocol::socket socket;
    asio::steady_timer timer;
    std::string received;
    std::string answer;
    bool last = false;  ///< nothing is read after this answer
  };
  using ClientPtr = std::shared_ptr<Client>;

  void accepted(error_code error, Protocol::socket socket);
  void read(const ClientPtr& client);
  void received(const ClientPtr& client, error_code error, std::size_t size);
  void reply(const ClientPtr& client, std::string line);
  void replied(const ClientPtr& client, error_code error);
  void limit_time(const ClientPtr& client);
  void drop(const ClientPtr& client);
  void remove_file();

  Protocol::acceptor acceptor_;
  asio::steady_timer retry_;
  ControlHandlers handlers_;
  std::chrono::milliseconds patience_;
  std::set<ClientPtr> clients_;
  bool accepting_ = false;
  /// Held before the socket file is looked at, until after it is removed: two that start at once
  /// would both find nobody there.
  LockFile lock_;
  std::string path_;
  struct stat file_ {};  ///< the socket file as it was created
  std::string warning_;
};

Result<void> ControlServer::Impl::lock(const std::string& path) {
  auto taken = LockFile::take(path + ".lock");
  if (!taken) return tl::unexpected{taken.error()};
  lock_ = std::move(*taken);
  return {};
}

Result<void> ControlServer::Impl::listen(const std::string& path, const std::string& group) {
  const std::string context = "listen on " + path;
  error_code error;
  acceptor_.open(Protocol{}, error);
  if (!error) acceptor_.bind(Protocol::endpoint{path}, error);
  if (error) return failure(error.value(), context);
  path_ = path;
  // Nobody can connect before listen(), so what bind() created under the umask is in time to be
  // corrected.
  if (lstat(path.c_str(), &file_) != 0 || chmod(path.c_str(), kSocketMode) != 0) {
    return failure(errno, context);
  }
  const std::optional<gid_t> gid = find_group(group);
  if (gid && lchown(path.c_str(), static_cast<uid_t>(-1), *gid) != 0) {
    warning_ = failure(errno, fmt::format("give {} to group {}", path, group)).value().message();
  }
  // Asio opens descriptors that children would inherit.
  fcntl(acceptor_.native_handle(), F_SETFD, FD_CLOEXEC);
  acceptor_.listen(kBacklog, error);
  if (error) return failure(error.value(), context);
  return {};
}

void ControlServer::Impl::accept() {
  if (accepting_ || clients_.size() >= kClientsMax || !acceptor_.is_open()) return;
  accepting_ = true;
  acceptor_.async_accept([self = shared_from_this()](error_code error, Protocol::socket socket) {
    self->accepted(error, std::move(socket));
  });
}

void ControlServer::Impl::accepted(error_code error, Protocol::socket socket) {
  accepting_ = false;
  if (!acceptor_.is_open()) return;
  if (error) {
    // Out of descriptors or memory, and the connection stays in the queue: trying at once would
    // spin.
    retry_.expires_after(std::chrono::seconds{1});
    retry_.async_wait([self = shared_from_this()](error_code) { self->accept(); });
    return;
  }
  fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
  const auto client = std::make_shared<Client>(std::move(socket));
  clients_.insert(client);
  read(client);
  accept();
}

void ControlServer::Impl::read(const ClientPtr& client) {
  limit_time(client);
  asio::async_read_until(client->socket, asio::dynamic_buffer(client->received, kRequestMax + 1),
                         '\n',
                         [self = shared_from_this(), client](error_code error, std::size_t size) {
                           self->received(client, error, size);
                         });
}

void ControlServer::Impl::received(const ClientPtr& client, error_code error, std::size_t size) {
  if (!client->socket.is_open()) return;
  if (error == asio::error::not_found) {
    client->last = true;
    return reply(client,
                 to_line(refusal(fmt::format("a request has at most {} bytes", kRequestMax))));
  }
  if (error) return drop(client);
  const std::string line = client->received.substr(0, size - 1);
  client->received.erase(0, size);
  reply(client, answer(line, handlers_));
}

void ControlServer::Impl::reply(const ClientPtr& client, std::string line) {
  if (!client->socket.is_open()) return;  // a reload may have ended this server
  limit_time(client);
  client->answer = std::move(line);
  client->answer += '\n';
  asio::async_write(client->socket, asio::buffer(client->answer),
                    [self = shared_from_this(), client](error_code error, std::size_t) {
                      self->replied(client, error);
                    });
}

void ControlServer::Impl::replied(const ClientPtr& client, error_code error) {
  if (!client->socket.is_open()) return;
  if (error || client->last) return drop(client);
  client->answer = {};
  read(client);
}

void ControlServer::Impl::limit_time(const ClientPtr& client) {
  client->timer.expires_after(patience_);
  client->timer.async_wait([self = shared_from_this(), client](error_code error) {
    // A timer that was set again may have fired just before.
    if (!error && client->timer.expiry() <= std::chrono::steady_clock::now()) self->drop(client);
  });
}

void ControlServer::Impl::drop(const ClientPtr& client) {
  error_code ignored;
  client->socket.close(ignored);
  client->timer.cancel();
  clients_.erase(client);
  accept();
}

void ControlServer::Impl::stop() {
  error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
  for (const std::set<ClientPtr> all = clients_; const ClientPtr& client : all) drop(client);
  remove_file();
  lock_ = {};
}

void ControlServer::Impl::remove_file() {
  // Somebody may have put another socket in its place.
  struct stat found {};
  const bool ours = !path_.empty() && lstat(path_.c_str(), &found) == 0 &&
                    found.st_dev == file_.st_dev && found.st_ino == file_.st_ino;
  if (ours) unlink(path_.c_str());
}

Result<std::unique_ptr<ControlServer>> ControlServer::open(asio::io_context& io,
                                                           const std::string& path,
                                                           const std::string& group,
                                                           ControlHandlers handlers,
                                                           std::chrono::milliseconds patience) {
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
    return failure(path.empty() ? ENOENT : ENAMETOOLONG, "listen on " + path);
  }
  auto impl = std::make_shared<Impl>(io, std::move(handlers), patience);
  // Owned from here on, so that whatever a failure leaves behind is removed.
  std::unique_ptr<ControlServer> server{new ControlServer{impl}};
  const Result<void> ready = make_directory(path)
                                 .and_then([&] { return impl->lock(path); })
                                 .and_then([&] { return clear_place(path); })
                                 .and_then([&] { return impl->listen(path, group); });
  if (!ready) return tl::unexpected{ready.error()};
  impl->accept();
  return server;
}

ControlServer::ControlServer(std::shared_ptr<Impl> impl) : impl_{std::move(impl)} {}

ControlServer::~ControlServer() { impl_->stop(); }

const std::string& ControlServer::warning() const { return impl_->warning(); }

}  // namespace ha::vrrp
