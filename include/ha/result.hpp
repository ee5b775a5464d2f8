/// What a function returns that the world can refuse.
#pragma once

#include <string>
#include <system_error>
#include <tl/expected.hpp>

namespace ha {

/// What was refused: the system's code, and what was being tried, in words for a log line.
struct Error {
  std::error_code code;
  std::string context;

  /// "join 224.0.0.18 on eth0: Operation not permitted".
  [[nodiscard]] std::string message() const {
    return code ? context + ": " + code.message() : context;
  }
};

template <class T>
using Result = tl::expected<T, Error>;

/// An `Error` from a value of errno.
[[nodiscard]] inline tl::unexpected<Error> failure(int error_number, std::string context) {
  return tl::unexpected<Error>{
      {std::error_code{error_number, std::system_category()}, std::move(context)}};
}

}  // namespace ha
