#include "vrrpd/runtime/virtual_routers.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <set>
#include <utility>

#include "vrrpd/runtime/tracks.hpp"

namespace ha::vrrp {
namespace {

TimePoint now() { return std::chrono::steady_clock::now(); }

/// Kinds that RFC 8347 counts for the whole daemon even where the virtual router is known.
bool counted_globally(PacketError error) {
  return error == PacketError::kTtl || error == PacketError::kVersion ||
         error == PacketError::kChecksum || error == PacketError::kVrid;
}

bool is_link_local(const IpAddress& address) {
  return address.is_v6() && address.to_v6().is_link_local();
}

/// The first address by which an interface can be found, or nothing.
const VirtualAddress* first_routable(const InstanceConfig& config) {
  const auto first = std::find_if(
      config.addresses.begin(), config.addresses.end(),
      [](const VirtualAddress& address) { return !is_link_local(address.prefix.address); });
  return first == config.addresses.end() ? nullptr : &*first;
}

/// Whether `address` lies in the network of `prefix`.
bool contains(const Prefix& prefix, const IpAddress& address) {
  if (prefix.address.is_v4() != address.is_v4()) return false;
  const auto matches = [&prefix](const auto& a, const auto& b) {
    for (std::size_t bit = 0; bit < prefix.length; ++bit) {
      if (((a[bit / 8] ^ b[bit / 8]) & (0x80 >> (bit % 8))) != 0) return false;
    }
    return true;
  };
  return address.is_v4() ? matches(prefix.address.to_v4().to_bytes(), address.to_v4().to_bytes())
                         : matches(prefix.address.to_v6().to_bytes(), address.to_v6().to_bytes());
}

}  // namespace

VirtualRouters::VirtualRouters(boost::asio::io_context& io, Kernel& kernel, FrameSocket& frames,
                               Events& events, Recorder& recorder, Notifier& notifier, Log& log)
    : io_{io},
      kernel_{kernel},
      events_{events},
      recorder_{recorder},
      notifier_{notifier},
      log_{log},
      outbox_{io, kernel, frames, recorder, log, [this] { wake_due(); }},
      devices_{kernel, log},
      scheduler_{io, [this] { wake_due(); }} {
  kernel_.on_event([this](const KernelEvent& event) { handle(event); });
  notifier_.on_told(
      [this](Notice::Subject subject, const std::string& name) { news_is_told(subject, name); });
}

VirtualRouters::~VirtualRouters() { kernel_.on_event({}); }

// ---- turns of the event loop ----

void VirtualRouters::record(const Segment& segment, const IncomingPacket& packet,
                            const Datagram& datagram, const RouterDriver* router,
                            std::optional<PacketError> error) {
  const RecordedInterface interface { segment.interface(), segment.name() };
  const std::string_view name = router == nullptr ? std::string_view{} : router->config().name;
  if (segment.family() == Family::kIpv4) {
    recorder_.received(interface, packet.bytes, name, error);
  } else {
    recorder_.received(interface, datagram, name, error);
  }
}

void VirtualRouters::receive(const Segment& segment, const IncomingPacket& packet,
                             const Datagram* datagram, RouterDriver* router) {
  log_.hold();
  if (datagram == nullptr) {
    recorder_.unreadable({segment.interface(), segment.name()}, packet.bytes);
    ++errors_[static_cast<std::size_t>(PacketError::kLength)];
    return;
  }
  auto received = vrrp::receive(*datagram, router == nullptr ? nullptr : &router->policy());
  // Before what it leads to.
  record(segment, packet, *datagram, router,
         received ? std::nullopt : std::optional{received.error()});
  if (received) {
    // One that has the addresses of another virtual router of ours is no stranger: somebody is
    // exchanging their VRIDs, and an address would get two owners by ignoring it.
    const auto& theirs = received->advert.addresses;
    received->foreign = received->foreign &&
                        std::none_of(theirs.begin(), theirs.end(),
                                     [&](const IpAddress& address) { return is_virtual(address); });
    router->receive(*received, datagram->source, packet.age, now());
    return;
  }
  const PacketError error = received.error();
  if (router == nullptr || counted_globally(error)) {
    ++errors_[static_cast<std::size_t>(error)];
    if (router != nullptr) router->note_mismatch(error, *datagram, now());
  } else {
    router->dropped(error, *datagram, now());
  }
}

void VirtualRouters::wake_due() {
  log_.hold();
  TimePoint at = now();
  // Whoever is about to take an address over, or stood still, first reads what came in meanwhile.
  std::set<Segment*> unread;
  scheduler_.for_each_due(at, [&](const RouterDriver* router, TimePoint due) {
    const bool late = at - due > router->config().router.advertisement_interval;
    if (router->segment() != nullptr && (late || !router->is_master())) {
      unread.insert(router->segment());
    }
  });
  for (Segment* segment : unread) segment->drain();
  at = now();
  while (RouterDriver* router = scheduler_.first_due(at)) router->wake(at);
  finish_turn();
}

void VirtualRouters::finish_turn() {
  // Whatever it was that made a router start or stop: one that the kernel passes nothing on to
  // would take itself for alone.
  for (const auto& [key, segment] : segments_) segment->listen();
  settle_groups(now());
  outbox_.flush();
  tell(now());
  scheduler_.arm();
  log_.release();
}

// ---- configuration ----

void VirtualRouters::index_addresses() {
  virtual_addresses_.clear();
  for (const auto& router : routers_) {
    for (const VirtualAddress& address : router->config().addresses) {
      virtual_addresses_[address.prefix.address] = router.get();
    }
  }
}

void VirtualRouters::remove_leftovers() {
  if (std::exchange(leftovers_removed_, true)) return;
  std::vector<AddressRequest> leftovers;
  for (const Address& address : kernel_.addresses()) {
    const auto owner = virtual_addresses_.find(address.prefix.address);
    if (owner != virtual_addresses_.end() && owner->second->is_master()) continue;
    // An owner's addresses may be the interface's own; only what carries our mark is ours to remove
    // then.
    const bool configured = owner != virtual_addresses_.end() &&
                            owner->second->config().router.priority != kPriorityOwner;
    const bool is_left = address.ours && (is_alone_ || owner != virtual_addresses_.end());
    if (is_left || configured) {
      leftovers.push_back({address.interface, address.prefix, {}, false, {}});
    }
  }
  if (leftovers.empty()) return;
  log_.warning("removing {} virtual addresses that a predecessor left behind", leftovers.size());
  outbox_.remove_addresses(leftovers);
  outbox_.flush();
}

void VirtualRouters::set_drain(const std::optional<Demotion>& drain) {
  log_.hold();
  drain_ = drain;
  for (const auto& router : routers_) router->set_drain(drain_, now());
  finish_turn();
}

void VirtualRouters::shut_down() {
  log_.hold();
  shut_down_ = true;
  for (const auto& router : routers_) router->shut_down(now());
  finish_turn();
  if (!keeps_addresses_) devices_.keep({}, false);
}

// ---- the kernel ----

void VirtualRouters::handle(const KernelEvent& event) {
  if (const auto* removed = std::get_if<AddressRemoved>(&event)) {
    addresses_lost_ |= is_virtual(removed->address.prefix.address);
  }
  if (const auto* added = std::get_if<AddressAdded>(&event)) {
    // Our own additions change nothing for anybody.
    if (is_virtual(added->address.prefix.address)) return;
  }
  if (std::holds_alternative<Resynchronised>(event)) {
    log_.warning("the kernel had more to tell than there was room for; everything was read anew");
    addresses_lost_ = true;
  }
  // A card that comes, or comes up, may be one that an address belongs on.
  addresses_lost_ |= std::holds_alternative<LinkChanged>(event);
  look_again_soon();
}

void VirtualRouters::look_again_soon() {
  // One look serves all notifications of a turn: with 500 addresses there are 500 of them.
  if (std::exchange(look_pending_, true)) return;
  boost::asio::post(io_, [this] { look_again(); });
}

void VirtualRouters::look_again() {
  look_pending_ = false;
  log_.hold();
  const TimePoint at = now();
  provide_own_devices();
  drop_segments_of_lost_links(at);
  evaluate_all(at);
  if (std::exchange(addresses_lost_, false)) restore_missing(at);
  close_unused_segments();
  if (surroundings_changed_) surroundings_changed_();
  finish_turn();
}

void VirtualRouters::drop_segments_of_lost_links(TimePoint at) {
  std::erase_if(segments_, [&](const auto& entry) {
    const auto& links = kernel_.links();
    const bool gone = std::none_of(links.begin(), links.end(), [&](const Link& link) {
      return link.index == entry.first.first;
    });
    if (!gone) return false;
    for (const auto& router : routers_) {
      if (router->segment() == entry.second.get()) {
        router->fault(Faulted::Cause::kInterfaceDown,
                      fmt::format("interface {} is gone", entry.second->name()), at);
        router->leave_segment();
      } else if (router->outgoing() == entry.second.get()) {
        // Its macvlan, which is there anew.
        router->leave_outgoing();
      }
    }
    outbox_.flush();
    count_overheard(*entry.second);
    return true;
  });
}

void VirtualRouters::close_unused_segments() {
  std::erase_if(segments_, [&](const auto& entry) {
    if (entry.second->in_use()) return false;
    outbox_.flush();
    count_overheard(*entry.second);
    return true;
  });
}

// RFC 8347: vrid-errors. The kernel has dropped these.
void VirtualRouters::count_overheard(Segment& segment) {
  errors_[static_cast<std::size_t>(PacketError::kVrid)] += segment.take_overheard();
}

const GlobalErrors& VirtualRouters::errors() {
  for (const auto& [key, segment] : segments_) count_overheard(*segment);
  return errors_;
}

const Link* VirtualRouters::interface_for(const InstanceConfig& config) const {
  const auto& links = kernel_.links();
  const auto find = [&links](auto matches) -> const Link* {
    const auto link = std::find_if(links.begin(), links.end(), matches);
    return link == links.end() ? nullptr : &*link;
  };
  if (!config.interface.empty()) {
    return find([&](const Link& link) { return link.name == config.interface; });
  }
  const VirtualAddress* const first = first_routable(config);
  if (first == nullptr) return nullptr;
  for (const Address& address : kernel_.addresses()) {
    if (is_virtual(address.prefix.address) || !contains(address.prefix, first->prefix.address)) {
      continue;
    }
    return find([&](const Link& link) { return link.index == address.interface; });
  }
  return nullptr;
}

std::optional<IpAddress> VirtualRouters::source_for(const InstanceConfig& config,
                                                    IfIndex interface) const {
  // An owner's virtual addresses are the interface's own, and then the only ones there may be.
  const bool owner = config.router.priority == kPriorityOwner;
  for (const Address& address : kernel_.addresses()) {
    const IpAddress& candidate = address.prefix.address;
    if (address.interface != interface || address.tentative ||
        family_of(candidate) != config.family()) {
      continue;
    }
    if (config.source_address) {
      if (candidate == *config.source_address) return candidate;
      continue;
    }
    if (address.ours || (!owner && is_virtual(candidate))) continue;
    // RFC 9568 section 5.1.2.1; unicast peers need not be on the link.
    if (candidate.is_v6() && config.unicast_peers.empty() != is_link_local(candidate)) continue;
    return candidate;
  }
  return std::nullopt;
}

Result<Segment*> VirtualRouters::segment_on(const Link& link, Family family) {
  auto& segment = segments_[{link.index, family}];
  if (segment == nullptr) {
    auto opened = Segment::open(
        io_, link.index, link.name, family,
        [this](const Segment& where, const IncomingPacket& packet, const Datagram* datagram,
               RouterDriver* router) { receive(where, packet, datagram, router); },
        [this] { finish_turn(); });
    if (!opened) {
      segments_.erase({link.index, family});
      return tl::unexpected{opened.error()};
    }
    segment = std::move(*opened);
  }
  return segment.get();
}

Result<Segment*> VirtualRouters::segment_for(const InstanceConfig& config, const Link& link) {
  const auto segment = segment_on(link, config.family());
  if (!segment) return segment;
  // In unicast mode, too: a peer that is configured for multicast is to be noticed. There it is
  // not worth a fault.
  if (auto joined = (*segment)->join(config.multicast_group);
      !joined && config.unicast_peers.empty()) {
    return tl::unexpected{joined.error()};
  }
  return segment;
}

bool VirtualRouters::link_is_up(const std::string& interface) const {
  const auto& links = kernel_.links();
  return std::any_of(links.begin(), links.end(), [&](const Link& link) {
    return link.name == interface && link.up && link.running;
  });
}

void VirtualRouters::evaluate_all(TimePoint at) {
  // The loop goes on for as long as notify commands run, and so does the news of the kernel.
  if (shut_down_) return;
  std::map<RouterDriver*, Readiness> all;
  for (const auto& router : routers_) all[router.get()] = readiness_of(*router, at);
  for (const Group& group : groups_) {
    const auto lame = std::find_if(group.members.begin(), group.members.end(), [&](auto* member) {
      return !all[member].surroundings.has_value();
    });
    if (lame == group.members.end()) continue;
    for (RouterDriver* member : group.members) {
      if (!all[member].surroundings) continue;
      all[member] = {{},
                     Faulted::Cause::kHeldBack,
                     fmt::format("{} of its group {} waits: {}", (*lame)->config().name,
                                 group.config.name, all[*lame].reason),
                     all[*lame].pending};
    }
  }
  for (const auto& router : routers_) {
    const Readiness& readiness = all[router.get()];
    if (readiness.surroundings) {
      router->start(*readiness.surroundings, at);
    } else if (!readiness.pending || router->has_started()) {
      router->fault(readiness.cause, readiness.reason, at);
    } else {
      router->wait();
    }
  }
}

VirtualRouters::Readiness VirtualRouters::readiness_of(RouterDriver& router, TimePoint at) {
  using Cause = Faulted::Cause;
  const InstanceConfig& config = router.config();
  for (const Track& track : config.tracks) {
    const auto* tracked = std::get_if<TrackInterface>(&track);
    if (tracked == nullptr) continue;
    const bool up = link_is_up(tracked->interface);
    const Health health{up ? Health::Verdict::kHealthy : Health::Verdict::kUnhealthy, 0,
                        up ? "up" : "down or missing"};
    router.set_demotion(demotion_of(source_of(track), tracked->effect, health), at);
  }

  const Link* link = interface_for(config);
  if (link == nullptr) {
    return {{},
            Cause::kInterfaceDown,
            config.interface.empty() ? "no interface has a network that holds the first address"
                                     : fmt::format("there is no interface {}", config.interface)};
  }
  router.set_interface(link->name);
  if (config.watches_link && (!link->up || !link->running)) {
    return {{},
            Cause::kInterfaceDown,
            fmt::format("interface {} {}", link->name, link->up ? "has no carrier" : "is down")};
  }
  const auto source = source_for(config, link->index);
  if (!source) {
    return {{},
            Cause::kNoPrimaryIpAddress,
            fmt::format("interface {} has no {} to send from", link->name,
                        config.source_address              ? config.source_address->to_string()
                        : config.family() == Family::kIpv4 ? "IPv4 address"
                                                           : "IPv6 address")};
  }
  const auto segment = segment_for(config, *link);
  if (!segment) return {{}, Cause::kInterfaceDown, segment.error().message()};
  const auto outgoing = outgoing_for(config, *segment);
  if (!outgoing) return {{}, Cause::kInterfaceDown, outgoing.error().message()};
  if (const Demotion* claim = router.held_back_by()) {
    return {
        {}, Cause::kHeldBack, fmt::format("{}: {}", claim->source, claim->reason), claim->pending};
  }
  return {Surroundings{*segment, *outgoing, *source, link->carrier_losses, held_until_}, {}, {}};
}

void VirtualRouters::restore_missing(TimePoint at) {
  // What is being added, or was a moment ago, is not missing though we have not been told yet.
  outbox_.flush();
  kernel_.catch_up();
  std::set<std::pair<IfIndex, Prefix>, decltype([](const auto& a, const auto& b) {
             return a.first != b.first ? a.first < b.first : a.second < b.second;
           })>
      present;
  for (const Address& address : kernel_.addresses()) {
    present.emplace(address.interface, address.prefix);
  }
  const auto is_up = [this](IfIndex index) {
    const auto& links = kernel_.links();
    return std::any_of(links.begin(), links.end(),
                       [&](const Link& link) { return link.index == index && link.up; });
  };
  for (const auto& router : routers_) {
    if (!router->is_master()) continue;
    std::vector<AddressRequest> missing = router->requests();
    std::erase_if(missing, [&](const AddressRequest& request) {
      // The kernel itself takes IPv6 addresses from an interface that goes down.
      return present.contains({request.interface, request.prefix}) || !is_up(request.interface);
    });
    if (!missing.empty()) router->restore(missing, at);
  }
}

LocalAddresses VirtualRouters::local_addresses() const {
  LocalAddresses local;
  for (const Address& address : kernel_.addresses()) {
    if (!address.ours && !is_virtual(address.prefix.address)) {
      local.addresses.push_back(address.prefix.address);
    }
  }
  return local;
}

std::vector<std::string> VirtualRouters::waiting() const {
  std::vector<std::string> sentences;
  for (const auto& router : routers_) {
    if (router->fault_reason().empty()) continue;
    sentences.push_back(
        fmt::format("instance {} waits: {}", router->config().name, router->fault_reason()));
  }
  return sentences;
}

std::vector<RouterStatus> VirtualRouters::status() const {
  std::vector<RouterStatus> status;
  const TimePoint at = now();
  for (const auto& router : routers_) status.push_back(router->status(at));
  return status;
}

}  // namespace ha::vrrp
