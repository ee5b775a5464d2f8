#include "vrrpd/config/load.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

#include "ha/result.hpp"
#include "vrrpd/config/diagnostics.hpp"
#include "vrrpd/config/schema.hpp"
#include "vrrpd/config/source.hpp"

namespace ha::vrrp {
namespace {

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// At most the first `size_bytes_max` bytes of the file.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path,
                                            std::size_t size_bytes_max) {
  const std::unique_ptr<std::FILE, FileCloser> file{std::fopen(path.c_str(), "re")};
  if (!file) return failure(errno, "cannot be read");
  std::string content(size_bytes_max, '\0');
  content.resize(std::fread(content.data(), 1, content.size(), file.get()));
  if (std::ferror(file.get()) != 0) return failure(errno, "cannot be read");
  return content;
}

/// The host name up to its first dot; empty if there is none.
[[nodiscard]] std::string short_host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return {};
  const std::string_view whole{name.data()};
  return std::string{whole.substr(0, whole.find('.'))};
}

}  // namespace

std::string to_string(const Diagnostic& diagnostic) {
  const std::string_view severity = diagnostic.severity == Severity::kError ? "error" : "warning";
  if (diagnostic.line == 0)
    return fmt::format("{}: {}: {}", diagnostic.file, severity, diagnostic.text);
  return fmt::format("{}:{}:{}: {}: {}", diagnostic.file, diagnostic.line, diagnostic.column,
                     severity, diagnostic.text);
}

Loaded load(std::string_view text, std::string_view file, std::string_view host) {
  config::Diagnostics diagnostics{file};
  Loaded loaded;
  if (const auto root = config::parse(text, diagnostics)) {
    Config config = config::read_config(*root, host, diagnostics);
    if (!diagnostics.has_errors()) loaded.config = std::move(config);
  }
  loaded.diagnostics = diagnostics.in_file_order();
  return loaded;
}

Loaded load_file(const std::filesystem::path& path) {
  // One byte more than is accepted, so that load() sees what is too large.
  const auto content = read_file(path, config::kTextSizeBytesMax + 1);
  if (content) return load(*content, path.string(), short_host_name());
  config::Diagnostics diagnostics{path.string()};
  diagnostics.error({}, content.error().message());
  return {std::nullopt, diagnostics.in_file_order()};
}

}  // namespace ha::vrrp
