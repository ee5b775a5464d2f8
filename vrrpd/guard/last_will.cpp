#include "vrrpd/guard/last_will.hpp"

#include <boost/asio/io_context.hpp>
#include <set>

#include "vrrpd/config/load.hpp"
#include "vrrpd/config/virtual_mac.hpp"
#include "vrrpd/kernel/netlink.hpp"
#include "vrrpd/kernel/packet_socket.hpp"
#include "vrrpd/runtime/advertisement.hpp"
#include "vrrpd/runtime/static_part.hpp"
#include "vrrpd/runtime/virtual_devices.hpp"

namespace ha::vrrp {
namespace {

/// RFC 9568 section 6.4.3, {Master} on shutdown: an advertisement with priority 0.
void let_go(boost::asio::io_context& io, const InstanceConfig& config, const RouterRecord& record,
            const std::string& interface, Log& log) {
  const auto socket = VrrpSocket::open(
      io, record.interface(), interface, config.family(), [](const IncomingPacket&) {}, [] {});
  if (!socket) return log.error("({}) {}", config.name, socket.error().message());
  const Advert last = advertisement(config, kPriorityRelease);
  for (const IpAddress& destination : destinations_of(config)) {
    const auto message = encode(last, record.source(), destination, record.form());
    const OutgoingPacket packet{record.source(), destination, message};
    const auto sent = (*socket)->send({&packet, 1});
    if (sent.failed > 0) log.error("({}) {}", config.name, sent.first_error.message());
  }
}

void remove_addresses(const Config& config, Kernel& kernel, Log& log) {
  std::set<IpAddress> configured;
  for (const InstanceConfig& instance : config.instances) {
    for (const VirtualAddress& address : instance.addresses) {
      configured.insert(address.prefix.address);
    }
  }
  std::vector<AddressRequest> requests;
  for (const Address& address : kernel.addresses()) {
    if (!address.ours || !configured.contains(address.prefix.address)) continue;
    requests.push_back({address.interface, address.prefix, {}, false, {}});
  }
  for (AddressRequest& request : requests_of(config.fixed, kernel.links())) {
    requests.push_back(std::move(request));
  }
  if (auto removed = kernel.remove_routing(routing_of(config.fixed)); !removed) {
    log.error("{}", removed.error().message());
  }
  for (const InstanceConfig& instance : config.instances) {
    std::vector<Routing> routing{instance.routes.begin(), instance.routes.end()};
    routing.insert(routing.end(), instance.rules.begin(), instance.rules.end());
    if (auto removed = kernel.remove_routing(routing); !removed) {
      log.error("{}", removed.error().message());
    }
  }
  if (auto removed = kernel.remove_addresses(requests); !removed) {
    log.error("{}", removed.error().message());
  }
}

}  // namespace

void execute_last_will(Estate& estate, Log& log) {
  const auto contents = estate.open();
  if (!contents) return log.error("{}", contents.error().message());
  const Loaded loaded = load(contents->configuration, "the running configuration", "");
  boost::asio::io_context io{1};
  const auto kernel = Netlink::open(io);
  if (!kernel || !loaded.config) return log.error("cannot let go of the addresses");
  const auto& instances = loaded.config->instances;
  for (std::size_t i = 0; i < instances.size(); ++i) {
    const RouterRecord& record = contents->records[i];
    if (!record.is_master()) continue;
    for (const Link& link : (*kernel)->links()) {
      if (link.index == record.interface()) let_go(io, instances[i], record, link.name, log);
    }
  }
  remove_addresses(*loaded.config, **kernel, log);
  std::set<std::string> devices;
  for (const InstanceConfig& instance : instances) {
    for (DeviceNeed& device : devices_of(instance)) devices.insert(std::move(device.name));
  }
  remove_devices(**kernel, log, [&](const std::string& name) { return devices.contains(name); });
}

}  // namespace ha::vrrp
