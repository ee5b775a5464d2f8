#include "vrrpd/runtime/router_driver.hpp"

#include <algorithm>
#include <utility>

#include "vrrpd/engine/track.hpp"
#include "vrrpd/runtime/advertisement.hpp"
#include "vrrpd/runtime/mismatch.hpp"
#include "vrrpd/runtime/tracks.hpp"

namespace ha::vrrp {
namespace {

ChecksumForm initial_form(ChecksumPolicy policy) {
  return policy == ChecksumPolicy::kMessageOnly ? ChecksumForm::kMessageOnly
                                                : ChecksumForm::kPseudoHeader;
}

}  // namespace

RouterDriver::RouterDriver(InstanceConfig config, const RouterServices& services,
                           RouterRecord& record)
    : config_{std::move(config)},
      services_{services},
      form_{initial_form(config_.checksum)},
      record_{&record},
      predecessor_advertised_at_{record.predecessor()},
      effective_{config_.router.priority},
      since_{std::chrono::system_clock::now()} {
  // Left behind by a predecessor that did not end in an orderly way.
  if (!predecessor_advertised_at_) services_.outbox.remove_routing(routing(config_));
}

RouterDriver::~RouterDriver() {
  services_.scheduler.set(this, scheduled_, std::nullopt);
  std::erase(services_.untold, this);
  leave_segment();
}

void RouterDriver::forget_derived() {
  policy_ = {};
  encoded_.clear();
}

const ReceivePolicy& RouterDriver::policy() {
  if (policy_) return *policy_;
  ReceivePolicy policy;
  policy.version = config_.router.version;
  policy.vrid = config_.vrid;
  policy.minimum_ttl = config_.minimum_ttl;
  policy.advertisement_interval = config_.router.advertisement_interval;
  policy.local_address = source_;
  policy.multicast_group = config_.multicast_group;
  policy.unicast_peers = config_.unicast_peers;
  if (config_.password) policy.password = make_password(*config_.password);
  policy.addresses = advertised_addresses(config_);
  std::sort(policy.addresses.begin(), policy.addresses.end());
  policy_ = std::move(policy);
  return *policy_;
}

void RouterDriver::move_to(RouterRecord& record) {
  if (is_master()) {
    note_mastery(record);
    record.advertised(record_->predecessor().value_or(TimePoint{}));
  }
  record.owe_news(record_->owes_news());
  record.owe_group_news(record_->owes_group_news());
  record_ = &record;
}

// ---- what happens around it ----

void RouterDriver::start(const Surroundings& surroundings, TimePoint now) {
  if (segment_ != surroundings.segment) {
    leave_segment();
    segment_ = surroundings.segment;
    segment_->attach(config_.vrid, this);
  }
  const bool rerouted = outgoing_ != surroundings.outgoing;
  if (rerouted) {
    leave_outgoing();
    outgoing_ = surroundings.outgoing;
    outgoing_->attach(config_.vrid, this);
  }
  const bool moved = source_ != surroundings.source;
  if (moved) {
    source_ = surroundings.source;
    forget_derived();
  }
  if (std::holds_alternative<Initialize>(state_) || std::holds_alternative<Fault>(state_)) {
    feed(Started{effective_, source_, predecessor_advertised_at_, surroundings.not_before}, now);
  } else if (moved) {
    feed(AddressChanged{source_}, now);
  }
  if (is_master() && (moved || rerouted)) note_mastery(*record_);
  const bool link_returned = carrier_losses_ != surroundings.carrier_losses;
  carrier_losses_ = surroundings.carrier_losses;
  if (link_returned) feed(AnnouncementDue{}, now);
}

void RouterDriver::fault(Faulted::Cause cause, std::string_view reason, TimePoint now) {
  tell(now);
  const bool news = fault_reason_ != reason;
  fault_reason_ = reason;
  if (std::holds_alternative<Fault>(state_)) {
    if (news) services_.log.warning("({}) waiting: {}", config_.name, reason);
    return;
  }
  feed(Faulted{cause}, now);
}

void RouterDriver::leave_segment() {
  leave_outgoing();
  outgoing_ = nullptr;
  if (segment_ != nullptr) segment_->detach(config_.vrid);
  segment_ = nullptr;
}

void RouterDriver::leave_outgoing() {
  if (outgoing_ != nullptr && outgoing_ != segment_) outgoing_->detach(config_.vrid);
  outgoing_ = segment_;
}

void RouterDriver::note_mastery(RouterRecord& record) const {
  record.master(outgoing_->interface(), source_, form_);
}

void RouterDriver::shut_down(TimePoint now) { feed(ShutDown{}, now); }

void RouterDriver::remove(TimePoint now) {
  is_removed_ = true;
  shut_down(now);
  tell(now);
}

void RouterDriver::reconfigure(InstanceConfig config, TimePoint now) {
  if (config == config_) return;
  if (config.name != config_.name) {
    services_.log.info("({}) is called {} from now on", config_.name, config.name);
  }
  const bool form_changed = config.checksum != config_.checksum;
  // The caller installs the addresses anew then.
  if (config.lease != config_.lease) acquired_at_ = now;
  change_routing(config);
  config_ = std::move(config);
  if (form_changed) form_ = initial_form(config_.checksum);
  forget_derived();
  std::erase_if(demotions_, [&](const Demotion& demotion) {
    return demotion.source != kDrainSource &&
           std::none_of(config_.tracks.begin(), config_.tracks.end(),
                        [&](const Track& track) { return source_of(track) == demotion.source; });
  });
  handle(Reconfigured{}, now);
  update_priority(now);
  judge_tracks();
}

bool RouterDriver::set_demotion(Demotion demotion, TimePoint now) {
  const auto known = std::find_if(demotions_.begin(), demotions_.end(), [&](const Demotion& other) {
    return other.source == demotion.source;
  });
  const int before = known == demotions_.end() ? 0 : known->amount;
  const bool changed = before != demotion.amount;
  if (known == demotions_.end()) {
    demotions_.push_back(std::move(demotion));
  } else {
    *known = std::move(demotion);
  }
  update_priority(now);
  return changed;
}

const Demotion* RouterDriver::held_back_by() const {
  const Demotion* found = nullptr;
  for (const Demotion& demotion : demotions_) {
    if (!demotion.fault) continue;
    if (!demotion.pending) return &demotion;
    found = &demotion;
  }
  return found;
}

void RouterDriver::set_drain(const std::optional<Demotion>& drain, TimePoint now) {
  if (drain) {
    set_demotion(*drain, now);
    return;
  }
  std::erase_if(demotions_, [](const Demotion& other) { return other.source == kDrainSource; });
  update_priority(now);
}

Standing RouterDriver::standing() const {
  return {config_.name, name_of(state_), config_.router.priority, effective_,
          claims_on(demotions_, is_master())};
}

void RouterDriver::update_priority(TimePoint now) {
  const Priority effective =
      effective_priority(config_.router.priority, claims_on(demotions_, is_master()));
  if (effective == effective_) return;
  tell(now);
  services_.log.info("({}) Changing effective priority from {} to {}", config_.name,
                     effective_.value(), effective.value());
  const Priority before = std::exchange(effective_, effective);
  services_.events.note(
      "priority", standing(),
      fmt::format("priority {} instead of {}", effective.value(), before.value()));
  feed(PriorityChanged{effective}, now);
  notify(Notice::Kind::kPriority, now, "the effective priority changed");
}

void RouterDriver::judge_tracks() {
  if (!heard_ || !heard_->best) return;
  const std::string warning =
      powerless(config_, haproxy_maximum_, source_, *heard_->best).value_or("");
  if (warning == std::exchange(heard_->powerless, warning) || warning.empty()) return;
  services_.log.warning("({}) {}", config_.name, warning);
}

// ---- packets ----

void RouterDriver::receive(const Received& received, const IpAddress& source, Duration age,
                           TimePoint now) {
  const Advert& advert = received.advert;
  for (const std::string_view kind : alarm_kinds(received, config_, form_)) {
    alarm(kind, source, now, [&] { return values_of(kind, received, config_, form_); });
  }
  if (received.addresses_differ) {
    ++statistics_.errors[static_cast<std::size_t>(PacketError::kAddressList)];
  }
  if (received.foreign) return;

  ++statistics_.advertisement_rcvd;
  if (advert.priority == kPriorityRelease) ++statistics_.priority_zero_pkts_rcvd;
  if (!heard_) heard_ = Heard{};
  heard_->source = source;
  heard_->priority = advert.priority;
  heard_->at = now;
  if (received.interval_differs) {
    ++statistics_.errors[static_cast<std::size_t>(PacketError::kInterval)];
  }
  if (received.form != form_ && advert.version == Version::k3 && source.is_v4() &&
      config_.checksum == ChecksumPolicy::kAuto) {
    form_ = received.form;
    record_->form(form_);
    encoded_.clear();
  }
  const State before = state_;
  // A backup's timer runs from when the packet arrived, however busy this machine is. A master goes
  // by the present: it is about to speak, and may have been silent for too long by now.
  feed(AdvertReceived{source, advert.priority, advert.interval}, is_master() ? now : now - age);
  const Claim claim{source, advert.priority};
  log_advert(claim, before);
  const auto rank = [](const Claim& of) { return std::pair{of.priority, of.source}; };
  std::optional<Claim>& best = heard_->best;
  if (claim.priority != kPriorityRelease && (!best || rank(*best) < rank(claim))) {
    best = claim;
    judge_tracks();
  }
}

void RouterDriver::dropped(PacketError error, const Datagram& datagram, TimePoint now) {
  ++statistics_.errors[static_cast<std::size_t>(error)];
  note_mismatch(error, datagram, now);
}

void RouterDriver::note_mismatch(PacketError error, const Datagram& datagram, TimePoint now) {
  alarm(alarm_kind(error), datagram.source, now,
        [&] { return values_of(error, datagram, config_); });
}

template <class Values>
void RouterDriver::alarm(std::string_view kind, const IpAddress& peer, TimePoint now,
                         Values values) {
  const std::string name = peer.to_string();
  if (!alarms_) alarms_ = Alarms{};
  if (!alarms_->refresh(kind, name, now, alarm_lasting())) return;
  const BothValues both = values();
  const auto left_out = alarms_->raise(kind, name, both.ours, both.theirs, now);
  if (!left_out) return;
  const std::string what =
      both.ours.empty() ? fmt::format("from {}: {}", name, both.theirs)
                        : fmt::format("with {}: ours {}, theirs {}", name, both.ours, both.theirs);
  services_.log.warning(
      "({}) {} {}{}", config_.name, kind, what,
      *left_out == 0 ? std::string{} : fmt::format(" ({} more like this left out)", *left_out));
  services_.events.note("alarm", standing(), fmt::format("{} {}", kind, what));
}

Duration RouterDriver::alarm_lasting() const {
  // A mismatch shows with every advertisement of the peer; a few may be lost.
  const auto* backup = std::get_if<Backup>(&state_);
  const Duration interval =
      backup != nullptr ? backup->master_interval : config_.router.advertisement_interval;
  return std::max<Duration>(std::chrono::seconds{10}, 4 * interval);
}

// ---- the engine ----

void RouterDriver::feed(const Event& event, TimePoint now) {
  const bool was_master = is_master();
  if (was_master && lease_has_lapsed(now)) handle(AddressesLost{}, now);
  handle(event, now);
  // What counts for a standby only.
  if (was_master != is_master()) update_priority(now);
}

void RouterDriver::move(Move move, TimePoint now) {
  if (move == Move::kTakeOver) feed(TakeOver{}, now);
  if (move == Move::kStepAside) feed(StepAside{}, now);
}

void RouterDriver::handle(const Event& event, TimePoint now) {
  const auto advertised = statistics_.advertisement_sent;
  Step next = step(config_.router, state_, event, now);
  const bool takes_over = !is_master() && std::holds_alternative<Master>(next.next);
  if (!group_.empty() && takes_over && std::holds_alternative<DeadlineReached>(event)) {
    next = step(config_.router, state_, TakeOverDeferred{}, now);
  }
  const State before = std::exchange(state_, std::move(next.next));
  log_preempt_delay(before);
  for (const Action& action : next.actions) carry_out(action, now);
  if (is_master() && statistics_.advertisement_sent != advertised) {
    record_->advertised(now);
    renew_lease(now);
  }
  services_.scheduler.set(this, scheduled_, deadline(state_));
}

void RouterDriver::carry_out(const Action& action, TimePoint now) {
  struct {
    RouterDriver& self;
    TimePoint now;
    void operator()(const SendAdvert& send) const { self.send_advert(send.priority); }
    void operator()(const AcquireAddresses&) const {
      self.acquired_at_ = now;
      self.note_mastery(*self.record_);
      self.services_.outbox.add_addresses(self.managed());
      self.services_.outbox.add_routing(routing(self.config_));
    }
    void operator()(const ReleaseAddresses&) const {
      self.services_.log.debug("({}) removing VIPs.", self.config_.name);
      self.services_.outbox.remove_routing(routing(self.config_));
      self.services_.outbox.remove_addresses(self.held());
    }
    void operator()(const RestoreAddresses&) const { self.put_back(now); }
    void operator()(const Announce& round) const { self.announce(round.addresses); }
    void operator()(const Transitioned& transition) const {
      if (!self.is_master()) self.record_->clear();
      self.tell(now);
      self.untold_ = transition;
      self.services_.untold.push_back(&self);
    }
    void operator()(const LosingAdvertHeard& heard) const {
      self.tell(now);
      self.notify(Notice::Kind::kLowerPriority, now,
                  fmt::format("{} claims only priority {}", heard.claim.source.to_string(),
                              heard.claim.priority.value()));
      Throttle& throttle = self.heard_->losing_adverts;
      if (!throttle.admit(now)) return;
      self.services_.log.info(
          "({}) Received advert from {} with lower priority {}, ours {}{}{}", self.config_.name,
          heard.claim.source.to_string(), heard.claim.priority.value(), self.effective_.value(),
          self.config_.router.answers_lesser ? ", forcing new election" : "", throttle.suffix());
    }
    void operator()(const MasterChanged& changed) const {
      self.tell(now);
      self.log_master(changed.master);
    }
  } visitor{*this, now};
  std::visit(visitor, action);
}

void RouterDriver::encode_adverts(Priority priority) {
  const Advert advert = advertisement(config_, priority);
  encoded_.clear();
  for (const IpAddress& destination : destinations_of(config_)) {
    const auto message = encode(advert, source_, destination, form_);
    encoded_.insert(encoded_.end(), message.begin(), message.end());
  }
  encoded_priority_ = priority;
}

void RouterDriver::send_advert(Priority priority) {
  if (outgoing_ == nullptr) return;
  if (encoded_.empty() || encoded_priority_ != priority) encode_adverts(priority);
  const std::span<const IpAddress> destinations = destinations_of(config_);
  const std::size_t size = encoded_.size() / destinations.size();
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    services_.outbox.advertise(*outgoing_, source_, destinations[i],
                               std::span{encoded_}.subspan(i * size, size));
  }
  ++statistics_.advertisement_sent;
  if (priority != kPriorityRelease) return;
  ++statistics_.priority_zero_pkts_sent;
  services_.log.debug("({}) sent 0 priority", config_.name);
}

}  // namespace ha::vrrp
