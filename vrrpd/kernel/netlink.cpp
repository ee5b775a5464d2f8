#include "vrrpd/kernel/netlink.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "ha/check.hpp"
#include "vrrpd/kernel/descriptor.hpp"
#include "vrrpd/kernel/macvlan.hpp"
#include "vrrpd/kernel/picture.hpp"
#include "vrrpd/kernel/read_watch.hpp"
#include "vrrpd/kernel/rtnetlink.hpp"

namespace ha::vrrp {
namespace {

/// Requests in one system call. Their answers, if all are refused, must fit the socket's queue.
constexpr std::size_t kBatchMax = 128;
/// Queues: the answers to a batch; and the notifications of some thousand changes.
constexpr int kQueueSizeBytes = 1 << 20;
/// Notifications handled in one turn of the loop: more than the 500 addresses of one takeover, a
/// few milliseconds.
constexpr int kNotificationsPerTurnMax = 1024;
/// More than the notification queue can hold.
constexpr int kNotificationsQueuedMax = 1 << 15;
/// A dump that was disturbed by a change is taken again so often.
constexpr int kDumpAttemptsMax = 8;
/// The kernel keeps a part of a dump and a notification well below it.
constexpr std::size_t kDatagramSizeBytesMax = 16384;

struct SocketDeleter {
  void operator()(nl_sock* socket) const { nl_socket_free(socket); }
};
using Socket = std::unique_ptr<nl_sock, SocketDeleter>;

struct alignas(nlmsghdr) Datagram {
  std::array<std::uint8_t, kDatagramSizeBytesMax> bytes;
};

Result<Socket> open_socket() {
  Socket socket{nl_socket_alloc()};
  if (!socket) return failure(ENOMEM, "open a netlink socket");
  if (const int code = nl_connect(socket.get(), NETLINK_ROUTE); code < 0) {
    const int reason = errno;
    return failure(reason, fmt::format("open a netlink socket ({})", nl_geterror(code)));
  }
  nl_socket_set_nonblocking(socket.get());
  enlarge_receive_queue(nl_socket_get_fd(socket.get()), kQueueSizeBytes);
  return socket;
}

enum class Received : std::uint8_t { kMessages, kNothing, kLost, kFailed };

struct Reading {
  Received what;
  int size = 0;
};

/// Reads one datagram of the kernel's without waiting; kFailed leaves errno set.
Reading receive(nl_sock* socket, Datagram& datagram) {
  sockaddr_nl sender{};
  iovec part{datagram.bytes.data(), datagram.bytes.size()};
  msghdr header{};
  header.msg_name = &sender;
  header.msg_namelen = sizeof sender;
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  ssize_t size = 0;
  do {
    size = ::recvmsg(nl_socket_get_fd(socket), &header, MSG_DONTWAIT);
  } while (size < 0 && errno == EINTR);
  if (size < 0) {
    if (errno == EAGAIN) return {Received::kNothing};
    return {errno == ENOBUFS ? Received::kLost : Received::kFailed};
  }
  if ((header.msg_flags & MSG_TRUNC) != 0) return {Received::kLost};
  // Port 0 is the kernel; what a process sends here is read and ignored.
  return {Received::kMessages, sender.nl_pid == 0 ? static_cast<int>(size) : 0};
}

template <class Visit>
void for_each_message(Datagram& datagram, int size, Visit visit) {
  auto* message = reinterpret_cast<nlmsghdr*>(datagram.bytes.data());
  for (; nlmsg_ok(message, size); message = nlmsg_next(message, &size)) visit(*message);
}

/// The error number that an NLMSG_ERROR or NLMSG_DONE carries as its first four bytes; 0 is
/// success.
int error_number_of(nlmsghdr& message) {
  if (!nlmsg_valid_hdr(&message, sizeof(int))) return 0;
  return -*static_cast<const int*>(nlmsg_data(&message));
}

/// Whether `error_number` says that there was nothing to do.
bool is_done_already(Change change, int error_number) {
  if (change == Change::kAdd) return error_number == EEXIST;
  return error_number == EADDRNOTAVAIL || error_number == ENODEV || error_number == ESRCH ||
         error_number == ENOENT;
}

/// For messages: what it is about.
std::string name_of(const Routing& routing) {
  const auto text_of = [](const std::optional<Prefix>& prefix, const char* otherwise) {
    return prefix ? to_string(*prefix) : std::string{otherwise};
  };
  if (const auto* const route = std::get_if<Route>(&routing)) {
    return fmt::format("{} of table {}", text_of(route->destination, "default"), route->table);
  }
  const auto& rule = std::get<Rule>(routing);
  return fmt::format("from {} to {}", text_of(rule.from, "all"), text_of(rule.to, "all"));
}

}  // namespace

struct Netlink::Sockets {
  Sockets(boost::asio::io_context& io, Socket request_socket, Socket notification_socket)
      : requests{std::move(request_socket)},
        notifications{std::move(notification_socket)},
        watch{io, [this] { read_notifications(); }} {}
  ~Sockets() { HA_CHECK(!handling); }
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;

  Result<void> change_addresses(Change change, std::span<const AddressRequest> addresses);
  Result<void> change_batch(Change change, std::span<const AddressRequest> addresses);
  Result<void> read_answers(Change change, std::span<const AddressRequest> addresses,
                            std::uint32_t first);
  [[nodiscard]] Error refusal(Change change, const AddressRequest& request, int error_number) const;
  Result<void> change_routing(Change change, std::span<const Routing> routing);
  /// The error number, 0 for success.
  Result<int> change_one(Change change, const Routing& routing);
  /// The same for a request of this number.
  Result<int> ask(std::span<const std::uint8_t> request, std::uint32_t number, const char* context);
  /// One after the other, until one is refused.
  Result<void> change_links(std::span<const LinkRequest> all, std::uint32_t first,
                            const std::string& context);

  /// Reads the whole picture anew.
  Result<void> read_picture();
  /// Adds the answer to one dump to `fresh`. Returns whether nothing changed meanwhile.
  Result<bool> dump(const std::vector<std::uint8_t>& request, std::uint32_t number, Picture& fresh);

  /// Reads up to a turn's worth; returns whether there may be more.
  bool read_notifications();
  void resynchronise();
  void emit(const KernelEvent& event);

  Socket requests;
  Socket notifications;
  std::uint32_t sequence = 0;
  Picture picture;
  std::function<void(const KernelEvent&)> handler;
  bool handling = false;
  /// Notifications were lost and the picture could not be read again yet.
  bool stale = false;
  /// What notifications and dumps are read into. Answers are not: a handler that changes addresses
  /// must not overwrite the notification it was called for.
  Datagram datagram;
  ReadWatch watch;  ///< last: it goes before the socket it watches
};

// ---- requests ----

Result<void> Netlink::Sockets::change_addresses(Change change,
                                                std::span<const AddressRequest> addresses) {
  Result<void> result;
  while (!addresses.empty()) {
    const auto batch = addresses.first(std::min(addresses.size(), kBatchMax));
    addresses = addresses.subspan(batch.size());
    const Result<void> changed = change_batch(change, batch);
    if (result && !changed) result = changed;
  }
  return result;
}

Result<void> Netlink::Sockets::change_batch(Change change,
                                            std::span<const AddressRequest> addresses) {
  const std::uint32_t first = sequence + 1;
  std::vector<std::uint8_t> batch;
  for (const AddressRequest& request : addresses) {
    // The kernel answers a refusal in any case. That the others went well is known when the last
    // one was answered, which saves a fifth of the time of 500 additions.
    append_request(batch, change, request, ++sequence,
                   &request == &addresses.back() ? NLM_F_ACK : 0);
  }
  if (::send(nl_socket_get_fd(requests.get()), batch.data(), batch.size(), 0) < 0) {
    return failure(errno, "send address requests to the kernel");
  }
  return read_answers(change, addresses, first);
}

Result<void> Netlink::Sockets::read_answers(Change change,
                                            std::span<const AddressRequest> addresses,
                                            std::uint32_t first) {
  Result<void> result;
  Datagram answers;
  // rtnetlink works while the sender waits, so all answers are there, in order, and the last
  // request's ends them.
  for (bool answered_all = false; !answered_all;) {
    const Reading reading = receive(requests.get(), answers);
    if (reading.what != Received::kMessages) {
      const int reason = reading.what == Received::kFailed ? errno : ENOBUFS;
      return failure(reason, "read the kernel's answers to address requests");
    }
    for_each_message(answers, reading.size, [&](nlmsghdr& message) {
      // Answers that an earlier batch gave up on have numbers outside of this one.
      const std::uint32_t index = message.nlmsg_seq - first;
      if (message.nlmsg_type != NLMSG_ERROR || index >= addresses.size()) return;
      const int error_number = error_number_of(message);
      if (result && error_number != 0 && !is_done_already(change, error_number)) {
        result = tl::unexpected{refusal(change, addresses[index], error_number)};
      }
      answered_all |= index + 1 == addresses.size();
    });
  }
  return result;
}

Error Netlink::Sockets::refusal(Change change, const AddressRequest& request,
                                int error_number) const {
  const auto& links = picture.links();
  const auto link = std::find_if(links.begin(), links.end(),
                                 [&](const Link& l) { return l.index == request.interface; });
  return failure(error_number,
                 fmt::format("{} {} {} {}{}", change == Change::kAdd ? "add" : "remove",
                             to_string(request.prefix), change == Change::kAdd ? "to" : "from",
                             link == links.end()
                                 ? fmt::format("interface number {}", request.interface.value())
                                 : link->name,
                             error_number == EPERM ? " (needs CAP_NET_ADMIN)" : ""))
      .value();
}

Result<void> Netlink::Sockets::change_routing(Change change, std::span<const Routing> routing) {
  Result<void> result;
  for (const Routing& one : routing) {
    const Result<int> error_number = change_one(change, one);
    if (!error_number) return tl::unexpected{error_number.error()};
    if (*error_number == 0 || is_done_already(change, *error_number) || !result) continue;
    const bool is_route = std::holds_alternative<Route>(one);
    result =
        failure(*error_number, fmt::format("{} {} {}", change == Change::kAdd ? "add" : "remove",
                                           is_route ? "route" : "rule", name_of(one)));
  }
  return result;
}

Result<int> Netlink::Sockets::change_one(Change change, const Routing& routing) {
  std::optional<IfIndex> interface;
  const auto* const route = std::get_if<Route>(&routing);
  if (route != nullptr && !route->interface.empty()) {
    for (const Link& link : picture.links()) {
      if (link.name == route->interface) interface = link.index;
    }
    if (!interface) return ENODEV;
  }
  std::vector<std::uint8_t> request;
  const std::uint32_t number = ++sequence;
  append_request(request, change, routing, interface, number);
  return ask(request, number, "change routes and rules");
}

Result<int> Netlink::Sockets::ask(std::span<const std::uint8_t> request, std::uint32_t number,
                                  const char* context) {
  if (::send(nl_socket_get_fd(requests.get()), request.data(), request.size(), 0) < 0) {
    return failure(errno, context);
  }
  Datagram answers;
  for (;;) {
    const Reading reading = receive(requests.get(), answers);
    if (reading.what != Received::kMessages) {
      return failure(reading.what == Received::kFailed ? errno : ENOBUFS, context);
    }
    std::optional<int> error_number;
    for_each_message(answers, reading.size, [&](nlmsghdr& message) {
      if (message.nlmsg_seq != number || message.nlmsg_type != NLMSG_ERROR) return;
      error_number = error_number_of(message);
    });
    if (error_number) return *error_number;
  }
}

Result<void> Netlink::Sockets::change_links(std::span<const LinkRequest> all, std::uint32_t first,
                                            const std::string& context) {
  sequence = first + static_cast<std::uint32_t>(all.size()) - 1;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& [message, harmless] = all[i];
    const auto error_number =
        ask(message, first + static_cast<std::uint32_t>(i), "change interfaces");
    if (!error_number) return tl::unexpected{error_number.error()};
    const bool is_fine = *error_number == 0 || std::find(harmless.begin(), harmless.end(),
                                                         *error_number) != harmless.end();
    if (is_fine) continue;
    return failure(
        *error_number,
        fmt::format("{}{}", context, *error_number == EPERM ? " (needs CAP_NET_ADMIN)" : ""));
  }
  return {};
}

Result<void> Netlink::Sockets::read_picture() {
  for (int attempt = 1;; ++attempt) {
    Picture fresh;
    const std::uint32_t links_number = ++sequence;
    const auto links = dump(links_request(links_number), links_number, fresh);
    if (!links) return tl::unexpected{links.error()};
    const std::uint32_t addresses_number = ++sequence;
    const auto addresses = dump(addresses_request(addresses_number), addresses_number, fresh);
    if (!addresses) return tl::unexpected{addresses.error()};
    // Where changes never pause, the notifications behind a disturbed dump repair it.
    if ((*links && *addresses) || attempt == kDumpAttemptsMax) {
      picture = std::move(fresh);
      return {};
    }
  }
}

Result<bool> Netlink::Sockets::dump(const std::vector<std::uint8_t>& request, std::uint32_t number,
                                    Picture& fresh) {
  constexpr const char* kContext = "read interfaces and addresses from the kernel";
  if (::send(nl_socket_get_fd(requests.get()), request.data(), request.size(), 0) < 0) {
    return failure(errno, kContext);
  }
  bool undisturbed = true;
  int error_number = 0;
  for (bool done = false; !done;) {
    // The first part is there when send() returns, each further one when the one before has been
    // read.
    const Reading reading = receive(requests.get(), datagram);
    if (reading.what != Received::kMessages) {
      return failure(reading.what == Received::kFailed ? errno : ENOBUFS, kContext);
    }
    for_each_message(datagram, reading.size, [&](nlmsghdr& message) {
      if (message.nlmsg_seq != number) return;
      if ((message.nlmsg_flags & NLM_F_DUMP_INTR) != 0) undisturbed = false;
      if (message.nlmsg_type == NLMSG_DONE || message.nlmsg_type == NLMSG_ERROR) {
        error_number = error_number_of(message);
        done = true;
      } else if (const auto event = parse(message)) {
        fresh.apply(*event, {});
      }
    });
  }
  if (error_number != 0) return failure(error_number, kContext);
  return undisturbed;
}

// ---- notifications ----

bool Netlink::Sockets::read_notifications() {
  if (stale) {
    resynchronise();
    return false;
  }
  for (int i = 0; i < kNotificationsPerTurnMax; ++i) {
    const Reading reading = receive(notifications.get(), datagram);
    switch (reading.what) {
      case Received::kNothing:
      case Received::kFailed:  // The error is read off the socket with this; what is left is read
                               // in the next turn.
        return false;
      case Received::kLost:
        resynchronise();
        return false;
      case Received::kMessages:
        for_each_message(datagram, reading.size, [this](nlmsghdr& message) {
          const auto event = parse(message);
          if (event) picture.apply(*event, [this](const KernelEvent& change) { emit(change); });
        });
    }
  }
  return true;
}

void Netlink::Sockets::resynchronise() {
  stale = true;
  // What is still queued is older than what will be read now, and would undo it.
  for (int i = 0; i < kNotificationsQueuedMax; ++i) {
    if (receive(notifications.get(), datagram).what == Received::kNothing) break;
  }
  // The kernel is out of memory if this fails. The next notification tries again.
  if (!read_picture()) return;
  stale = false;
  emit(Resynchronised{});
}

void Netlink::Sockets::emit(const KernelEvent& event) {
  if (!handler) return;
  handling = true;
  handler(event);
  handling = false;
}

// ---- the port ----

Netlink::Netlink(std::unique_ptr<Sockets> sockets) : sockets_{std::move(sockets)} {}
Netlink::~Netlink() = default;

Result<std::unique_ptr<Netlink>> Netlink::open(boost::asio::io_context& io) {
  auto requests = open_socket();
  if (!requests) return tl::unexpected{requests.error()};
  auto notifications = open_socket();
  if (!notifications) return tl::unexpected{notifications.error()};
  // Before the picture is read: what changes meanwhile is reported behind it.
  if (const int code = nl_socket_add_memberships(notifications->get(), RTNLGRP_LINK,
                                                 RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, 0);
      code < 0) {
    const int reason = errno;
    return failure(reason, fmt::format("subscribe to network changes ({})", nl_geterror(code)));
  }
  const int descriptor = nl_socket_get_fd(notifications->get());
  auto sockets = std::make_unique<Sockets>(io, std::move(*requests), std::move(*notifications));
  if (auto read = sockets->read_picture(); !read) return tl::unexpected{read.error()};
  if (auto started = sockets->watch.start(descriptor); !started) {
    return tl::unexpected{started.error()};
  }
  return std::unique_ptr<Netlink>{new Netlink{std::move(sockets)}};
}

const std::vector<Link>& Netlink::links() const { return sockets_->picture.links(); }

const std::vector<Address>& Netlink::addresses() const { return sockets_->picture.addresses(); }

Result<void> Netlink::add_addresses(std::span<const AddressRequest> requests) {
  return sockets_->change_addresses(Change::kAdd, requests);
}

Result<void> Netlink::remove_addresses(std::span<const AddressRequest> requests) {
  return sockets_->change_addresses(Change::kRemove, requests);
}

Result<void> Netlink::add_routing(std::span<const Routing> routing) {
  return sockets_->change_routing(Change::kAdd, routing);
}

Result<void> Netlink::remove_routing(std::span<const Routing> routing) {
  return sockets_->change_routing(Change::kRemove, routing);
}

Result<void> Netlink::add_macvlan(const Macvlan& macvlan) {
  const std::uint32_t first = sockets_->sequence + 1;
  return sockets_->change_links(macvlan_requests(macvlan, first), first,
                                fmt::format("make the interface {}", macvlan.name));
}

Result<void> Netlink::remove_links(std::span<const IfIndex> links) {
  if (links.empty()) return {};
  const std::uint32_t first = sockets_->sequence + 1;
  return sockets_->change_links(removal_requests(links, first), first, "remove interfaces");
}

Result<void> Netlink::set_arp(IfIndex link, const ArpBehaviour& arp) {
  const std::uint32_t number = sockets_->sequence + 1;
  const LinkRequest request = arp_request(link, arp, number);
  return sockets_->change_links(
      {&request, 1}, number, fmt::format("set how interface number {} answers ARP", link.value()));
}

Result<void> Netlink::restrict_ipv6(const std::string& interface, bool uses_ipv6) {
  // There is no other way to these two than this file system.
  const std::string path = fmt::format("/proc/sys/net/ipv6/conf/{}/{}", interface,
                                       uses_ipv6 ? "accept_ra" : "disable_ipv6");
  const Descriptor file{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
  if (file.get() < 0 && errno == ENOENT) return {};
  const char* const value = uses_ipv6 ? "0" : "1";
  if (file.get() < 0 || ::write(file.get(), value, 1) != 1) return failure(errno, "write " + path);
  return {};
}

void Netlink::catch_up() {
  HA_CHECK(!sockets_->handling);
  // More than the queue holds are changes that go on being made.
  for (int i = 0; i < kNotificationsQueuedMax; i += kNotificationsPerTurnMax) {
    if (!sockets_->read_notifications()) return;
  }
}

void Netlink::on_event(std::function<void(const KernelEvent&)> handler) {
  sockets_->handler = std::move(handler);
}

}  // namespace ha::vrrp
