// ACL: users and what they may do.
#include <algorithm>
#include <string>
#include <vector>

#include "runtime/tls/secrets.h"
#include "service/command/categories.h"
#include "service/command/command_table.h"
#include "service/command/help.h"
#include "service/command/holdings.h"

namespace luna::command {
namespace {

constexpr uint32_t kPlain = kFlagLoading | kFlagStale;
constexpr uint32_t kAdmin = kPlain | kFlagAdmin | kFlagNoScript;
constexpr std::string_view kNoFile =
    "ERR This server is not configured to use an ACL file. Start it with acl-file to keep the "
    "users that ACL SETUSER makes";

Users& UsersOf(Call& call) {
  return call.host.holdings().users();
}

void RunWhoami(Call& call) {
  call.reply.Bulk(call.session.user);
}

void RunUsers(Call& call) {
  const auto users = UsersOf(call).All();
  call.reply.Array(users.size());
  for (const auto& user : users) {
    call.reply.Bulk(user->name());
  }
}

void RunList(Call& call) {
  const auto users = UsersOf(call).All();
  call.reply.Array(users.size());
  for (const auto& user : users) {
    call.reply.Bulk("user " + user->name() + " " + user->Describe());
  }
}

void RunGetuser(Call& call) {
  const auto user = UsersOf(call).Find(call.arguments[2]);
  if (user == nullptr) {
    return call.reply.Null();
  }
  const std::string databases = user->DescribeDatabases();
  call.reply.Map(databases.empty() ? 6 : 7);
  call.reply.Bulk("flags");
  call.reply.Array(user->no_password() ? 2 : 1);
  call.reply.Bulk(user->on() ? "on" : "off");
  if (user->no_password()) {
    call.reply.Bulk("nopass");
  }
  call.reply.Bulk("passwords");
  call.reply.Array(user->password_digests().size());
  for (const std::string& digest : user->password_digests()) {
    call.reply.Bulk(digest);
  }
  call.reply.Bulk("commands");
  call.reply.Bulk(user->DescribeCommands());
  call.reply.Bulk("keys");
  call.reply.Bulk(user->DescribeKeys());
  call.reply.Bulk("channels");
  call.reply.Bulk(user->DescribeChannels());
  call.reply.Bulk("selectors");
  call.reply.Array(0);
  if (!databases.empty()) {
    call.reply.Bulk("databases");
    call.reply.Bulk(databases);
  }
}

void RunSetuser(Call& call) {
  const Status set =
      UsersOf(call).Set(call.host.commands(), call.arguments[2], call.arguments.subspan(3));
  set.ok() ? call.reply.Simple("OK") : call.Fail("ERR " + set.error().message());
}

// Their connections end; the caller's own after the reply.
void CloseConnectionsOf(Call& call, std::string_view user) {
  const uint64_t own = call.session.id;
  call.host.CloseClients([&](const ClientRow& row) { return row.user == user && row.id != own; });
  call.session.closing = call.session.closing || call.session.user == user;
}

void RunDeluser(Call& call) {
  const auto names = call.arguments.subspan(2);
  if (std::ranges::find(names, kDefaultUser) != names.end()) {
    return call.Fail("ERR The 'default' user cannot be removed");
  }
  int64_t removed = 0;
  for (const std::string_view name : names) {
    if (UsersOf(call).Remove(name)) {
      ++removed;
      CloseConnectionsOf(call, name);
    }
  }
  call.reply.Integer(removed);
}

void RunGenpass(Call& call) {
  int64_t bits = 256;
  if (call.arguments.size() > 3) {
    return call.Fail("ERR wrong number of arguments for 'acl|genpass' command");
  }
  if (call.arguments.size() == 3 &&
      (!ParseInteger(call.arguments[2], bits) || bits <= 0 || bits > 4096)) {
    return call.Fail(
        "ERR ACL GENPASS argument must be the number of bits for the output password, a positive "
        "number up to 4096");
  }
  call.reply.Bulk(tls::RandomHex(static_cast<size_t>(bits + 3) / 4));
}

// ACL DRYRUN user command [arg ...]: judges it in the database of this connection.
void RunDryrun(Call& call) {
  const auto user = UsersOf(call).Find(call.arguments[2]);
  if (user == nullptr) {
    return call.Fail("ERR User '" + std::string(call.arguments[2]) + "' not found");
  }
  const auto arguments = call.arguments.subspan(3);
  const Command* command = call.host.commands().Find(arguments);
  if (command == nullptr || (!command->subcommands.empty() && arguments.size() > 1)) {
    return call.Fail("ERR Command '" + std::string(arguments[0]) + "' not found");
  }
  const auto arity = static_cast<size_t>(std::abs(command->arity));
  if (command->arity < 0 ? arguments.size() < arity : arguments.size() != arity) {
    return call.Fail("ERR wrong number of arguments for '" + std::string(command->name) +
                     "' command");
  }
  const Refusal refusal = user->Judge(*command, arguments, call.session.database->name());
  const std::string object = "'" + refusal.object + "'";
  switch (refusal.kind) {
    case Refusal::Kind::kNone:
      return call.reply.Simple("OK");
    case Refusal::Kind::kCommand:
      return call.reply.Bulk("This user has no permissions to run the " + object + " command");
    case Refusal::Kind::kKey:
      return call.reply.Bulk("This user has no permissions to access the " + object + " key");
    case Refusal::Kind::kDatabase:
      return call.reply.Bulk("This user has no permissions to use the " + object + " database");
  }
}

void WriteDenial(Call& call, const Denial& denial, uint64_t now_nanos) {
  const uint64_t millis = (now_nanos - std::min(now_nanos, denial.last_nanos)) / 1'000'000;
  call.reply.Map(7);
  call.reply.Bulk("count");
  call.reply.Integer(static_cast<int64_t>(denial.count));
  call.reply.Bulk("reason");
  call.reply.Bulk(denial.reason);
  call.reply.Bulk("context");
  call.reply.Bulk(denial.context);
  call.reply.Bulk("object");
  call.reply.Bulk(denial.object);
  call.reply.Bulk("username");
  call.reply.Bulk(denial.user);
  call.reply.Bulk("age-seconds");
  call.reply.Bulk(std::to_string(millis / 1000) + "." +
                  std::to_string(1000 + millis % 1000).substr(1));
  call.reply.Bulk("client-info");
  call.reply.Bulk(denial.client);
}

// ACL LOG [count | RESET]
void RunLog(Call& call) {
  int64_t count = 10;
  if (call.arguments.size() > 3) {
    return call.Fail("ERR wrong number of arguments for 'acl|log' command");
  }
  if (call.arguments.size() == 3 && IsWord(call.arguments[2], "reset")) {
    UsersOf(call).denials().Clear();
    return call.reply.Simple("OK");
  }
  if (call.arguments.size() == 3 && !ParseInteger(call.arguments[2], count)) {
    return call.Fail(kNotInteger);
  }
  const auto rows = UsersOf(call).denials().Rows();
  const size_t shown = std::min(rows.size(), static_cast<size_t>(std::max<int64_t>(count, 0)));
  const uint64_t now = call.host.runtime().clock().MonotonicNanos();
  call.reply.Array(shown);
  for (size_t i = 0; i < shown; ++i) {
    WriteDenial(call, rows[i], now);
  }
}

void RunLoad(Call& call) {
  Users& users = UsersOf(call);
  if (users.file().empty()) {
    return call.Fail(kNoFile);
  }
  const auto before = users.All();
  if (const Status loaded = users.Load(call.host.commands(), call.host.runtime().files());
      !loaded.ok()) {
    return call.Fail("ERR " + loaded.error().message() + "; the users are as before");
  }
  for (const auto& user : before) {
    if (users.Find(user->name()) == nullptr) {
      CloseConnectionsOf(call, user->name());
    }
  }
  call.reply.Simple("OK");
}

void RunSave(Call& call) {
  const Users& users = UsersOf(call);
  if (users.file().empty()) {
    return call.Fail(kNoFile);
  }
  const Status saved = users.Save(call.host.runtime().files());
  saved.ok() ? call.reply.Simple("OK") : call.Fail(saved.error());
}

void RunCat(Call& call) {
  if (call.arguments.size() > 3) {
    return call.Fail(kSyntaxError);
  }
  std::vector<std::string_view> words = AllCategories();
  if (call.arguments.size() == 3) {
    const std::string_view wanted = call.arguments[2];
    if (std::ranges::none_of(words, [&](std::string_view word) { return IsWord(wanted, word); })) {
      return call.Fail("ERR Unknown category '" + std::string(wanted) + "'");
    }
    words.clear();
    for (const Command* command : call.host.commands().all()) {
      if (std::ranges::any_of(CategoriesOf(*command), [&](std::string_view category) {
            return IsWord(wanted, category.substr(1));
          })) {
        words.push_back(command->name);
      }
    }
  }
  call.reply.Array(words.size());
  for (const std::string_view word : words) {
    call.reply.Bulk(word);
  }
}

constexpr Command Row(std::string_view name, int arity, uint32_t flags, Function run,
                      std::string_view syntax, std::string_view summary) {
  return {.name = name,
          .arity = arity,
          .place = Place::kConnection,
          .flags = flags,
          .group = "server",
          .since = "6.0.0",
          .summary = summary,
          .syntax = syntax,
          .run = run};
}

// Waits for a disk.
constexpr Command Slow(Command command) {
  command.place = Place::kSlow;
  command.flags |= kFlagNoTransaction;
  return command;
}

constexpr Command kSubcommands[] = {
    Row("acl|cat", -2, kPlain, RunCat, "[category]",
        "Lists the categories of commands, or the commands of one."),
    Row("acl|deluser", -3, kAdmin, RunDeluser, "username [username ...]",
        "Removes users and closes their connections."),
    Row("acl|dryrun", -4, kAdmin, RunDryrun, "username command [arg ...]",
        "Tells whether a user may run a command."),
    Row("acl|genpass", -2, kPlain, RunGenpass, "[bits]", "Makes a password that nobody can guess."),
    Row("acl|getuser", 3, kAdmin, RunGetuser, "username", "Lists the rules of a user."),
    HelpRow("acl|help", "server", "6.0.0"),
    Row("acl|list", 2, kAdmin, RunList, "", "Lists the users and rules."),
    Slow(Row("acl|load", 2, kAdmin, RunLoad, "", "Takes the users of the ACL file, all or none.")),
    Row("acl|log", -2, kAdmin, RunLog, "[count | RESET]", "Lists what was refused lately."),
    Slow(Row("acl|save", 2, kAdmin, RunSave, "", "Writes the users to the ACL file.")),
    Row("acl|setuser", -3, kAdmin, RunSetuser, "username [rule [rule ...]]",
        "Makes a user or changes its rules."),
    Row("acl|users", 2, kAdmin, RunUsers, "", "Lists the users."),
    Row("acl|whoami", 2, kPlain, RunWhoami, "", "Returns the user of the connection."),
};

constexpr Command kRows[] = {
    {.name = "acl",
     .arity = -2,
     .place = Place::kConnection,
     .flags = 0,
     .group = "server",
     .since = "6.0.0",
     .summary = "Users and categories of commands.",
     .syntax = "",
     .run = nullptr,
     .subcommands = kSubcommands},
};

}  // namespace

std::span<const Command> AclCommands() {
  return kRows;
}

}  // namespace luna::command
