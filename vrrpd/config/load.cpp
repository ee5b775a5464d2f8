#include "vrrpd/config/load.hpp"

#include <unistd.h>

#include <array>
#include <utility>

#include "ha/result.hpp"
#include "vrrpd/config/schema.hpp"
#include "vrrpd/settings/diagnostics.hpp"
#include "vrrpd/settings/source.hpp"

namespace ha::vrrp {
namespace {

/// The host name up to its first dot; empty if there is none.
[[nodiscard]] std::string short_host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return {};
  const std::string_view whole{name.data()};
  return std::string{whole.substr(0, whole.find('.'))};
}

Loaded load_with(std::string_view text, std::string_view file, std::string_view host,
                 const config::FileReader& read_file) {
  config::Diagnostics diagnostics{file};
  Loaded loaded;
  if (const auto root = config::parse(text, diagnostics)) {
    Config config = config::read_config(*root, host, read_file, diagnostics);
    if (!diagnostics.has_errors()) loaded.config = std::move(config);
  }
  loaded.diagnostics = diagnostics.in_file_order();
  return loaded;
}

}  // namespace

Loaded load(std::string_view text, std::string_view file, std::string_view host) {
  return load_with(text, file, host, {});
}

Loaded load_file(const std::filesystem::path& path, config::FileKind kind) {
  const auto read = [kind](const std::filesystem::path& file) {
    return config::read_text(file, kind);
  };
  const auto content = read(path);
  if (content) return load_with(*content, path.string(), short_host_name(), read);
  config::Diagnostics diagnostics{path.string()};
  diagnostics.error({}, content.error().message());
  return {std::nullopt, diagnostics.in_file_order()};
}

}  // namespace ha::vrrp
