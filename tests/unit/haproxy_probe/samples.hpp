/// The captured answers in data/, and rows written by hand.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "haproxy_probe/stats.hpp"

namespace ha::probe::test {

inline const std::filesystem::path kSource{HA_SOURCE_DIR};
inline const std::filesystem::path kData = kSource / "tests/unit/haproxy_probe/data";

inline std::string text_of(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) throw std::runtime_error{"cannot read " + path.string()};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::string sample(std::string_view name) { return text_of(kData / name); }

inline IpAddress ip(const std::string& text) { return boost::asio::ip::make_address(text); }

/// A server at 192.0.2.1, which the tests call this machine.
inline ServerRow local(std::string backend, std::string server, ServerClass status) {
  return {std::move(backend), std::move(server), status, ip("192.0.2.1"), false};
}

/// A server of the other machine, 192.0.2.2.
inline ServerRow remote(std::string backend, std::string server, ServerClass status) {
  return {std::move(backend), std::move(server), status, ip("192.0.2.2"), false};
}

}  // namespace ha::probe::test
