/// VirtualRouters: what goes beyond one instance. The decisions are those of engine/sync_group.
#include <algorithm>
#include <utility>

#include "vrrpd/runtime/virtual_routers.hpp"

namespace ha::vrrp {
namespace {

std::vector<Place> places_of(const std::vector<RouterDriver*>& members) {
  std::vector<Place> places;
  for (const RouterDriver* member : members) places.push_back(member->place());
  return places;
}

}  // namespace

void VirtualRouters::prepare(std::vector<GroupConfig> groups, int haproxy_maximum) {
  next_groups_ = std::move(groups);
  haproxy_maximum_ = haproxy_maximum;
}

void VirtualRouters::form_groups() {
  for (const auto& router : routers_) {
    router->set_haproxy_maximum(haproxy_maximum_);
    router->set_group("");
  }
  std::vector<Group> groups;
  for (const GroupConfig& config : next_groups_) {
    const auto known = std::find_if(groups_.begin(), groups_.end(), [&](const Group& group) {
      return group.config.name == config.name;
    });
    Group group{config, {}, known == groups_.end() ? std::nullopt : known->told};
    for (const auto& router : routers_) {
      const auto& names = config.instances;
      if (std::find(names.begin(), names.end(), router->config().name) == names.end()) continue;
      router->set_group(config.name);
      group.members.push_back(router.get());
    }
    groups.push_back(std::move(group));
  }
  groups_ = std::move(groups);
}

void VirtualRouters::settle_groups(TimePoint at) {
  for (Group& group : groups_) {
    const std::vector<Move> moves = settle(places_of(group.members));
    for (std::size_t i = 0; i < moves.size(); ++i) group.members[i]->move(moves[i], at);
  }
}

void VirtualRouters::tell(TimePoint at) {
  for (RouterDriver* router : untold_) router->tell(at);
  untold_.clear();
  for (Group& group : groups_) {
    const GroupState state = group_state(places_of(group.members));
    if (group.members.empty() || state == group.told) continue;
    const bool is_news =
        group.told || !std::all_of(group.members.begin(), group.members.end(),
                                   [](const auto* member) { return member->group_has_no_news(); });
    group.told = state;
    if (!is_news) continue;
    const std::string_view word = name_of(state);
    log_.info("VRRP_Group({}) Syncing instances to {} state", group.config.name, notify_word(word));
    const bool owed = notifier_.tell({Notice::Subject::kGroup, group.config.name,
                                      Notice::Kind::kState, notify_word(word), 0, ""},
                                     group.config.notify, at);
    for (RouterDriver* member : group.members) member->owe_group_news(owed);
  }
}

void VirtualRouters::repeat_states() {
  const TimePoint at = std::chrono::steady_clock::now();
  for (const auto& router : routers_) {
    if (router->has_started()) notifier_.repeat(router->news(), at);
  }
  for (const Group& group : groups_) {
    if (!group.told) continue;
    notifier_.repeat({Notice::Subject::kGroup, group.config.name, Notice::Kind::kState,
                      notify_word(name_of(*group.told)), 0, ""},
                     at);
  }
}

void VirtualRouters::news_is_told(Notice::Subject subject, const std::string& name) {
  if (subject == Notice::Subject::kInstance) {
    for (const auto& router : routers_) {
      if (router->config().name == name) router->news_is_told();
    }
    return;
  }
  for (const Group& group : groups_) {
    if (group.config.name != name) continue;
    for (RouterDriver* member : group.members) member->owe_group_news(false);
  }
}

}  // namespace ha::vrrp
