// Reads of strings: GET, MGET, STRLEN, GETRANGE, SUBSTR, GETVER.
#include <algorithm>
#include <cstdint>
#include <optional>

#include "service/command/command_table.h"
#include "service/command/values.h"

namespace luna::command {

namespace {

void RunGet(Call& call) {
  std::optional<PinnedValue> value;
  if (!LoadString(call, call.arguments[1], value)) {
    return;
  }
  value ? call.reply.Bulk(value->bytes) : call.reply.Null();
}

void RunMget(Call& call) {
  constexpr size_t kAtOnce = 16;  // more could be more than a reply may have before it is noticed
  auto keys = call.arguments.subspan(1);
  if (keys.size() > kAtOnce) {
    if (const Status held = call.access.Hold(*call.session.database); !held.ok()) {
      return call.Fail(held.error());
    }
  }
  call.reply.Array(keys.size());
  while (!keys.empty()) {
    const auto some = keys.first(std::min(keys.size(), kAtOnce));
    keys = keys.subspan(some.size());
    const auto values = call.access.MultiGet(call.collection(), some);
    if (!values.ok()) {
      return call.Fail(values.error());
    }
    for (const auto& value : *values) {
      value ? call.reply.Bulk(*value) : call.reply.Null();
    }
    if (!call.MayReply(call.reply.size() - call.reply_begin)) {
      return;
    }
  }
}

void RunStrlen(Call& call) {
  std::optional<PinnedValue> value;
  if (LoadString(call, call.arguments[1], value)) {
    call.reply.Integer(value ? static_cast<int64_t>(value->bytes.size()) : 0);
  }
}

// The part of `bytes` from `first` to `last`, both inclusive, negative ones from the end.
std::string_view Part(std::string_view bytes, int64_t first, int64_t last) {
  const auto size = static_cast<int64_t>(bytes.size());
  if (first < 0 && last < 0 && first > last) {
    return {};
  }
  first = std::max<int64_t>(first < 0 ? first + size : first, 0);
  last = std::min(std::max<int64_t>(last < 0 ? last + size : last, 0), size - 1);
  if (first > last) {
    return {};
  }
  return bytes.substr(static_cast<size_t>(first), static_cast<size_t>(last - first + 1));
}

void RunGetrange(Call& call) {
  int64_t first = 0;
  int64_t last = 0;
  std::optional<PinnedValue> value;
  if (TakeInteger(call, call.arguments[2], first) && TakeInteger(call, call.arguments[3], last) &&
      LoadString(call, call.arguments[1], value)) {
    call.reply.Bulk(value ? Part(value->bytes, first, last) : std::string_view());
  }
}

void RunGetver(Call& call) {
  std::optional<PinnedValue> value;
  if (!LoadString(call, call.arguments[1], value)) {
    return;
  }
  call.reply.Array(2);
  value ? call.reply.Bulk(value->bytes) : call.reply.Null();
  call.reply.Integer(value ? static_cast<int64_t>(value->timestamp) : 0);
}

constexpr Command Row(std::string_view name, int arity, std::string_view since,
                      std::string_view syntax, Function run) {
  return {.name = name,
          .arity = arity,
          .place = Place::kRead,
          .flags = kFlagReadOnly,
          .first_key = 1,
          .last_key = 1,
          .key_step = 1,
          .group = "string",
          .since = since,
          .summary = {},
          .syntax = syntax,
          .run = run};
}

constexpr Command Described(Command command, std::string_view summary) {
  command.summary = summary;
  return command;
}

constexpr Command Fast(Command command) {
  command.flags |= kFlagFast;
  return command;
}

constexpr Command ManyKeys(Command command) {
  command.last_key = -1;
  return command;
}

constexpr Command InGroup(Command command, std::string_view group) {
  command.group = group;
  return command;
}

constexpr Command kRows[] = {
    Described(Fast(Row("get", 2, "1.0.0", "key", RunGet)), "Returns the string value of a key."),
    Described(ManyKeys(Fast(Row("mget", -2, "1.0.0", "key [key ...]", RunMget))),
              "Returns the string values of several keys, all at one time."),
    Described(Fast(Row("strlen", 2, "2.2.0", "key", RunStrlen)),
              "Returns the length of a string value."),
    Described(Row("getrange", 4, "2.4.0", "key start end", RunGetrange),
              "Returns a part of a string value."),
    Described(Row("substr", 4, "1.0.0", "key start end", RunGetrange),
              "Returns a part of a string value; GETRANGE under its old name."),
    Described(InGroup(Fast(Row("getver", 2, "luna 0.2.0", "key", RunGetver)), "luna"),
              "Returns a string value and its version for IFVER; the version is 0 when the key is "
              "missing or was written by this transaction."),
};

}  // namespace

std::span<const Command> StringCommands() {
  return kRows;
}

}  // namespace luna::command
