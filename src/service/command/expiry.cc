// Times of expiry: EXPIRE and its kin, TTL and its kin, PERSIST.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "service/command/command_table.h"
#include "service/command/values.h"

namespace luna::command {

namespace {

// Options of EXPIRE.
struct Conditions {
  bool missing = false;  // NX: has no expiry
  bool present = false;  // XX: has one
  bool greater = false;  // GT: the new one is later; none is the latest
  bool less = false;     // LT

  bool Hold(int64_t at_millis, int64_t current) const {
    const bool has = current != 0;
    return !(missing && has) && !(present && !has) &&
           !(greater && (!has || at_millis <= current)) && !(less && has && at_millis >= current);
  }
};

bool TakeConditions(Call& call, Conditions& conditions) {
  for (const std::string_view word : call.arguments.subspan(3)) {
    if (IsWord(word, "nx")) {
      conditions.missing = true;
    } else if (IsWord(word, "xx")) {
      conditions.present = true;
    } else if (IsWord(word, "gt")) {
      conditions.greater = true;
    } else if (IsWord(word, "lt")) {
      conditions.less = true;
    } else {
      call.Fail("ERR Unsupported option " + std::string(word));
      return false;
    }
  }
  if (conditions.missing && (conditions.present || conditions.greater || conditions.less)) {
    call.Fail("ERR NX and XX, GT or LT options at the same time are not compatible");
    return false;
  }
  if (conditions.greater && conditions.less) {
    call.Fail("ERR GT and LT options at the same time are not compatible");
    return false;
  }
  return true;
}

void Expire(Call& call, TimeUnit unit) {
  const std::string_view key = call.arguments[1];
  Conditions conditions;
  int64_t at_millis = 0;
  std::optional<Value> value;
  if (!TakeConditions(call, conditions) ||
      !TakeTime(call, call.arguments[2], unit, false, at_millis) || !Load(call, key, value)) {
    return;
  }
  if (!value || !conditions.Hold(at_millis, static_cast<int64_t>(value->expiry_millis))) {
    return call.reply.Integer(0);
  }
  value->expiry_millis = static_cast<uint64_t>(std::max<int64_t>(at_millis, 0));
  const bool done = at_millis <= NowMillis(call) ? Erase(call, key)
                                                 : StoreAgain(call, call.collection(), key, *value);
  if (done) {
    call.reply.Integer(1);
  }
}

void RunExpire(Call& call) {
  Expire(call, {.seconds = true, .absolute = false});
}

void RunPexpire(Call& call) {
  Expire(call, {.seconds = false, .absolute = false});
}

void RunExpireat(Call& call) {
  Expire(call, {.seconds = true, .absolute = true});
}

void RunPexpireat(Call& call) {
  Expire(call, {.seconds = false, .absolute = true});
}

void ShowTime(Call& call, TimeUnit unit) {
  std::optional<Value> value;
  if (!Load(call, call.arguments[1], value)) {
    return;
  }
  if (!value || value->expiry_millis == 0) {
    return call.reply.Integer(value ? -1 : -2);
  }
  auto millis = static_cast<int64_t>(value->expiry_millis);
  if (!unit.absolute) {
    millis = std::max<int64_t>(millis - NowMillis(call), 0);
  }
  call.reply.Integer(unit.seconds ? millis / 1000 + (millis % 1000 >= 500 ? 1 : 0) : millis);
}

void RunTtl(Call& call) {
  ShowTime(call, {.seconds = true, .absolute = false});
}

void RunPttl(Call& call) {
  ShowTime(call, {.seconds = false, .absolute = false});
}

void RunExpiretime(Call& call) {
  ShowTime(call, {.seconds = true, .absolute = true});
}

void RunPexpiretime(Call& call) {
  ShowTime(call, {.seconds = false, .absolute = true});
}

void RunPersist(Call& call) {
  std::optional<Value> value;
  if (!Load(call, call.arguments[1], value)) {
    return;
  }
  if (!value || value->expiry_millis == 0) {
    return call.reply.Integer(0);
  }
  value->expiry_millis = 0;
  if (StoreAgain(call, call.collection(), call.arguments[1], *value)) {
    call.reply.Integer(1);
  }
}

constexpr Command Row(std::string_view name, std::string_view since, std::string_view syntax,
                      std::string_view summary, Function run) {
  return {.name = name,
          .arity = syntax == "key" ? 2 : -3,
          .place = Place::kWrite,
          .flags = kFlagWrite | kFlagFast,
          .first_key = 1,
          .last_key = 1,
          .key_step = 1,
          .group = "generic",
          .since = since,
          .summary = summary,
          .syntax = syntax,
          .run = run};
}

constexpr Command ReadRow(std::string_view name, std::string_view since, std::string_view summary,
                          Function run) {
  Command command = Row(name, since, "key", summary, run);
  command.place = Place::kRead;
  command.flags = kFlagReadOnly | kFlagFast;
  return command;
}

constexpr Command kRows[] = {
    Row("expire", "1.0.0", "key seconds [NX | XX | GT | LT]",
        "Lets a key expire after some seconds.", RunExpire),
    Row("pexpire", "2.6.0", "key milliseconds [NX | XX | GT | LT]",
        "Lets a key expire after some milliseconds.", RunPexpire),
    Row("expireat", "1.2.0", "key unix-time-seconds [NX | XX | GT | LT]",
        "Lets a key expire at a time in seconds since 1970.", RunExpireat),
    Row("pexpireat", "2.6.0", "key unix-time-milliseconds [NX | XX | GT | LT]",
        "Lets a key expire at a time in milliseconds since 1970.", RunPexpireat),
    ReadRow("ttl", "1.0.0", "Returns the seconds until a key expires; -1: never, -2: no such key.",
            RunTtl),
    ReadRow("pttl", "2.6.0",
            "Returns the milliseconds until a key expires; -1: never, -2: no such key.", RunPttl),
    ReadRow("expiretime", "7.0.0",
            "Returns when a key expires, in seconds since 1970; -1: never, -2: no such key.",
            RunExpiretime),
    ReadRow("pexpiretime", "7.0.0",
            "Returns when a key expires, in milliseconds since 1970; -1: never, -2: no such key.",
            RunPexpiretime),
    Row("persist", "2.2.0", "key", "Lets a key never expire.", RunPersist),
};

}  // namespace

std::span<const Command> ExpiryCommands() {
  return kRows;
}

}  // namespace luna::command
