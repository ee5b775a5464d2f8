#include "vrrpd/checks/prober.hpp"

#include <utility>

namespace ha::checks {
namespace {

class InterfaceProber : public Prober {
 public:
  InterfaceProber(const ProbeServices& services, InterfaceProbe probe, Listener listener)
      : services_{services}, probe_{std::move(probe)}, listener_{std::move(listener)} {}

  void start() override {
    const bool up = services_.link_is_up(probe_.interface);
    listener_.outcome({up, up ? "up" : "down or missing", 0});
  }

 private:
  const ProbeServices& services_;
  InterfaceProbe probe_;
  Listener listener_;
};

}  // namespace

std::unique_ptr<Prober> make_prober(const ProbeServices& services, const CheckConfig& check,
                                    Listener listener) {
  struct {
    const ProbeServices& services;
    const CheckConfig& check;
    Listener listener;
    using Made = std::unique_ptr<Prober>;
    Made socket() { return make_socket_prober(services, check, std::move(listener)); }
    Made child() { return make_child_prober(services, check, std::move(listener)); }
    Made operator()(const TcpProbe&) { return socket(); }
    Made operator()(const HttpProbe&) { return socket(); }
    Made operator()(const ScriptProbe&) { return child(); }
    Made operator()(const FileProbe&) { return child(); }
    Made operator()(const UnitProbe&) {
      return make_unit_prober(services, check, std::move(listener));
    }
    Made operator()(const ProcessProbe&) {
      return make_process_prober(services, check, std::move(listener));
    }
    Made operator()(const InterfaceProbe& probe) {
      return std::make_unique<InterfaceProber>(services, probe, std::move(listener));
    }
  } visitor{services, check, std::move(listener)};
  return std::visit(visitor, check.probe);
}

}  // namespace ha::checks
