#include "apps/luna/word.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "apps/output/escape.h"

namespace luna::cli {
namespace {

constexpr size_t kMostEdits = 2;

template <typename Number>
bool Parses(const std::string& text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stopped == end;
}

std::string Not(const std::string& text, const std::string& what) {
  return "'" + output::Escape(text) + "' is not " + what;
}

// How many letters must be added, removed or exchanged to make one word of the other.
size_t Edits(std::string_view from, std::string_view to) {
  std::vector<size_t> row(to.size() + 1);
  for (size_t i = 0; i < row.size(); ++i) {
    row[i] = i;
  }
  for (size_t i = 0; i < from.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < to.size(); ++j) {
      const size_t exchanged = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({exchanged, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string WhyNoCount(const std::string& text) {
  uint64_t number = 0;
  return Parses(text, number) ? "" : Not(text, "a whole number from 0 to 18446744073709551615");
}

std::string WhyNoInteger(const std::string& text) {
  int64_t number = 0;
  return Parses(text, number) ? "" : Not(text, "a whole number of 64 bits");
}

std::string WhyNoSeconds(const std::string& text) {
  double number = 0;
  const bool good = Parses(text, number) && number >= 0.001 && number <= 1e10;
  return good ? "" : Not(text, "a number of seconds from 0.001 to 10000000000");
}

std::string_view Closest(std::string_view word, const std::vector<std::string_view>& known) {
  std::string_view closest;
  size_t least = std::min(kMostEdits + 1, word.size());
  for (const std::string_view one : known) {
    if (const size_t edits = Edits(word, one); edits < least) {
      least = edits;
      closest = one;
    }
  }
  return closest;
}

}  // namespace luna::cli
