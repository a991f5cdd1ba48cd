// Keys of any type: DEL, UNLINK, EXISTS, TOUCH, TYPE, RENAME, RENAMENX, COPY, MOVE, OBJECT.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "service/command/command_table.h"
#include "service/command/help.h"
#include "service/command/values.h"

namespace luna::command {

namespace {

constexpr std::string_view kSameKey = "ERR source and destination objects are the same";
constexpr int64_t kNumberedCollections = 16;

void RunDel(Call& call) {
  int64_t deleted = 0;
  for (const std::string_view key : call.arguments.subspan(1)) {
    std::optional<Value> value;
    if (!Load(call, key, value) || (value && !Erase(call, key))) {
      return;
    }
    deleted += value ? 1 : 0;
  }
  call.reply.Integer(deleted);
}

void RunExists(Call& call) {
  int64_t found = 0;
  for (const std::string_view key : call.arguments.subspan(1)) {
    std::optional<Value> value;
    if (!Load(call, key, value)) {
      return;
    }
    found += value ? 1 : 0;
  }
  call.reply.Integer(found);
}

void RunType(Call& call) {
  std::optional<Value> value;
  if (Load(call, call.arguments[1], value)) {
    call.reply.Simple(!value ? "none" : value->type == 0 ? "string" : "unknown");
  }
}

void Rename(Call& call, bool overwrite) {
  const std::string_view from = call.arguments[1];
  const std::string_view to = call.arguments[2];
  std::optional<Value> value;
  if (!Load(call, from, value)) {
    return;
  }
  if (!value) {
    return call.Fail(kNoSuchKey);
  }
  if (!overwrite) {
    std::optional<Value> there;
    if (!Load(call, to, there)) {
      return;
    }
    if (there) {
      return call.reply.Integer(0);
    }
  }
  if (from != to && !(StoreAgain(call, call.collection(), to, *value) && Erase(call, from))) {
    return;
  }
  overwrite ? call.reply.Simple("OK") : call.reply.Integer(1);
}

void RunRename(Call& call) {
  Rename(call, true);
}

void RunRenamenx(Call& call) {
  Rename(call, false);
}

// The collection named by a number in the session's database.
bool TakeCollection(Call& call, std::string_view number, std::shared_ptr<Collection>& collection) {
  int64_t index = 0;
  if (!TakeInteger(call, number, index)) {
    return false;
  }
  if (index < 0 || index >= kNumberedCollections) {
    call.Fail("ERR DB index is out of range");
    return false;
  }
  auto found = call.host.FindCollection(*call.session.database, std::to_string(index));
  if (!found.ok()) {
    call.Fail(found.error());
    return false;
  }
  collection = std::move(*found);
  return true;
}

struct CopyOptions {
  bool replace = false;
  std::shared_ptr<Collection> target;
};

bool TakeCopyOptions(Call& call, CopyOptions& options) {
  options.target = call.session.collection;
  for (size_t i = 3; i < call.arguments.size(); ++i) {
    if (IsWord(call.arguments[i], "replace")) {
      options.replace = true;
    } else if (IsWord(call.arguments[i], "db") && i + 1 < call.arguments.size()) {
      if (!TakeCollection(call, call.arguments[++i], options.target)) {
        return false;
      }
    } else {
      call.Fail(kSyntaxError);
      return false;
    }
  }
  return true;
}

// To a key that is missing, or with `replace` to any; whether it was there and fit is the answer.
void Transfer(Call& call, const CopyOptions& options, std::string_view to, bool keep) {
  std::optional<Value> value;
  std::optional<Value> there;
  if (!Load(call, call.arguments[1], value)) {
    return;
  }
  if (value && !options.replace && !Load(call, *options.target, to, there)) {
    return;
  }
  if (!value || there) {
    return call.reply.Integer(0);
  }
  if (StoreAgain(call, *options.target, to, *value) && (keep || Erase(call, call.arguments[1]))) {
    call.reply.Integer(1);
  }
}

void RunCopy(Call& call) {
  CopyOptions options;
  if (!TakeCopyOptions(call, options)) {
    return;
  }
  if (options.target->id() == call.collection().id() && call.arguments[1] == call.arguments[2]) {
    return call.Fail(kSameKey);
  }
  Transfer(call, options, call.arguments[2], true);
}

void RunMove(Call& call) {
  CopyOptions options;
  if (!TakeCollection(call, call.arguments[2], options.target)) {
    return;
  }
  if (options.target->id() == call.collection().id()) {
    return call.Fail(kSameKey);
  }
  Transfer(call, options, call.arguments[1], false);
}

// Redis' words for how it would keep such a string.
std::string_view EncodingOf(const Value& value) {
  constexpr size_t kEmbeddedMax = 44;
  int64_t number = 0;
  if (value.type == 0 && ParseInteger(value.bytes, number)) {
    return "int";
  }
  return value.type == 0 && value.bytes.size() <= kEmbeddedMax ? "embstr" : "raw";
}

void RunObjectEncoding(Call& call) {
  std::optional<Value> value;
  if (Load(call, call.arguments[2], value)) {
    value ? call.reply.Bulk(EncodingOf(*value)) : call.reply.Null();
  }
}

void RunObjectRefcount(Call& call) {
  std::optional<Value> value;
  if (Load(call, call.arguments[2], value)) {
    value ? call.reply.Integer(1) : call.reply.Null();
  }
}

void RunObjectIdletime(Call& call) {
  std::optional<Value> value;
  if (Load(call, call.arguments[2], value)) {
    value ? call.reply.Integer(0) : call.reply.Null();
  }
}

void RunObjectFreq(Call& call) {
  std::optional<Value> value;
  if (!Load(call, call.arguments[2], value)) {
    return;
  }
  if (!value) {
    return call.reply.Null();
  }
  call.Fail(
      "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that "
      "when switching between policies at runtime LRU and LFU data will take some time to adjust.");
}

constexpr Command Row(std::string_view name, int arity, uint32_t flags, std::string_view since,
                      Function run) {
  return {.name = name,
          .arity = arity,
          .place = (flags & kFlagWrite) != 0 ? Place::kWrite : Place::kRead,
          .flags = flags,
          .first_key = 1,
          .last_key = 1,
          .key_step = 1,
          .group = "generic",
          .since = since,
          .summary = {},
          .syntax = {},
          .run = run};
}

constexpr Command Keys(Command command, int first, int last) {
  command.first_key = first;
  command.last_key = last;
  return command;
}

constexpr Command kObjectRows[] = {
    Described(Keys(Row("object|encoding", 3, kFlagReadOnly, "2.2.3", RunObjectEncoding), 2, 2),
              "key", "Returns how Redis would keep the value of a key."),
    Described(Keys(Row("object|freq", 3, kFlagReadOnly, "4.0.0", RunObjectFreq), 2, 2), "key",
              "Fails: how often keys are used is not counted."),
    HelpRow("object|help", "generic", "6.2.0"),
    Described(Keys(Row("object|idletime", 3, kFlagReadOnly, "2.2.3", RunObjectIdletime), 2, 2),
              "key", "Returns 0: when keys were used last is not kept."),
    Described(Keys(Row("object|refcount", 3, kFlagReadOnly, "2.2.3", RunObjectRefcount), 2, 2),
              "key", "Returns 1: values are not shared."),
};

constexpr Command Container(Command command, std::span<const Command> subcommands) {
  command.subcommands = subcommands;
  command.flags = 0;
  return command;
}

constexpr uint32_t kReads = kFlagReadOnly | kFlagFast;

constexpr Command kRows[] = {
    Described(Keys(Row("del", -2, kFlagWrite | kFlagPartial, "1.0.0", RunDel), 1, -1),
              "key [key ...]", "Deletes keys; returns how many there were."),
    Described(
        Keys(Row("unlink", -2, kFlagWrite | kFlagFast | kFlagPartial, "4.0.0", RunDel), 1, -1),
        "key [key ...]", "Deletes keys; returns how many there were. The same as DEL."),
    Described(Keys(Row("exists", -2, kReads, "1.0.0", RunExists), 1, -1), "key [key ...]",
              "Returns how many of the keys exist; one that is named twice counts twice."),
    Described(Keys(Row("touch", -2, kReads, "3.2.1", RunExists), 1, -1), "key [key ...]",
              "Returns how many of the keys exist; when they were used last is not kept."),
    Described(Row("type", 2, kReads, "1.0.0", RunType), "key",
              "Returns the type of the value of a key, or none."),
    Described(Keys(Row("rename", 3, kFlagWrite | kFlagPartial, "1.0.0", RunRename), 1, 2),
              "key newkey", "Gives a key another name; a key of that name is overwritten."),
    Described(
        Keys(Row("renamenx", 3, kFlagWrite | kFlagFast | kFlagPartial, "1.0.0", RunRenamenx), 1, 2),
        "key newkey", "Gives a key another name if no key has it."),
    Described(Keys(Row("copy", -3, kFlagWrite | kFlagDenyOom, "6.2.0", RunCopy), 1, 2),
              "source destination [DB destination-db] [REPLACE]",
              "Copies the value of a key to another key, with the time of expiry."),
    Described(Row("move", 3, kFlagWrite | kFlagFast | kFlagPartial, "1.0.0", RunMove), "key db",
              "Moves a key to a numbered collection of the same database."),
    Described(Container(Keys(Row("object", -2, 0, "2.2.3", nullptr), 0, 0), kObjectRows), "",
              "Tells how the value of a key is kept."),
};

}  // namespace

std::span<const Command> KeyCommands() {
  return kRows;
}

}  // namespace luna::command
