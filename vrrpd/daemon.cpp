#include "vrrpd/daemon.hpp"

#include <malloc.h>

#include <utility>

#include "vrrpd/engine_process.hpp"
#include "vrrpd/guard/guard.hpp"
#include "vrrpd/guard/last_will.hpp"
#include "vrrpd/runtime/capabilities.hpp"
#include "vrrpd/runtime/drain_file.hpp"

namespace ha::vrrp {
namespace {

/// Large blocks, such as an answer about a thousand virtual routers, are given back when they are
/// freed; otherwise the first one freed would raise the limit from which malloc() does that.
void keep_memory_small() { ::mallopt(M_MMAP_THRESHOLD, 128 * 1024); }

Result<Estate> create_estate(const Config& config) {
  auto estate = Estate::create();
  if (!estate) return estate;
  if (auto prepared = estate->prepare(print(config), config.instances.size()); !prepared) {
    return tl::unexpected{prepared.error()};
  }
  estate->commit();
  return estate;
}

}  // namespace

int run_daemon(const DaemonOptions& options, Config config) {
  keep_memory_small();
  Log log;
  log.direct(options.guard_log);
  log.configure(config.log);
  if (const auto missing = missing_capabilities(); !missing.empty()) {
    for (const std::string& capability : missing) {
      log.error("vrrpd needs {}: run it as root, or with this capability", capability);
    }
    return 1;
  }
  auto estate = create_estate(config);
  if (!estate) {
    log.error("{}", estate.error().message());
    return 1;
  }
  estate->note_drain(DrainFile::read(DrainFile::default_path()));
  const auto diary = SharedMemory::create(kDiarySizeBytes);
  if (!diary) {
    log.error("{}", diary.error().message());
    return 1;
  }
  // Held by the guard, it outlives an engine and ends with the last process of the daemon.
  PacketFilter filter;
  config = {};
  ::malloc_trim(0);
  Ward ward{[&] { return run_engine(options, *estate, *diary, filter); },
            [&] { ++estate->deaths(); }, [&] { execute_last_will(*estate, log); }};
  ward.started = [&](pid_t engine) { log.info("Starting VRRP child process, pid={}", engine); };
  ward.restarts = options.restarts_engine;
  return guard(log, ward);
}

}  // namespace ha::vrrp
