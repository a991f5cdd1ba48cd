// COMMAND: the table as clients read it, in the forms of Redis 7.0.
#include <algorithm>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include "service/command/categories.h"
#include "service/command/command_table.h"
#include "service/command/glob.h"
#include "service/command/help.h"

namespace luna::command {
namespace {

void WriteWords(resp::ReplyWriter& reply, const std::vector<std::string_view>& words) {
  reply.Set(words.size());
  for (const std::string_view word : words) {
    reply.Simple(word);
  }
}

std::vector<std::string_view> FlagWords(const Command& command) {
  constexpr std::pair<uint32_t, std::string_view> kWords[] = {
      {kFlagWrite, "write"},      {kFlagReadOnly, "readonly"}, {kFlagDenyOom, "denyoom"},
      {kFlagAdmin, "admin"},      {kFlagNoScript, "noscript"}, {kFlagLoading, "loading"},
      {kFlagStale, "stale"},      {kFlagFast, "fast"},         {kFlagNoAuth, "no_auth"},
      {kFlagNoMulti, "no_multi"},
  };
  std::vector<std::string_view> words;
  for (const auto& [flag, word] : kWords) {
    if ((command.flags & flag) != 0) {
      words.push_back(word);
    }
  }
  return words;
}

// Where the keys of a command are, as Redis 7 says it.
void WriteKeySpecs(resp::ReplyWriter& reply, const Command& command) {
  if (command.first_key == 0) {
    return reply.Set(0);
  }
  const int last = command.last_key < 0 ? command.last_key : command.last_key - command.first_key;
  reply.Set(1);
  reply.Map(3);
  reply.Bulk("flags");
  WriteWords(reply, {(command.flags & kFlagWrite) != 0 ? "RW" : "RO", "access"});
  reply.Bulk("begin_search");
  reply.Map(2);
  reply.Bulk("type");
  reply.Bulk("index");
  reply.Bulk("spec");
  reply.Map(1);
  reply.Bulk("index");
  reply.Integer(command.first_key);
  reply.Bulk("find_keys");
  reply.Map(2);
  reply.Bulk("type");
  reply.Bulk("range");
  reply.Bulk("spec");
  reply.Map(3);
  reply.Bulk("lastkey");
  reply.Integer(last);
  reply.Bulk("keystep");
  reply.Integer(command.key_step);
  reply.Bulk("limit");
  reply.Integer(0);
}

void WriteRow(resp::ReplyWriter& reply, const Command& command) {
  reply.Array(10);
  reply.Bulk(command.name);
  reply.Integer(command.arity);
  WriteWords(reply, FlagWords(command));
  reply.Integer(command.first_key);
  reply.Integer(command.last_key);
  reply.Integer(command.key_step);
  WriteWords(reply, CategoriesOf(command));
  reply.Set(0);  // tips
  WriteKeySpecs(reply, command);
  reply.Set(command.subcommands.size());
  for (const Command& subcommand : command.subcommands) {
    WriteRow(reply, subcommand);
  }
}

// The arguments in a syntax: what spaces part outside of all brackets.
std::vector<std::string_view> Arguments(std::string_view syntax) {
  std::vector<std::string_view> arguments;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i <= syntax.size(); ++i) {
    if (i == syntax.size() || (syntax[i] == ' ' && depth == 0)) {
      if (i > begin) {
        arguments.push_back(syntax.substr(begin, i - begin));
      }
      begin = i + 1;
    } else if (syntax[i] == '[' || syntax[i] == '<') {
      ++depth;
    } else if (syntax[i] == ']' || syntax[i] == '>') {
      --depth;
    }
  }
  return arguments;
}

// Clients put the names together again to a hint; brackets are theirs to add.
void WriteArguments(resp::ReplyWriter& reply, std::string_view syntax) {
  const auto arguments = Arguments(syntax);
  reply.Array(arguments.size());
  for (const std::string_view argument : arguments) {
    const bool optional = argument.starts_with('[');
    reply.Map(optional ? 4 : 3);
    const std::string_view name = optional ? argument.substr(1, argument.size() - 2) : argument;
    reply.Bulk("name");
    reply.Bulk(name);
    reply.Bulk("type");
    reply.Bulk(name == "key" ? "key" : "string");
    reply.Bulk("display_text");
    reply.Bulk(name);
    if (optional) {
      reply.Bulk("flags");
      reply.Set(1);
      reply.Simple("optional");
    }
  }
}

void WriteDocs(resp::ReplyWriter& reply, const Command& command) {
  const bool has_arguments = !command.syntax.empty();
  const bool has_subcommands = !command.subcommands.empty();
  reply.Bulk(command.name);
  reply.Map(3 + (has_arguments ? 1 : 0) + (has_subcommands ? 1 : 0));
  reply.Bulk("summary");
  reply.Bulk(command.summary);
  reply.Bulk("since");
  reply.Bulk(command.since);
  reply.Bulk("group");
  reply.Bulk(command.group);
  if (has_arguments) {
    reply.Bulk("arguments");
    WriteArguments(reply, command.syntax);
  }
  if (has_subcommands) {
    reply.Bulk("subcommands");
    reply.Map(command.subcommands.size());
    for (const Command& subcommand : command.subcommands) {
      WriteDocs(reply, subcommand);
    }
  }
}

// A name as COMMAND INFO takes it: "get", "client|list".
const Command* Named(Call& call, std::string_view name) {
  const size_t bar = name.find('|');
  const std::string_view words[] = {name.substr(0, bar),
                                    bar == std::string_view::npos ? "" : name.substr(bar + 1)};
  const bool whole = bar == std::string_view::npos;
  const Command* found = call.host.commands().Find(std::span(words, whole ? 1 : 2));
  return found != nullptr && !whole && !found->name.contains('|') ? nullptr : found;
}

void RunAll(Call& call) {
  const auto all = call.host.commands().all();
  call.reply.Array(all.size());
  for (const Command* command : all) {
    WriteRow(call.reply, *command);
  }
}

void RunInfo(Call& call) {
  const auto names = call.arguments.subspan(2);
  if (names.empty()) {
    return RunAll(call);
  }
  call.reply.Array(names.size());
  for (const std::string_view name : names) {
    const Command* command = Named(call, name);
    command == nullptr ? call.reply.Null() : WriteRow(call.reply, *command);
  }
}

void RunDocs(Call& call) {
  const auto names = call.arguments.subspan(2);
  std::vector<const Command*> chosen;
  if (names.empty()) {
    chosen.assign(call.host.commands().all().begin(), call.host.commands().all().end());
  }
  for (const std::string_view name : names) {
    if (const Command* command = Named(call, name); command != nullptr) {
      chosen.push_back(command);
    }
  }
  call.reply.Map(chosen.size());
  for (const Command* command : chosen) {
    WriteDocs(call.reply, *command);
  }
}

void RunCount(Call& call) {
  call.reply.Integer(static_cast<int64_t>(call.host.commands().all().size()));
}

// COMMAND LIST [FILTERBY <MODULE name | ACLCAT category | PATTERN pattern>]
void RunList(Call& call) {
  const auto arguments = call.arguments.subspan(2);
  const bool filtered = arguments.size() == 3 && IsWord(arguments[0], "filterby");
  if (!filtered && !arguments.empty()) {
    return call.Fail(kSyntaxError);
  }
  std::vector<std::string_view> names;
  for (const Command* command : call.host.commands().all()) {
    bool shown = !filtered;
    if (filtered && IsWord(arguments[1], "pattern")) {
      shown = GlobMatches(arguments[2], command->name, true);
    } else if (filtered && IsWord(arguments[1], "aclcat")) {
      const auto categories = CategoriesOf(*command);
      shown = std::ranges::any_of(categories, [&](std::string_view category) {
        return IsWord(arguments[2], category.substr(1));
      });
    } else if (filtered && !IsWord(arguments[1], "module")) {
      return call.Fail(kSyntaxError);
    }
    if (shown) {
      names.push_back(command->name);
    }
  }
  call.reply.Array(names.size());
  for (const std::string_view name : names) {
    call.reply.Bulk(name);
  }
}

// The keys among the arguments of a command, or a failed call.
bool TakeKeys(Call& call, std::vector<std::string_view>& keys, const Command*& command) {
  const auto arguments = call.arguments.subspan(2);
  command = call.host.commands().Find(arguments);
  if (command == nullptr) {
    call.Fail("ERR Invalid command specified");
    return false;
  }
  const auto count = static_cast<int>(arguments.size());
  if (command->arity < 0 ? count < -command->arity : count != command->arity) {
    call.Fail("ERR Invalid number of arguments specified for command");
    return false;
  }
  if (command->first_key == 0) {
    call.Fail("ERR The command has no key arguments");
    return false;
  }
  const int last = command->last_key < 0 ? count + command->last_key : command->last_key;
  for (int i = command->first_key; i <= last && i < count; i += command->key_step) {
    keys.push_back(arguments[static_cast<size_t>(i)]);
  }
  return true;
}

void RunGetkeys(Call& call) {
  std::vector<std::string_view> keys;
  const Command* command = nullptr;
  if (!TakeKeys(call, keys, command)) {
    return;
  }
  call.reply.Array(keys.size());
  for (const std::string_view key : keys) {
    call.reply.Bulk(key);
  }
}

void RunGetkeysandflags(Call& call) {
  std::vector<std::string_view> keys;
  const Command* command = nullptr;
  if (!TakeKeys(call, keys, command)) {
    return;
  }
  call.reply.Array(keys.size());
  for (const std::string_view key : keys) {
    call.reply.Array(2);
    call.reply.Bulk(key);
    WriteWords(call.reply, {(command->flags & kFlagWrite) != 0 ? "RW" : "RO", "access"});
  }
}

constexpr Command Row(std::string_view name, int arity, std::string_view since,
                      std::string_view syntax, Function run) {
  return {.name = name,
          .arity = arity,
          .place = Place::kConnection,
          .flags = kFlagLoading | kFlagStale | kFlagAnywhere,
          .group = "server",
          .since = since,
          .summary = {},
          .syntax = syntax,
          .run = run};
}

constexpr Command Described(Command command, std::string_view summary) {
  command.summary = summary;
  return command;
}

constexpr Command kSubcommands[] = {
    Described(Row("command|count", 2, "2.8.13", "", RunCount),
              "Returns how many commands there are."),
    Described(Row("command|docs", -2, "7.0.0", "[command-name [command-name ...]]", RunDocs),
              "Returns what the commands do and which arguments they take."),
    Described(Row("command|getkeys", -4, "2.8.13", "command [arg [arg ...]]", RunGetkeys),
              "Returns the keys among the arguments of a command."),
    Described(
        Row("command|getkeysandflags", -4, "7.0.0", "command [arg [arg ...]]", RunGetkeysandflags),
        "Returns the keys among the arguments of a command, and what it does to them."),
    HelpRow("command|help", "server"),
    Described(Row("command|info", -2, "2.8.13", "[command-name [command-name ...]]", RunInfo),
              "Returns arity, flags and places of keys of the commands."),
    Described(Row("command|list", -2, "7.0.0",
                  "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]", RunList),
              "Lists the names of the commands."),
};

constexpr Command Container(Command command, std::span<const Command> subcommands) {
  command.subcommands = subcommands;
  return command;
}

constexpr Command kRows[] = {
    Container(Described(Row("command", -1, "2.8.13", "", RunAll),
                        "Returns arity, flags and places of keys of all commands."),
              kSubcommands),
};

}  // namespace

std::span<const Command> DocsCommands() {
  return kRows;
}

}  // namespace luna::command
