#include "service/command/moments.h"

#include <charconv>
#include <chrono>
#include <limits>

namespace luna::command {
namespace {

// A decimal number of exactly `digits` digits (0: as many as there are), taken off the text.
bool TakeNumber(std::string_view& text, size_t digits, uint64_t& value) {
  size_t length = 0;
  while (length < text.size() && (digits == 0 || length < digits) && text[length] >= '0' &&
         text[length] <= '9') {
    ++length;
  }
  const auto parsed = std::from_chars(text.data(), text.data() + length, value);
  if (length == 0 || (digits != 0 && length != digits) || parsed.ec != std::errc()) {
    return false;
  }
  text.remove_prefix(length);
  return true;
}

bool TakeLetter(std::string_view& text, std::string_view letters) {
  if (text.empty() || !letters.contains(text[0])) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

std::optional<uint64_t> MillisOfUnit(std::string_view unit) {
  if (unit == "ms") return 1;
  if (unit == "s") return 1000;
  if (unit == "m") return 60'000;
  if (unit == "h") return 3'600'000;
  if (unit == "d") return 86'400'000;
  return std::nullopt;
}

std::optional<Timestamp> ParseAgo(std::string_view text, uint64_t now_millis) {
  uint64_t count = 0;
  if (!TakeNumber(text, 0, count)) {
    return std::nullopt;
  }
  const auto unit = MillisOfUnit(text);
  if (!unit || count > now_millis / *unit) {
    return std::nullopt;
  }
  return TimestampOf(now_millis - count * *unit);
}

// ".5", ".123456": milliseconds; what is finer is cut off.
bool TakeFraction(std::string_view& text, uint64_t& millis) {
  millis = 0;
  if (!TakeLetter(text, ".")) {
    return true;
  }
  const std::string_view digits = text;
  uint64_t value = 0;
  if (!TakeNumber(text, 0, value)) {
    return false;
  }
  for (size_t i = 0; i < 3; ++i) {
    const bool given = i < digits.size() - text.size();
    millis = millis * 10 + (given ? static_cast<uint64_t>(digits[i] - '0') : 0);
  }
  return true;
}

// "Z" or "+02:00": minutes east.
bool TakeZone(std::string_view& text, int64_t& minutes) {
  if (TakeLetter(text, "Zz")) {
    minutes = 0;
    return text.empty();
  }
  const bool west = text.starts_with('-');
  uint64_t hours = 0;
  uint64_t rest = 0;
  if (!TakeLetter(text, "+-") || !TakeNumber(text, 2, hours) || !TakeLetter(text, ":") ||
      !TakeNumber(text, 2, rest) || hours > 23 || rest > 59) {
    return false;
  }
  minutes = static_cast<int64_t>(hours * 60 + rest) * (west ? -1 : 1);
  return text.empty();
}

std::optional<Timestamp> ParseDate(std::string_view text) {
  uint64_t year = 0;
  uint64_t month = 0;
  uint64_t day = 0;
  uint64_t hour = 0;
  uint64_t minute = 0;
  uint64_t second = 0;
  uint64_t millis = 0;
  int64_t zone_minutes = 0;
  if (!TakeNumber(text, 4, year) || !TakeLetter(text, "-") || !TakeNumber(text, 2, month) ||
      !TakeLetter(text, "-") || !TakeNumber(text, 2, day) || !TakeLetter(text, "Tt ") ||
      !TakeNumber(text, 2, hour) || !TakeLetter(text, ":") || !TakeNumber(text, 2, minute) ||
      !TakeLetter(text, ":") || !TakeNumber(text, 2, second) || !TakeFraction(text, millis) ||
      !TakeZone(text, zone_minutes)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const int64_t minutes = days * 1440 + static_cast<int64_t>(hour * 60 + minute) - zone_minutes;
  const int64_t total = minutes * 60'000 + static_cast<int64_t>(second * 1000 + millis);
  if (total < 0) {
    return std::nullopt;
  }
  return TimestampOf(static_cast<uint64_t>(total));
}

std::string Padded(int64_t number, size_t digits) {
  std::string text = std::to_string(number);
  return std::string(digits > text.size() ? digits - text.size() : 0, '0') + text;
}

}  // namespace

std::optional<Timestamp> ParseMoment(std::string_view text, uint64_t now_millis) {
  if (text.starts_with('-')) {
    return ParseAgo(text.substr(1), now_millis);
  }
  std::string_view rest = text;
  uint64_t number = 0;
  if (TakeNumber(rest, 0, number) && rest.empty()) {
    return number;
  }
  return ParseDate(text);
}

std::string FormatMoment(Timestamp timestamp) {
  const std::chrono::milliseconds since(static_cast<int64_t>(MillisOf(timestamp)));
  const auto days = std::chrono::floor<std::chrono::days>(since);
  const std::chrono::year_month_day date{std::chrono::sys_days(days)};
  const std::chrono::hh_mm_ss time(since - days);
  return Padded(static_cast<int>(date.year()), 4) + "-" +
         Padded(static_cast<unsigned>(date.month()), 2) + "-" +
         Padded(static_cast<unsigned>(date.day()), 2) + "T" + Padded(time.hours().count(), 2) +
         ":" + Padded(time.minutes().count(), 2) + ":" + Padded(time.seconds().count(), 2) + "." +
         Padded(time.subseconds().count(), 3) + "Z";
}

}  // namespace luna::command
