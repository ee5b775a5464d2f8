/// Which of its alternatives a state or an event is, in few words.
#pragma once

#include <variant>

#include "vrrpd/engine/router.hpp"

namespace ha::sim {

template <class T>
[[nodiscard]] bool is(const vrrp::State& state) {
  return std::holds_alternative<T>(state);
}
template <class T>
[[nodiscard]] bool is(const vrrp::Event& event) {
  return std::holds_alternative<T>(event);
}

}  // namespace ha::sim
