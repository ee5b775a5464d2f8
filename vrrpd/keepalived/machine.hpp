/// What reading a keepalived.conf has to ask the machine it is read on.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "ha/result.hpp"

namespace ha::keepalived {

class Machine {
 public:
  virtual ~Machine() = default;

  /// The host name up to its first dot: the default of `-i`, and `node`.
  [[nodiscard]] virtual std::string host_name() const = 0;

  /// At most the first `size_bytes_max` bytes of a regular file.
  [[nodiscard]] virtual Result<std::string> read(const std::string& path,
                                                 std::size_t size_bytes_max) const = 0;

  /// The files that match a shell pattern, sorted.
  [[nodiscard]] virtual std::vector<std::string> matching(const std::string& pattern) const = 0;

  /// The absolute path of a program that is called by its name.
  [[nodiscard]] virtual std::optional<std::string> find_program(const std::string& name) const = 0;

  [[nodiscard]] virtual bool has_account(const std::string& user) const = 0;

  /// Why vrrpd would not run `program` as `user`, empty if it would: somebody else could replace
  /// it. A program that is missing, or a user, is another matter.
  [[nodiscard]] virtual std::string why_untrusted(const std::string& program,
                                                  const std::string& user) const = 0;
};

/// The one we run on.
class ThisMachine final : public Machine {
 public:
  [[nodiscard]] std::string host_name() const override;
  [[nodiscard]] Result<std::string> read(const std::string& path,
                                         std::size_t size_bytes_max) const override;
  [[nodiscard]] std::vector<std::string> matching(const std::string& pattern) const override;
  [[nodiscard]] std::optional<std::string> find_program(const std::string& name) const override;
  [[nodiscard]] bool has_account(const std::string& user) const override;
  [[nodiscard]] std::string why_untrusted(const std::string& program,
                                          const std::string& user) const override;
};

}  // namespace ha::keepalived
