#include "service/command/glob.h"

#include <cctype>
#include <cstddef>
#include <utility>

namespace luna::command {
namespace {

constexpr std::string_view kSpecial = "*?[";

unsigned char Fold(char letter, bool ignore_case) {
  const auto byte = static_cast<unsigned char>(letter);
  return ignore_case ? static_cast<unsigned char>(std::tolower(byte)) : byte;
}

// Does a [class] at the start of `pattern` hold the letter? Takes the class off the pattern; one
// without an end reaches to the end of the pattern, as in Redis.
bool TakeClass(std::string_view& pattern, char letter, bool ignore_case) {
  pattern.remove_prefix(1);
  const bool negated = pattern.starts_with('^');
  pattern.remove_prefix(negated ? 1 : 0);
  const unsigned char wanted = Fold(letter, ignore_case);
  bool found = false;
  while (!pattern.empty() && pattern[0] != ']') {
    if (pattern[0] == '\\' && pattern.size() >= 2) {
      found = found || Fold(pattern[1], ignore_case) == wanted;
      pattern.remove_prefix(2);
    } else if (pattern.size() >= 3 && pattern[1] == '-') {
      unsigned char low = Fold(pattern[0], ignore_case);
      unsigned char high = Fold(pattern[2], ignore_case);
      if (low > high) {
        std::swap(low, high);
      }
      found = found || (wanted >= low && wanted <= high);
      pattern.remove_prefix(3);
    } else {
      found = found || Fold(pattern[0], ignore_case) == wanted;
      pattern.remove_prefix(1);
    }
  }
  pattern.remove_prefix(pattern.empty() ? 0 : 1);
  return found != negated;
}

// One character of text against the start of the pattern, which is no star and not empty.
bool TakeOne(std::string_view& pattern, char letter, bool ignore_case) {
  if (pattern[0] == '[') {
    return TakeClass(pattern, letter, ignore_case);
  }
  if (pattern[0] == '?') {
    pattern.remove_prefix(1);
    return true;
  }
  pattern.remove_prefix(pattern[0] == '\\' && pattern.size() >= 2 ? 1 : 0);
  const bool same = Fold(pattern[0], ignore_case) == Fold(letter, ignore_case);
  pattern.remove_prefix(1);
  return same;
}

}  // namespace

// Only the last star is ever tried again, so the time is at most pattern × text.
bool GlobMatches(std::string_view pattern, std::string_view text, bool ignore_case) {
  std::string_view after_star;
  std::string_view text_at_star;
  bool has_star = false;
  while (true) {
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      after_star = pattern;
      text_at_star = text;
      has_star = true;
      continue;
    }
    if (text.empty() && pattern.empty()) {
      return true;
    }
    if (!text.empty() && !pattern.empty()) {
      if (TakeOne(pattern, text[0], ignore_case)) {
        text.remove_prefix(1);
        continue;
      }
    }
    if (!has_star || text_at_star.empty()) {
      return false;
    }
    text_at_star.remove_prefix(1);  // the star takes one more
    text = text_at_star;
    pattern = after_star;
  }
}

std::string GlobPrefix(std::string_view pattern) {
  std::string prefix;
  for (size_t i = 0; i < pattern.size() && !kSpecial.contains(pattern[i]); ++i) {
    i += pattern[i] == '\\' && i + 1 < pattern.size() ? 1 : 0;
    prefix += pattern[i];
  }
  return prefix;
}

bool GlobIsLiteral(std::string_view pattern) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (kSpecial.contains(pattern[i])) {
      return false;
    }
    i += pattern[i] == '\\' ? 1 : 0;
  }
  return true;
}

}  // namespace luna::command
