/// Words of a settings file that stand for enumerators: one table for reading and printing.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "vrrpd/settings/scalars.hpp"

namespace ha::config {

template <class E>
struct Choice {
  std::string_view word;
  E value;
};

/// The value whose word is `text`; a refusal names all words.
template <class E, std::size_t N>
[[nodiscard]] Parsed<E> parse_choice(std::string_view text,
                                     const std::array<Choice<E>, N>& choices) {
  std::string words;
  for (std::size_t i = 0; i < N; ++i) {
    if (choices[i].word == text) return choices[i].value;
    if (i > 0) words += i + 1 == N ? " or " : ", ";
    words += choices[i].word;
  }
  return tl::make_unexpected("is not " + words);
}

/// The word of `value`; empty for one that has none.
template <class E, std::size_t N>
[[nodiscard]] std::string_view word_of(E value, const std::array<Choice<E>, N>& choices) {
  for (const Choice<E>& choice : choices) {
    if (choice.value == value) return choice.word;
  }
  return {};
}

}  // namespace ha::config
