#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace luna::base {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::array<std::string_view, 7> kUnits = {"B",   "KiB", "MiB", "GiB",
                                                    "TiB", "PiB", "EiB"};
constexpr size_t kMaxFractionDigits = 9;

void AppendHex(std::string& out, char byte) {
  const auto value = static_cast<unsigned char>(byte);
  out += kHexDigits[value >> 4];
  out += kHexDigits[value & 15];
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::optional<unsigned> HexValue(char c) {
  const size_t at = kHexDigits.find(Lower(c));
  return at == std::string_view::npos ? std::nullopt : std::optional(static_cast<unsigned>(at));
}

// Takes the digits off the front of `text`; nullopt if there are none or too many.
std::optional<uint64_t> TakeNumber(std::string_view& text) {
  if (text.empty() || !IsDigit(text.front())) {
    return std::nullopt;
  }
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

// The power of 1024, in bits, of "", "b", "k", "kb", "kib" and so on.
std::optional<unsigned> UnitShift(std::string_view unit) {
  std::string lower(unit);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  if (lower.empty() || lower == "b") {
    return 0;
  }
  const std::string_view rest = std::string_view(lower).substr(1);
  const size_t letter = std::string_view("kmgtpe").find(lower.front());
  if (letter == std::string_view::npos || !(rest.empty() || rest == "b" || rest == "ib")) {
    return std::nullopt;
  }
  return static_cast<unsigned>(10 * (letter + 1));
}

}  // namespace

std::string Printable(std::string_view bytes, size_t max_bytes) {
  std::string text;
  for (const char byte : bytes.substr(0, max_bytes)) {
    if (byte >= ' ' && byte <= '~' && byte != '\\') {
      text += byte;
    } else {
      text += "\\x";
      AppendHex(text, byte);
    }
  }
  if (bytes.size() > max_bytes) {
    text += "…(+" + std::to_string(bytes.size() - max_bytes) + " bytes)";
  }
  return text;
}

std::string Hex(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    AppendHex(text, byte);
  }
  return text;
}

std::optional<std::string> FromHex(std::string_view text) {
  if (text.size() % 2 != 0) {
    return std::nullopt;
  }
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (size_t i = 0; i < text.size(); i += 2) {
    const auto high = HexValue(text[i]);
    const auto low = HexValue(text[i + 1]);
    if (!high || !low) {
      return std::nullopt;
    }
    bytes += static_cast<char>(*high << 4 | *low);
  }
  return bytes;
}

std::string FormatBytes(uint64_t bytes) {
  size_t unit = 0;
  uint64_t tenths = bytes < 1024 ? bytes * 10 : 0;
  for (uint64_t size = 1024; bytes >= 1024 && unit + 1 < kUnits.size(); size *= 1024) {
    ++unit;
    tenths = bytes / size * 10 + (bytes % size * 10 + size / 2) / size;
    if (tenths < 10240) {
      break;
    }
  }
  // 16 EiB would be one more than 64 bits hold.
  if (unit + 1 == kUnits.size()) {
    tenths = std::min<uint64_t>(tenths, 159);
  }
  std::string text = std::to_string(tenths / 10);
  if (tenths % 10 != 0) {
    text += "." + std::to_string(tenths % 10);
  }
  return text.append(" ").append(kUnits[unit]);
}

std::optional<uint64_t> ParseBytes(std::string_view text) {
  const auto whole = TakeNumber(text);
  if (!whole) {
    return std::nullopt;
  }
  double fraction = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const size_t before = text.size();
    const auto digits = TakeNumber(text);
    const size_t count = before - text.size();
    if (!digits || count > kMaxFractionDigits) {
      return std::nullopt;
    }
    fraction = static_cast<double>(*digits) / std::pow(10.0, static_cast<double>(count));
  }
  if (text.ends_with(' ')) {
    return std::nullopt;
  }
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const auto shift = UnitShift(text);
  if (!shift || *whole > std::numeric_limits<uint64_t>::max() >> *shift) {
    return std::nullopt;
  }
  if (*shift == 0 && fraction != 0) {
    return std::nullopt;  // there is no half of a byte
  }
  const uint64_t size = uint64_t{1} << *shift;
  // Less than `size` even when it rounds up to it: the sum below fits, or `whole` was too large.
  const auto part = static_cast<uint64_t>(std::llround(fraction * static_cast<double>(size)));
  return (*whole << *shift) + std::min(part, size - 1);
}

}  // namespace luna::base
