// Strings as numbers: INCR, DECR, INCRBY, DECRBY, INCRBYFLOAT.
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>

#include "service/command/command_table.h"
#include "service/command/values.h"

namespace luna::command {

namespace {

void Add(Call& call, int64_t delta) {
  const std::string_view key = call.arguments[1];
  std::optional<Value> value;
  if (!LoadString(call, key, value)) {
    return;
  }
  int64_t number = 0;
  if (value && !TakeInteger(call, value->bytes, number)) {
    return;
  }
  if (__builtin_add_overflow(number, delta, &number)) {
    return call.Fail("ERR increment or decrement would overflow");
  }
  char room[24];
  const char* end = std::to_chars(room, room + sizeof(room), number).ptr;
  if (Store(call, key, {room, end}, value ? value->expiry_millis : 0)) {
    call.reply.Integer(number);
  }
}

void RunIncr(Call& call) {
  Add(call, 1);
}

void RunDecr(Call& call) {
  Add(call, -1);
}

void RunIncrby(Call& call) {
  int64_t delta = 0;
  if (TakeInteger(call, call.arguments[2], delta)) {
    Add(call, delta);
  }
}

void RunDecrby(Call& call) {
  int64_t delta = 0;
  if (!TakeInteger(call, call.arguments[2], delta)) {
    return;
  }
  if (delta == std::numeric_limits<int64_t>::min()) {
    return call.Fail("ERR decrement would overflow");
  }
  Add(call, -delta);
}

// Seventeen digits behind the point, without the zeros at the end.
std::string FormatFloat(long double number) {
  const int length = std::snprintf(nullptr, 0, "%.17Lf", number);
  std::string text(static_cast<size_t>(length), '\0');
  std::snprintf(text.data(), text.size() + 1, "%.17Lf", number);
  text.resize(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) {
    text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

void RunIncrbyfloat(Call& call) {
  const std::string_view key = call.arguments[1];
  std::optional<Value> value;
  if (!LoadString(call, key, value)) {
    return;
  }
  long double number = 0;
  long double delta = 0;
  if ((value && !ParseFloat(value->bytes, number)) || !ParseFloat(call.arguments[2], delta)) {
    return call.Fail(kNotFloat);
  }
  number += delta;
  if (std::isnan(number) || std::isinf(number)) {
    return call.Fail("ERR increment would produce NaN or Infinity");
  }
  const std::string text = FormatFloat(number);
  if (Store(call, key, text, value ? value->expiry_millis : 0)) {
    call.reply.Bulk(text);
  }
}

constexpr Command Row(std::string_view name, int arity, std::string_view syntax,
                      std::string_view summary, Function run) {
  return {.name = name,
          .arity = arity,
          .place = Place::kWrite,
          .flags = kFlagWrite | kFlagDenyOom | kFlagFast,
          .first_key = 1,
          .last_key = 1,
          .key_step = 1,
          .group = "string",
          .since = name == "incrbyfloat" ? "2.6.0" : "1.0.0",
          .summary = summary,
          .syntax = syntax,
          .run = run};
}

constexpr Command kRows[] = {
    Row("incr", 2, "key", "Adds one to the integer in a key; a missing key counts as 0.", RunIncr),
    Row("decr", 2, "key", "Takes one from the integer in a key; a missing key counts as 0.",
        RunDecr),
    Row("incrby", 3, "key increment", "Adds to the integer in a key; a missing key counts as 0.",
        RunIncrby),
    Row("decrby", 3, "key decrement", "Takes from the integer in a key; a missing key counts as 0.",
        RunDecrby),
    Row("incrbyfloat", 3, "key increment",
        "Adds to the floating-point number in a key; a missing key counts as 0.", RunIncrbyfloat),
};

}  // namespace

std::span<const Command> NumberCommands() {
  return kRows;
}

}  // namespace luna::command
