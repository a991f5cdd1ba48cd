#include "service/command/bounds.h"

#include <charconv>

#include "base/text.h"

namespace luna::command {

KeyRange PrefixRange(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) {
    end.pop_back();
  }
  if (!end.empty()) {
    end.back() = static_cast<char>(end.back() + 1);
  }
  return {.begin = std::string(prefix), .end = std::move(end)};
}

std::optional<KeyRange> RangeBetween(std::string_view min, std::string_view max) {
  KeyRange range;
  const std::string_view min_key = min.substr(min.empty() ? 0 : 1);
  const std::string_view max_key = max.substr(max.empty() ? 0 : 1);
  if (min.starts_with('[')) {
    range.begin = min_key;
  } else if (min.starts_with('(')) {
    range.begin = std::string(min_key) + '\0';
  } else if (min == "+") {
    range.empty = true;
  } else if (min != "-") {
    return std::nullopt;
  }
  if (max.starts_with('[')) {
    range.end = std::string(max_key) + '\0';
  } else if (max.starts_with('(')) {
    range.end = max_key;
    range.empty = range.empty || max_key.empty();
  } else if (max == "-") {
    range.empty = true;
  } else if (max != "+") {
    return std::nullopt;
  }
  range.empty = range.empty || (!range.end.empty() && range.begin >= range.end);
  return range;
}

bool TakeRange(Call& call, size_t& next, KeyRange& range) {
  if (next + 1 >= call.arguments.size()) {
    call.Fail(kSyntaxError);
    return false;
  }
  const std::string_view first = call.arguments[next];
  const std::string_view second = call.arguments[next + 1];
  next += 2;
  if (IsWord(first, "prefix")) {
    range = PrefixRange(second);
    return true;
  }
  auto between = RangeBetween(first, second);
  if (!between) {
    call.Fail("ERR min or max not valid string range item");
    return false;
  }
  range = std::move(*between);
  return true;
}

std::string RangeCursor::Encode() const {
  return std::to_string(timestamp) + "." + base::Hex(last_key);
}

std::optional<RangeCursor> RangeCursor::Decode(std::string_view text) {
  RangeCursor cursor;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, cursor.timestamp);
  if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != '.') {
    return std::nullopt;
  }
  auto key = base::FromHex(text.substr(static_cast<size_t>(parsed.ptr - text.data()) + 1));
  if (!key) {
    return std::nullopt;
  }
  cursor.last_key = std::move(*key);
  return cursor;
}

}  // namespace luna::command
