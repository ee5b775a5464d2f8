/// The commands that ask no daemon: they read files and make others from them.
#pragma once

#include <string>
#include <vector>

namespace ha::ctl {

struct GenerateArguments {
  std::string cluster;  ///< the file that describes the cluster
  std::string node;     ///< empty: all
  std::string output;   ///< file or directory; empty: standard output
  bool dry_run = false;
};

/// `vrrpctl generate`. Prints or writes each machine's vrrpd.yaml, or what would change. Returns
/// the exit code.
int run_generate(const GenerateArguments& arguments);

struct BackendArguments {
  std::string strategy;
  std::string inventory;  ///< empty: `hosts`
  std::string group;
  std::vector<std::string> hosts;  ///< NAME=ADDRESS
  std::vector<std::string> teams;  ///< NAME or NAME=PORT
  std::string node;                ///< empty: this machine's name
};

/// `vrrpctl haproxy-config`. Returns the exit code.
int run_haproxy_config(const BackendArguments& arguments);

}  // namespace ha::ctl
