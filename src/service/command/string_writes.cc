// Writes of strings: SET and its kin, GETSET, GETDEL, GETEX, MSET, APPEND, SETRANGE, DELEX.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "service/command/command_table.h"
#include "service/command/set_options.h"
#include "service/command/values.h"

namespace luna::command {

namespace {

void AnswerOld(Call& call, const std::optional<Value>& old) {
  old ? call.reply.Bulk(old->bytes) : call.reply.Null();
}

// SET with options that need to know the key, or a time.
void SetWithOptions(Call& call, const SetOptions& options) {
  using Condition = SetOptions::Condition;
  const std::string_view key = call.arguments[1];
  int64_t at_millis = 0;
  if (options.time &&
      !TakeTime(call, options.time->argument, options.time->unit, true, at_millis)) {
    return;
  }
  std::optional<Value> old;
  // NX, XX and KEEPTTL do not mind of what type the old value is.
  const bool needs_string = options.get || options.condition == Condition::kEquals;
  if (!options.blind() && !(needs_string ? LoadString(call, key, old) : Load(call, key, old))) {
    return;
  }
  if (!options.Holds(old)) {
    return options.get ? AnswerOld(call, old) : call.reply.Null();
  }
  uint64_t expiry_millis = static_cast<uint64_t>(at_millis);
  if (options.keep_expiry && old) {
    expiry_millis = old->expiry_millis;
  }
  if (Store(call, key, call.arguments[2], expiry_millis)) {
    options.get ? AnswerOld(call, old) : call.reply.Simple("OK");
  }
}

void RunSet(Call& call) {
  if (call.arguments.size() == 3) [[likely]] {
    if (Store(call, call.arguments[1], call.arguments[2])) {
      call.reply.Simple("OK");
    }
    return;
  }
  SetOptions options;
  if (TakeOptions(call, call.arguments.subspan(3), OptionsOf::kSet, options)) {
    SetWithOptions(call, options);
  }
}

void RunSetnx(Call& call) {
  std::optional<Value> old;
  if (!Load(call, call.arguments[1], old)) {
    return;
  }
  if (old || Store(call, call.arguments[1], call.arguments[2])) {
    call.reply.Integer(old ? 0 : 1);
  }
}

void SetFor(Call& call, TimeUnit unit) {
  int64_t at_millis = 0;
  if (TakeTime(call, call.arguments[2], unit, true, at_millis) &&
      Store(call, call.arguments[1], call.arguments[3], static_cast<uint64_t>(at_millis))) {
    call.reply.Simple("OK");
  }
}

void RunSetex(Call& call) {
  SetFor(call, {.seconds = true, .absolute = false});
}

void RunPsetex(Call& call) {
  SetFor(call, {.seconds = false, .absolute = false});
}

void RunGetset(Call& call) {
  std::optional<Value> old;
  if (LoadString(call, call.arguments[1], old) &&
      Store(call, call.arguments[1], call.arguments[2])) {
    AnswerOld(call, old);
  }
}

void RunGetdel(Call& call) {
  std::optional<Value> old;
  if (LoadString(call, call.arguments[1], old) && (!old || Erase(call, call.arguments[1]))) {
    AnswerOld(call, old);
  }
}

void RunGetex(Call& call) {
  const std::string_view key = call.arguments[1];
  SetOptions options;
  std::optional<Value> value;
  if (!TakeOptions(call, call.arguments.subspan(2), OptionsOf::kGetex, options) ||
      !LoadString(call, key, value)) {
    return;
  }
  int64_t at_millis = 0;
  if (value && options.time &&
      !TakeTime(call, options.time->argument, options.time->unit, true, at_millis)) {
    return;
  }
  const bool changes = options.time || (options.persist && value && value->expiry_millis != 0);
  if (!value || !changes || Store(call, key, value->bytes, static_cast<uint64_t>(at_millis))) {
    AnswerOld(call, value);
  }
}

// Keys and values in turn; false: one is left over.
bool InPairs(Call& call) {
  if (call.arguments.size() % 2 == 0) {
    call.Fail("ERR wrong number of arguments for '" + std::string(call.command.name) + "' command");
    return false;
  }
  return true;
}

bool StorePairs(Call& call) {
  for (size_t i = 1; i < call.arguments.size(); i += 2) {
    if (!Store(call, call.arguments[i], call.arguments[i + 1])) {
      return false;
    }
  }
  return true;
}

void RunMset(Call& call) {
  if (InPairs(call) && StorePairs(call)) {
    call.reply.Simple("OK");
  }
}

void RunMsetnx(Call& call) {
  if (!InPairs(call)) {
    return;
  }
  for (size_t i = 1; i < call.arguments.size(); i += 2) {
    std::optional<Value> old;
    if (!Load(call, call.arguments[i], old)) {
      return;
    }
    if (old) {
      return call.reply.Integer(0);
    }
  }
  if (StorePairs(call)) {
    call.reply.Integer(1);
  }
}

void RunAppend(Call& call) {
  const std::string_view key = call.arguments[1];
  const std::string_view suffix = call.arguments[2];
  std::optional<Value> value;
  if (!LoadString(call, key, value)) {
    return;
  }
  if (!value) {
    value.emplace();
  }
  if (value->bytes.size() + suffix.size() > kStringBytesMax) {
    return call.Fail(kStringTooLong);
  }
  value->bytes += suffix;
  if (Store(call, key, value->bytes, value->expiry_millis)) {
    call.reply.Integer(static_cast<int64_t>(value->bytes.size()));
  }
}

void RunSetrange(Call& call) {
  const std::string_view key = call.arguments[1];
  const std::string_view part = call.arguments[3];
  int64_t offset = 0;
  std::optional<Value> value;
  if (!TakeInteger(call, call.arguments[2], offset)) {
    return;
  }
  if (offset < 0) {
    return call.Fail("ERR offset is out of range");
  }
  if (!LoadString(call, key, value)) {
    return;
  }
  if (!value) {
    value.emplace();
  }
  std::string& bytes = value->bytes;
  if (!part.empty()) {
    const auto begin = static_cast<uint64_t>(offset);
    if (begin > kStringBytesMax || begin + part.size() > kStringBytesMax) {
      return call.Fail(kStringTooLong);
    }
    bytes.resize(std::max(bytes.size(), begin + part.size()));
    bytes.replace(begin, part.size(), part);
    if (!Store(call, key, bytes, value->expiry_millis)) {
      return;
    }
  }
  call.reply.Integer(static_cast<int64_t>(bytes.size()));
}

void DeleteIf(Call& call, const SetOptions& options) {
  const std::string_view key = call.arguments[1];
  std::optional<Value> old;
  const bool equals = options.condition == SetOptions::Condition::kEquals;
  if (!(equals ? LoadString(call, key, old) : Load(call, key, old))) {
    return;
  }
  const bool doomed = old && options.Holds(old);
  if (!doomed || Erase(call, key)) {
    call.reply.Integer(doomed ? 1 : 0);
  }
}

void RunDelex(Call& call) {
  SetOptions options;
  if (TakeOptions(call, call.arguments.subspan(2), OptionsOf::kDelex, options)) {
    DeleteIf(call, options);
  }
}

void RunDelifeq(Call& call) {
  SetOptions options;
  options.condition = SetOptions::Condition::kEquals;
  options.expected = call.arguments[2];
  DeleteIf(call, options);
}

constexpr uint32_t kGrows = kFlagWrite | kFlagDenyOom;

constexpr Command Row(std::string_view name, int arity, uint32_t flags, std::string_view since,
                      Function run) {
  return {.name = name,
          .arity = arity,
          .place = Place::kWrite,
          .flags = flags,
          .first_key = 1,
          .last_key = 1,
          .key_step = 1,
          .group = since.starts_with("luna") ? "luna" : "string",
          .since = since,
          .summary = {},
          .syntax = {},
          .run = run};
}

// Takes pairs; may fail after some of them are written.
constexpr Command Pairs(Command command) {
  command.last_key = -1;
  command.key_step = 2;
  command.flags |= kFlagPartial;
  return command;
}

constexpr Command kRows[] = {
    Described(Row("set", -3, kGrows, "1.0.0", RunSet),
              "key value [NX | XX | IFEQ value | IFVER version] [GET] [EX seconds | PX "
              "milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
              "Sets the string value of a key; with a condition only if it holds. IFVER takes a "
              "version of GETVER, 0: the key is missing; what the same transaction wrote fulfils "
              "no version."),
    Described(Row("setnx", 3, kGrows | kFlagFast, "1.0.0", RunSetnx), "key value",
              "Sets the string value of a key that is missing."),
    Described(Row("setex", 4, kGrows, "2.0.0", RunSetex), "key seconds value",
              "Sets the string value of a key and after how many seconds it expires."),
    Described(Row("psetex", 4, kGrows, "2.6.0", RunPsetex), "key milliseconds value",
              "Sets the string value of a key and after how many milliseconds it expires."),
    Described(Row("getset", 3, kGrows | kFlagFast, "1.0.0", RunGetset), "key value",
              "Sets the string value of a key and returns the one before."),
    Described(Row("getdel", 2, kFlagWrite | kFlagFast, "6.2.0", RunGetdel), "key",
              "Returns the string value of a key and deletes it."),
    Described(Row("getex", -2, kFlagWrite | kFlagFast, "6.2.0", RunGetex),
              "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
              "unix-time-milliseconds | PERSIST]",
              "Returns the string value of a key and changes when it expires."),
    Described(Pairs(Row("mset", -3, kGrows, "1.0.1", RunMset)), "key value [key value ...]",
              "Sets the string values of several keys, all or none."),
    Described(Pairs(Row("msetnx", -3, kGrows, "1.0.1", RunMsetnx)), "key value [key value ...]",
              "Sets the string values of several keys if all of them are missing."),
    Described(Row("append", 3, kGrows | kFlagFast, "2.0.0", RunAppend), "key value",
              "Adds bytes at the end of a string value; a missing one counts as empty."),
    Described(Row("setrange", 4, kGrows, "2.2.0", RunSetrange), "key offset value",
              "Overwrites a part of a string value, with zero bytes before it if it was shorter."),
    Described(Row("delex", -2, kFlagWrite | kFlagFast, "luna 0.2.0", RunDelex),
              "key [IFEQ value | IFVER version]",
              "Deletes a key if its value or version is still this one; as in Redis 8.4."),
    Described(Row("delifeq", 3, kFlagWrite | kFlagFast, "luna 0.2.0", RunDelifeq), "key value",
              "Deletes a key if its value is still this one."),
};

}  // namespace

std::span<const Command> StringWriteCommands() {
  return kRows;
}

}  // namespace luna::command
