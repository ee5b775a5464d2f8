/// A value that is mostly not there.
#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace ha {

/// As std::optional, but takes no more room than a pointer where there is no value. A thousand
/// instances without notify commands are to be small.
template <class T>
class Rare {
 public:
  Rare() = default;
  Rare(T value) : value_{std::make_unique<T>(std::move(value))} {}
  Rare(std::optional<T> value) : value_{value ? std::make_unique<T>(std::move(*value)) : nullptr} {}
  Rare(const Rare& other) : value_{other ? std::make_unique<T>(*other) : nullptr} {}
  Rare(Rare&&) noexcept = default;
  Rare& operator=(Rare other) noexcept {
    value_ = std::move(other.value_);
    return *this;
  }
  ~Rare() = default;

  [[nodiscard]] explicit operator bool() const { return value_ != nullptr; }
  [[nodiscard]] bool has_value() const { return value_ != nullptr; }
  [[nodiscard]] const T& operator*() const { return *value_; }
  [[nodiscard]] T& operator*() { return *value_; }
  [[nodiscard]] const T* operator->() const { return value_.get(); }
  [[nodiscard]] T* operator->() { return value_.get(); }

  friend bool operator==(const Rare& left, const Rare& right) {
    return left && right ? *left == *right : left.has_value() == right.has_value();
  }
  friend bool operator==(const Rare& left, const T& right) { return left && *left == right; }
  friend bool operator==(const Rare& left, std::nullopt_t) { return !left; }

 private:
  std::unique_ptr<T> value_;
};

}  // namespace ha
