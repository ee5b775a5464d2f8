#include "vrrpd/runtime/outbox.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "vrrpd/wire/announce.hpp"

namespace ha::vrrp {

Outbox::Outbox(boost::asio::io_context& io, Kernel& kernel, FrameSocket& frames, Recorder& recorder,
               Log& log, std::function<void()> due)
    : kernel_{kernel},
      frames_{frames},
      recorder_{recorder},
      log_{log},
      spaced_due_{io},
      due_{std::move(due)} {}

void Outbox::advertise(Segment& segment, const IpAddress& source, const IpAddress& destination,
                       std::span<const std::uint8_t> message) {
  segment.queue(source, destination, message);
  recorder_.sent({segment.interface(), segment.name()}, source, destination, message);
  if (std::find(segments_.begin(), segments_.end(), &segment) == segments_.end()) {
    segments_.push_back(&segment);
  }
}

void Outbox::add_addresses(std::span<const AddressRequest> requests) { queue(true, requests); }

void Outbox::remove_addresses(std::span<const AddressRequest> requests) {
  if (keeps_addresses_) return;
  queue(false, requests);
  for (const AddressRequest& request : requests) {
    const auto is_of_it = [&](const Announcement& announcement) {
      return announcement.interface == request.interface &&
             announcement.address == request.prefix.address;
    };
    std::erase_if(announcements_, is_of_it);
    const auto spaced = spaced_.find(request.interface);
    if (spaced != spaced_.end()) std::erase_if(spaced->second.waiting, is_of_it);
  }
}

void Outbox::queue(bool add, std::span<const AddressRequest> requests) {
  if (requests.empty()) return;
  if (changes_.empty() || changes_.back().add != add) changes_.push_back({add, {}});
  std::vector<AddressRequest>& run = changes_.back().requests;
  run.insert(run.end(), requests.begin(), requests.end());
}

void Outbox::add_routing(const std::vector<Routing>& routing) {
  routing_added_.insert(routing_added_.end(), routing.begin(), routing.end());
}

void Outbox::remove_routing(const std::vector<Routing>& routing) {
  if (keeps_addresses_) return;
  for (const Routing& one : routing) {
    std::erase(routing_added_, one);
    routing_removed_.push_back(one);
  }
}

void Outbox::announce(const Announcement& announcement) {
  if (announcement.spacing == Duration::zero()) {
    announcements_.push_back(announcement);
    return;
  }
  auto& waiting = spaced_[announcement.interface].waiting;
  const bool is_waiting = std::any_of(waiting.begin(), waiting.end(), [&](const auto& other) {
    return other.address == announcement.address;
  });
  if (!is_waiting) waiting.push_back(announcement);
}

void Outbox::flush() {
  flush_adverts();
  flush_routing(routing_removed_, false);
  flush_addresses();
  flush_routing(routing_added_, true);
  flush_announcements();
}

void Outbox::flush_adverts() {
  for (Segment* segment : segments_) report("advertisements", segment->flush());
  segments_.clear();
}

void Outbox::withdraw_undone_removals() {
  using Key = std::tuple<IfIndex, Prefix, std::string, bool>;
  const auto key_of = [](const AddressRequest& request) {
    return Key{request.interface, request.prefix, request.label, request.noprefixroute};
  };
  std::set<Key> added_later;
  for (auto run = changes_.rbegin(); run != changes_.rend(); ++run) {
    if (run->add) {
      for (const AddressRequest& request : run->requests) added_later.insert(key_of(request));
    } else {
      std::erase_if(run->requests, [&](const AddressRequest& request) {
        return added_later.contains(key_of(request));
      });
    }
  }
}

void Outbox::flush_addresses() {
  if (changes_.size() > 1) withdraw_undone_removals();
  // What a fail-over takes is given back: there may not be another one for a year.
  for (const Run& run : std::exchange(changes_, {})) change_addresses(run.requests, run.add);
}

void Outbox::change_addresses(std::span<const AddressRequest> requests, bool add) {
  const auto result = add ? kernel_.add_addresses(requests) : kernel_.remove_addresses(requests);
  if (!result) log_.error("{}", result.error().message());
}

void Outbox::flush_routing(std::vector<Routing>& queued, bool add) {
  if (queued.empty()) return;
  const auto result = add ? kernel_.add_routing(queued) : kernel_.remove_routing(queued);
  if (!result) log_.error("{}", result.error().message());
  queued.clear();
}

void Outbox::flush_announcements() {
  send(std::exchange(announcements_, {}));
  send_spaced();
}

void Outbox::send_spaced() {
  const TimePoint now = std::chrono::steady_clock::now();
  std::vector<Announcement> due;
  std::optional<TimePoint> next;
  for (auto& [interface, spaced] : spaced_) {
    if (!spaced.waiting.empty() && now >= spaced.free_at) {
      spaced.free_at = now + spaced.waiting.front().spacing;
      due.push_back(std::move(spaced.waiting.front()));
      spaced.waiting.pop_front();
    }
    if (!spaced.waiting.empty()) next = std::min(next.value_or(spaced.free_at), spaced.free_at);
  }
  send(due);
  if (!next) return;
  spaced_due_.expires_at(*next);
  spaced_due_.async_wait([this](const boost::system::error_code& error) {
    if (!error) due_();
  });
}

void Outbox::send(const std::vector<Announcement>& announcements) {
  if (announcements.empty()) return;
  std::deque<ArpFrame> arp;  // references stay valid while it grows
  std::deque<NeighborFrame> neighbor;
  std::vector<FrameSocket::Frame> frames;
  for (const Announcement& announcement : announcements) {
    if (announcement.address.is_v6()) {
      frames.push_back({announcement.interface, neighbor.emplace_back(unsolicited_advertisement(
                                                    announcement.mac, announcement.address))});
      continue;
    }
    for (const auto& [form, operation] : {std::pair{ArpForm::kRequest, ArpOperation::kRequest},
                                          std::pair{ArpForm::kReply, ArpOperation::kReply}}) {
      if (announcement.form != form && announcement.form != ArpForm::kBoth) continue;
      frames.push_back(
          {announcement.interface,
           arp.emplace_back(gratuitous_arp(announcement.mac, announcement.address, operation))});
    }
  }
  for (const FrameSocket::Frame& frame : frames) {
    recorder_.sent_frame({frame.interface, name_of(frame.interface)}, frame.bytes);
  }
  report("announcements", frames_.send(frames));
}

std::string_view Outbox::name_of(IfIndex interface) const {
  for (const Link& link : kernel_.links()) {
    if (link.index == interface) return link.name;
  }
  return {};
}

void Outbox::report(const char* what, const VrrpSocket::Sent& sent) {
  if (sent.failed > 0) {
    recorder_.failed(fmt::format("{} {}: {}", sent.failed, what, sent.first_error.message()));
  }
  if (sent.failed == 0 || !send_errors_.admit(std::chrono::steady_clock::now())) return;
  log_.warning("{} {} could not be sent: {}{}", sent.failed, what, sent.first_error.message(),
               send_errors_.suffix());
}

}  // namespace ha::vrrp
