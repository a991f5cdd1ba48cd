#include "apps/records/json_scanner.h"

#include <cstdint>

#include "apps/output/escape.h"

namespace luna::records {
namespace {

constexpr int kMaxDepth = 200;

// Four hexadecimal digits at the front of `text`.
std::optional<uint32_t> FourHex(std::string_view text) {
  if (text.size() < 4) {
    return std::nullopt;
  }
  uint32_t value = 0;
  for (const char c : text.substr(0, 4)) {
    const char lower = static_cast<char>(c | 0x20);
    if (c >= '0' && c <= '9') {
      value = value * 16 + static_cast<uint32_t>(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      value = value * 16 + static_cast<uint32_t>(lower - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

bool IsHighSurrogate(uint32_t unit) {
  return unit >= 0xd800 && unit < 0xdc00;
}
bool IsLowSurrogate(uint32_t unit) {
  return unit >= 0xdc00 && unit < 0xe000;
}

void AppendUtf8(std::string& out, uint32_t code) {
  const auto put = [&out](uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

char Unescaped(char letter) {
  switch (letter) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return letter;  // quote, backslash, slash
  }
}

}  // namespace

bool JsonScanner::Fail(std::string problem) {
  if (problem_.empty()) {
    problem_ = std::move(problem);
  }
  return false;
}

void JsonScanner::SkipSpace() {
  while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string::npos) {
    ++at_;
  }
}

bool JsonScanner::Take(char c) {
  if (at_ < text_.size() && text_[at_] == c) {
    ++at_;
    return true;
  }
  return false;
}

bool JsonScanner::ScanObject(
    const std::function<void(std::string_view name, std::string_view value)>& field) {
  SkipSpace();
  if (!Take('{')) {
    return Fail("not a JSON object");
  }
  if (!ScanMembers(field, 1)) {
    return false;
  }
  SkipSpace();
  return at_ == text_.size() || Fail("text after the end of the object");
}

// After the opening brace.
bool JsonScanner::ScanMembers(const std::function<void(std::string_view, std::string_view)>& field,
                              int depth) {
  SkipSpace();
  if (Take('}')) {
    return true;
  }
  for (;;) {
    SkipSpace();
    const size_t name_at = at_;
    if (at_ == text_.size() || text_[at_] != '"') {
      return Fail("a field name in quotes is missing");
    }
    if (!ScanString()) {
      return false;
    }
    const std::string_view name = text_.substr(name_at, at_ - name_at);
    SkipSpace();
    if (!Take(':')) {
      return Fail("a colon is missing after the field name");
    }
    SkipSpace();
    const size_t value_at = at_;
    if (!ScanValue(depth)) {
      return false;
    }
    if (field) {
      field(Decode(name), text_.substr(value_at, at_ - value_at));
    }
    SkipSpace();
    if (Take('}')) {
      return true;
    }
    if (!Take(',')) {
      return Fail("a comma or the closing brace is missing");
    }
  }
}

bool JsonScanner::ScanArray(int depth) {
  SkipSpace();
  if (Take(']')) {
    return true;
  }
  for (;;) {
    SkipSpace();
    if (!ScanValue(depth)) {
      return false;
    }
    SkipSpace();
    if (Take(']')) {
      return true;
    }
    if (!Take(',')) {
      return Fail("a comma or the closing bracket is missing");
    }
  }
}

bool JsonScanner::ScanValue(int depth) {
  if (depth > kMaxDepth) {
    return Fail("nested too deeply");
  }
  if (Take('{')) {
    return ScanMembers({}, depth + 1);
  }
  if (Take('[')) {
    return ScanArray(depth + 1);
  }
  switch (at_ < text_.size() ? text_[at_] : '\0') {
    case '"':
      return ScanString();
    case 't':
      return ScanWord("true");
    case 'f':
      return ScanWord("false");
    case 'n':
      return ScanWord("null");
    default:
      return ScanNumber();
  }
}

bool JsonScanner::ScanWord(std::string_view word) {
  if (!text_.substr(at_).starts_with(word)) {
    return Fail("not a JSON value");
  }
  at_ += word.size();
  return true;
}

bool JsonScanner::ScanString() {
  if (!Take('"')) {
    return Fail("a string is missing");
  }
  while (at_ < text_.size()) {
    if (Take('"')) {
      return true;
    }
    if (text_[at_] == '\\') {
      if (!ScanEscape()) {
        return Fail("not a JSON escape");
      }
      continue;
    }
    const size_t length = output::Utf8Length(text_.substr(at_));
    if (length == 0) {
      return Fail("bytes that are not UTF-8");
    }
    if (static_cast<unsigned char>(text_[at_]) < 0x20) {
      return Fail("a control character in a string must be escaped");
    }
    at_ += length;
  }
  return Fail("a string is not closed");
}

bool JsonScanner::ScanEscape() {
  const std::string_view rest = text_.substr(at_ + 1);
  if (rest.empty()) {
    return false;
  }
  if (rest[0] != 'u') {
    at_ += 2;
    return std::string_view("\"\\/bfnrt").find(rest[0]) != std::string_view::npos;
  }
  const auto unit = FourHex(rest.substr(1));
  if (!unit.has_value() || IsLowSurrogate(*unit)) {
    return false;
  }
  at_ += 6;
  if (IsHighSurrogate(*unit)) {
    const auto low = text_.substr(at_).starts_with("\\u") ? FourHex(text_.substr(at_ + 2))
                                                          : std::optional<uint32_t>();
    if (!low.has_value() || !IsLowSurrogate(*low)) {
      return false;
    }
    at_ += 6;
  }
  return true;
}

bool JsonScanner::ScanDigits() {
  const size_t begin = at_;
  while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
    ++at_;
  }
  return at_ > begin;
}

bool JsonScanner::ScanNumber() {
  Take('-');
  const bool leading_zero = at_ < text_.size() && text_[at_] == '0';
  const size_t begin = at_;
  if (!ScanDigits() || (leading_zero && at_ - begin > 1)) {
    return Fail("not a JSON value");
  }
  if (Take('.') && !ScanDigits()) {
    return Fail("digits are missing after the point");
  }
  if (Take('e') || Take('E')) {
    if (!Take('+')) {
      Take('-');
    }
    if (!ScanDigits()) {
      return Fail("digits are missing in the exponent");
    }
  }
  return true;
}

std::string JsonScanner::Decode(std::string_view text) {
  std::string out;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (text[++i] != 'u') {
      out += Unescaped(text[i]);
      continue;
    }
    uint32_t code = FourHex(text.substr(i + 1)).value_or(0);
    i += 4;
    if (IsHighSurrogate(code)) {
      const uint32_t low = FourHex(text.substr(i + 3)).value_or(0xdc00);
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      i += 6;
    }
    AppendUtf8(out, code);
  }
  return out;
}

}  // namespace luna::records
