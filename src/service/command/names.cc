// Which collection a connection works on, and the names there are: SELECT, USE, DATABASE,
// COLLECTION, FLUSHDB, FLUSHALL, SWAPDB.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/try.h"
#include "service/command/command_table.h"
#include "service/command/help.h"
#include "service/command/holdings.h"

namespace luna::command {
namespace {

constexpr int64_t kNumbered = 16;  // collections "0" to "15"

bool TakeIndex(Call& call, std::string_view text, int64_t& index) {
  if (!ParseInteger(text, index)) {
    call.Fail(kNotInteger);
    return false;
  }
  if (index < 0 || index >= kNumbered) {
    call.Fail("ERR DB index is out of range");
    return false;
  }
  return true;
}

void RunSelect(Call& call) {
  int64_t index = 0;
  if (!TakeIndex(call, call.arguments[1], index)) {
    return;
  }
  auto found = call.host.FindCollection(*call.session.database, std::to_string(index));
  if (!found.ok()) {
    return call.Fail(found.error());
  }
  call.session.collection = std::move(found).value();
  call.reply.Simple("OK");
}

// USE database[.collection], USE database collection
void RunUse(Call& call) {
  if (call.arguments.size() > 3) {
    return call.Fail(kSyntaxError);
  }
  std::string_view database = call.arguments[1];
  std::string_view collection = kDefaultCollection;
  const size_t dot = database.find('.');
  if (call.arguments.size() == 3) {
    collection = call.arguments[2];
  } else if (dot != std::string_view::npos) {
    collection = database.substr(dot + 1);
    database = database.substr(0, dot);
  }
  call.Answer(ChooseCollection(call.host, call.session, database, collection));
}

void WriteNames(Call& call, const Result<std::vector<std::string>>& names) {
  if (!names.ok()) {
    return call.Fail(names.error());
  }
  call.reply.Array(names->size());
  for (const std::string& name : *names) {
    call.reply.Bulk(name);
  }
}

// DROP name CONFIRM name
bool TakeConfirmed(Call& call) {
  if (!IsWord(call.arguments[3], "confirm") || call.arguments[4] != call.arguments[2]) {
    call.Fail(
        "ERR this deletes everything in it; to confirm, say its name twice: DROP name "
        "CONFIRM name");
    return false;
  }
  return true;
}

void RunDatabaseCreate(Call& call) {
  const std::string_view name = call.arguments[2];
  if (name.contains('.') || name.contains('@')) {
    return call.Fail(
        "ERR a database whose name has a '.' or '@' could not be named by USE and AUTH");
  }
  const auto created = call.host.universe().CreateDatabase(name);
  created.ok() ? call.reply.Simple("OK") : call.Fail(created.error());
}

void RunDatabaseDrop(Call& call) {
  const std::string_view name = call.arguments[2];
  if (!TakeConfirmed(call)) {
    return;
  }
  if (name == kDefaultDatabase) {
    return call.Fail("ERR the database 'default' stays: new connections begin in it; use FLUSHALL");
  }
  call.host.holdings().Forget(name);
  const Status dropped = call.host.universe().DropDatabase(name);
  call.host.ForgetDatabase(name);
  call.host.holdings().NamesChanged();
  call.Answer(dropped);
}

void RunDatabaseList(Call& call) {
  WriteNames(call, call.host.universe().ListDatabases());
}

void WriteCount(Call& call, std::string_view name, uint64_t value) {
  call.reply.Bulk(name);
  call.reply.Integer(static_cast<int64_t>(value));
}

// DATABASE INFO [name]
void RunDatabaseInfo(Call& call) {
  if (call.arguments.size() > 3) {
    return call.Fail(kSyntaxError);
  }
  const std::string name(call.arguments.size() == 3 ? call.arguments[2]
                                                    : call.session.database->name());
  const auto stats = call.host.universe().GetStats();
  if (!stats.ok()) {
    return call.Fail(stats.error());
  }
  const auto found = std::ranges::find(stats->databases, name, &Stats::DatabaseStats::name);
  if (found == stats->databases.end()) {
    return call.Fail("NOSUCHDB no database is called '" + name + "'; see DATABASE LIST");
  }
  CollectionStats sum;
  for (const CollectionStats& collection : found->collections) {
    sum.entries_estimate += collection.entries_estimate;
    sum.stored_bytes += collection.stored_bytes;
    sum.blob_bytes += collection.blob_bytes;
    sum.memtable_bytes += collection.memtable_bytes;
  }
  call.reply.Map(6);
  call.reply.Bulk("name");
  call.reply.Bulk(name);
  WriteCount(call, "collections", found->collections.size());
  WriteCount(call, "entries_estimate", sum.entries_estimate);
  WriteCount(call, "stored_bytes", sum.stored_bytes);
  WriteCount(call, "blob_bytes", sum.blob_bytes);
  WriteCount(call, "memtable_bytes", sum.memtable_bytes);
}

void RunCollectionCreate(Call& call) {
  const auto created = call.session.database->CreateCollection(call.arguments[2]);
  created.ok() ? call.reply.Simple("OK") : call.Fail(created.error());
}

void RunCollectionDrop(Call& call) {
  if (!TakeConfirmed(call)) {
    return;
  }
  const std::string_view name = call.arguments[2];
  if (name == kDefaultCollection) {
    return call.Fail("ERR the collection '0' stays: connections begin in it; use FLUSHDB");
  }
  const Status dropped = call.session.database->DropCollection(name);
  call.host.ForgetCollection(*call.session.database, name);
  call.host.holdings().NamesChanged();
  call.Answer(dropped);
}

void RunCollectionRename(Call& call) {
  Database& database = *call.session.database;
  if (call.arguments[2] == kDefaultCollection) {
    return call.Fail("ERR the collection '0' stays: connections begin in it; use SWAPDB");
  }
  const Status renamed = database.RenameCollection(call.arguments[2], call.arguments[3]);
  call.host.ForgetCollection(database, call.arguments[2]);
  call.host.ForgetCollection(database, call.arguments[3]);
  call.host.holdings().NamesChanged();
  call.Answer(renamed);
}

void RunCollectionList(Call& call) {
  WriteNames(call, call.session.database->ListCollections());
}

// COLLECTION INFO [name]
void RunCollectionInfo(Call& call) {
  if (call.arguments.size() > 3) {
    return call.Fail(kSyntaxError);
  }
  const std::string name(call.arguments.size() == 3 ? call.arguments[2] : call.collection().name());
  auto collection = call.arguments.size() == 3
                        ? call.host.FindCollection(*call.session.database, name)
                        : Result<std::shared_ptr<Collection>>(call.session.collection);
  if (!collection.ok()) {
    return call.Fail(collection.error());
  }
  const auto stats = (*collection)->Stats();
  if (!stats.ok()) {
    return call.Fail(stats.error());
  }
  call.reply.Map(10);
  call.reply.Bulk("name");
  call.reply.Bulk(name);
  call.reply.Bulk("database");
  call.reply.Bulk(call.session.database->name());
  WriteCount(call, "id", (*collection)->id());
  WriteCount(call, "entries_estimate", stats->entries_estimate);
  WriteCount(call, "stored_bytes", stats->stored_bytes);
  WriteCount(call, "blob_bytes", stats->blob_bytes);
  WriteCount(call, "memtable_bytes", stats->memtable_bytes);
  call.reply.Bulk("space_amplification");
  call.reply.Double(stats->space_amplification);
  WriteCount(call, "flushed_bytes", stats->flushed_bytes);
  WriteCount(call, "compacted_bytes", stats->compacted_bytes);
}

// FLUSHDB and FLUSHALL take ASYNC and SYNC, which are the same here.
bool TakeFlushMode(Call& call) {
  const bool fits = call.arguments.size() == 1 ||
                    (call.arguments.size() == 2 &&
                     (IsWord(call.arguments[1], "async") || IsWord(call.arguments[1], "sync")));
  if (!fits) {
    call.Fail(kSyntaxError);
  }
  return fits;
}

void RunFlushdb(Call& call) {
  if (TakeFlushMode(call)) {
    call.Answer(call.access.DeleteRange(call.collection(), {}, {}));
  }
}

Status FlushAll(Call& call) {
  Database& database = *call.session.database;
  for (const std::string& name : TRY(database.ListCollections())) {
    const auto collection = TRY(call.host.FindCollection(database, name));
    TRY(call.access.DeleteRange(*collection, {}, {}));
  }
  return {};
}

void RunFlushall(Call& call) {
  if (TakeFlushMode(call)) {
    call.Answer(FlushAll(call));
  }
}

// Three renames. If the process ends between them, one collection keeps the name in between, and
// the next SWAPDB of the pair says so.
Status Swap(Call& call, const std::string& first, const std::string& second) {
  Database& database = *call.session.database;
  const std::string between = "swap-" + first + "-" + second;
  TRY(call.host.FindCollection(database, first));   // both are there, and kept by the host, so that
  TRY(call.host.FindCollection(database, second));  // nobody makes an empty one meanwhile
  TRY(database.RenameCollection(first, between));
  Status done = database.RenameCollection(second, first);
  if (!done.ok()) {
    TRY(database.RenameCollection(between, first));
    return done;
  }
  return database.RenameCollection(between, second);
}

void RunSwapdb(Call& call) {
  int64_t first = 0;
  int64_t second = 0;
  if (!ParseInteger(call.arguments[1], first)) {
    return call.Fail("ERR invalid first DB index");
  }
  if (!ParseInteger(call.arguments[2], second)) {
    return call.Fail("ERR invalid second DB index");
  }
  if (!TakeIndex(call, call.arguments[1], first) || !TakeIndex(call, call.arguments[2], second)) {
    return;
  }
  if (first == second) {
    return call.reply.Simple("OK");
  }
  const std::string names[] = {std::to_string(first), std::to_string(second)};
  const Status swapped = Swap(call, names[0], names[1]);
  call.host.ForgetCollection(*call.session.database, names[0]);
  call.host.ForgetCollection(*call.session.database, names[1]);
  call.host.holdings().NamesChanged();
  call.Answer(swapped);
}

constexpr Command Row(std::string_view name, int arity, Place place, uint32_t flags, Function run) {
  return {.name = name,
          .arity = arity,
          .place = place,
          .flags = flags,
          .group = "luna",
          .since = "luna 0.2.0",
          .summary = {},
          .syntax = {},
          .run = run};
}

constexpr Command OfRedis(Command command, std::string_view group, std::string_view since) {
  command.group = group;
  command.since = since;
  return command;
}

constexpr Command Container(Command command, std::span<const Command> subcommands) {
  command.subcommands = subcommands;
  return command;
}

constexpr uint32_t kChanges = kFlagWrite | kFlagAdmin | kFlagNoMulti | kFlagNoTransaction;

constexpr Command kDatabaseRows[] = {
    Described(Row("database|create", 3, Place::kCommit, kChanges, RunDatabaseCreate), "name",
              "Makes a database."),
    Described(Row("database|drop", 5, Place::kCommit, kChanges, RunDatabaseDrop),
              "name CONFIRM name", "Deletes a database and everything in it."),
    HelpRow("database|help", "luna", "luna 0.2.0"),
    Described(Row("database|info", -2, Place::kRead, kFlagReadOnly, RunDatabaseInfo), "[name]",
              "Tells how large a database is."),
    Described(Row("database|list", 2, Place::kRead, kFlagReadOnly, RunDatabaseList), "",
              "Lists the databases."),
};

constexpr Command kCollectionRows[] = {
    Described(Row("collection|create", 3, Place::kCommit, kChanges, RunCollectionCreate), "name",
              "Makes a collection in the database."),
    Described(Row("collection|drop", 5, Place::kCommit, kChanges, RunCollectionDrop),
              "name CONFIRM name", "Deletes a collection and everything in it."),
    HelpRow("collection|help", "luna", "luna 0.2.0"),
    Described(Row("collection|info", -2, Place::kRead, kFlagReadOnly, RunCollectionInfo), "[name]",
              "Tells how large a collection is."),
    Described(Row("collection|list", 2, Place::kRead, kFlagReadOnly, RunCollectionList), "",
              "Lists the collections of the database."),
    Described(Row("collection|rename", 4, Place::kCommit, kChanges, RunCollectionRename),
              "name newname", "Gives a collection another name."),
};

constexpr Command kRows[] = {
    Container(Described(Row("collection", -2, Place::kRead, 0, nullptr), "",
                        "The collections of the database."),
              kCollectionRows),
    Container(Described(Row("database", -2, Place::kRead, 0, nullptr), "",
                        "The databases of the server."),
              kDatabaseRows),
    OfRedis(Described(Row("flushall", -1, Place::kWrite, kFlagWrite | kFlagPartial, RunFlushall),
                      "[ASYNC | SYNC]", "Deletes all keys of all collections of the database."),
            "server", "1.0.0"),
    OfRedis(Described(Row("flushdb", -1, Place::kWrite, kFlagWrite, RunFlushdb), "[ASYNC | SYNC]",
                      "Deletes all keys of the collection."),
            "server", "1.0.0"),
    OfRedis(Described(Row("select", 2, Place::kConnection,
                          kFlagLoading | kFlagStale | kFlagFast | kFlagAnywhere, RunSelect),
                      "index", "Goes on in the collection 0 to 15 of the database."),
            "connection", "1.0.0"),
    OfRedis(Described(Row("swapdb", 3, Place::kCommit, kChanges, RunSwapdb), "index1 index2",
                      "Swaps two numbered collections of the database."),
            "server", "4.0.0"),
    Described(
        Row("use", -2, Place::kConnection,
            kFlagLoading | kFlagFast | kFlagNoMulti | kFlagNoTransaction | kFlagAnywhere, RunUse),
        "database[.collection] [collection]",
        "Goes on in another database, in its collection 0 unless another is named."),
};

}  // namespace

std::span<const Command> NameCommands() {
  return kRows;
}

}  // namespace luna::command
