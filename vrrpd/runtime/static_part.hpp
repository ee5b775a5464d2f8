/// Keeps installed what the section `static` says, whatever the virtual routers do.
#pragma once

#include <string>
#include <vector>

#include "vrrpd/config/config.hpp"
#include "vrrpd/kernel/kernel.hpp"
#include "vrrpd/runtime/log.hpp"

namespace ha::vrrp {

/// All of `fixed` as the kernel is asked for it; addresses on interfaces that are missing are left
/// out. They carry no mark: they are the machine's own, and may be sent from.
[[nodiscard]] std::vector<AddressRequest> requests_of(const StaticConfig& fixed,
                                                      const std::vector<Link>& links);
[[nodiscard]] std::vector<Routing> routing_of(const StaticConfig& fixed);

class StaticPart {
 public:
  /// Both must outlive the object.
  StaticPart(Kernel& kernel, Log& log) : kernel_{kernel}, log_{log} {}

  /// Makes `fixed` what is installed: what is not in it any more goes, what is new comes.
  void apply(const StaticConfig& fixed);

  /// Puts back what is missing. To be called when interfaces or addresses have changed.
  void look_again();

  /// All of it goes.
  void remove() { apply({}); }

 private:
  void report(const Result<void>& result);

  Kernel& kernel_;
  Log& log_;
  StaticConfig fixed_;
  std::string reported_;  ///< so that the same trouble is logged once
};

}  // namespace ha::vrrp
