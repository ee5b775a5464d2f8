/// `vrrpctl generate`: from one file that describes a cluster to each machine's vrrpd.yaml. Pure.
///
/// Of the file only these are read; it belongs to others, too:
///   network: {vip: {address, netmask, interface, auth_pass}}
///   nodes: {controllers: [{hostname, ip_address, priority, vip_owner, services: {NAME: true}}]}
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ha::ctl {

/// One machine's file.
struct GeneratedFile {
  std::string node;
  std::string text;
};

struct Generated {
  std::vector<GeneratedFile> files;  ///< in the order of the cluster file; empty after an error
  /// As those of a configuration: "cluster.yaml:14:17: error: …", in the order of the file.
  std::vector<std::string> diagnostics;
};

/// A file for each controller that has the service `keepalived`. `name` is how `text` is called in
/// diagnostics and in the files. An error is, besides what is missing or cannot be read, a priority
/// or an address that two machines have, and an owner that is not the one with the highest
/// priority.
[[nodiscard]] Generated generate(std::string_view text, std::string_view name);

}  // namespace ha::ctl
