#include "apps/luna/quoting.h"

#include <cstddef>

namespace luna::cli {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f' || c == '\0';
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The byte of the escape at `at`, which is behind the backslash; moves past it.
char Unescaped(std::string_view line, size_t& at) {
  const char letter = line[at++];
  if (letter == 'x' && at + 1 < line.size() && HexDigit(line[at]) >= 0 &&
      HexDigit(line[at + 1]) >= 0) {
    const int byte = HexDigit(line[at]) * 16 + HexDigit(line[at + 1]);
    at += 2;
    return static_cast<char>(byte);
  }
  switch (letter) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return letter;
  }
}

// The rest of a word in quotes, `at` being behind the opening one. False: it is not closed, or
// something follows at once.
bool TakeQuoted(std::string_view line, char quote, size_t& at, std::string& word) {
  while (at < line.size()) {
    const char c = line[at++];
    if (c == quote) {
      return at == line.size() || IsSpace(line[at]);
    }
    const bool escape = c == '\\' && at < line.size();
    if (escape && quote == '"') {
      word += Unescaped(line, at);
    } else if (escape && line[at] == '\'') {
      word += line[at++];
    } else {
      word += c;
    }
  }
  return false;
}

}  // namespace

std::optional<std::vector<std::string>> SplitWords(std::string_view line) {
  std::vector<std::string> words;
  for (size_t at = 0;;) {
    while (at < line.size() && IsSpace(line[at])) {
      ++at;
    }
    if (at == line.size()) {
      return words;
    }
    std::string& word = words.emplace_back();
    while (at < line.size() && !IsSpace(line[at])) {
      const char c = line[at++];
      if (c == '"' || c == '\'') {
        if (!TakeQuoted(line, c, at, word)) {
          return std::nullopt;
        }
        break;
      }
      word += c;
    }
  }
}

}  // namespace luna::cli
