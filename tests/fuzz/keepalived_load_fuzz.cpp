/// Any bytes are a configuration without errors or errors without a configuration, and a
/// configuration survives being printed. The text may include itself.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "vrrpd/keepalived/load.hpp"

namespace {

/// Has one file under every name, and every program.
class OneFile final : public ha::keepalived::Machine {
 public:
  explicit OneFile(std::string content) : content_{std::move(content)} {}

  std::string host_name() const override { return "host"; }
  ha::Result<std::string> read(const std::string&, std::size_t) const override { return content_; }
  std::vector<std::string> matching(const std::string& pattern) const override { return {pattern}; }
  std::optional<std::string> find_program(const std::string& name) const override {
    return "/bin/" + name;
  }
  bool has_account(const std::string&) const override { return false; }
  std::string why_untrusted(const std::string&, const std::string&) const override { return {}; }

 private:
  std::string content_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ha::vrrp;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes as the text they claim to be
  const std::string text{reinterpret_cast<const char*>(data), size};
  const Loaded loaded = ha::keepalived::load("/k.conf", text, "id", OneFile{text});
  const bool has_errors = std::any_of(
      loaded.diagnostics.begin(), loaded.diagnostics.end(),
      [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::kError; });
  if (loaded.config.has_value() == has_errors) std::abort();
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    // A diagnostic is one line on a terminal.
    const std::string line = to_string(diagnostic);
    const bool is_clean = std::none_of(
        line.begin(), line.end(), [](char c) { return (c >= '\0' && c < ' ') || c == '\x7f'; });
    if (!is_clean || diagnostic.text.empty()) std::abort();
  }
  if (loaded.config && load(print(*loaded.config), "f", "").config != loaded.config) std::abort();
  return 0;
}
