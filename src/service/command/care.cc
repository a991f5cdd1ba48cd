// Care of the stored data: BACKUP, CHECKPOINT, RESTORE, COMPACT, FLUSH, VERIFY, STATS.
#include <string>

#include "service/command/bounds.h"
#include "service/command/command_table.h"
#include "service/command/read_gate.h"

namespace luna::command {
namespace {

void WriteCount(Call& call, std::string_view name, uint64_t value) {
  call.reply.Bulk(name);
  call.reply.Integer(static_cast<int64_t>(value));
}

// BACKUP [START] directory
void RunBackup(Call& call) {
  const bool has_start = call.arguments.size() == 3 && IsWord(call.arguments[1], "start");
  if (call.arguments.size() != 2 && !has_start) {
    return call.Fail(kSyntaxError);
  }
  const auto report = call.session.database->Backup(std::string(call.arguments.back()));
  if (!report.ok()) {
    return call.Fail(report.error());
  }
  if (const Status confirmed = Confirm(call.host.read_gate(), call.session.freshness);
      !confirmed.ok()) {
    return call.Fail(confirmed.error());  // another leader may have committed more before it began
  }
  call.reply.Map(3);
  WriteCount(call, "objects_copied", report->objects_copied);
  WriteCount(call, "bytes_copied", report->bytes_copied);
  WriteCount(call, "objects_kept", report->objects_kept);
}

void RunCheckpoint(Call& call) {
  const Status made = call.host.universe().Checkpoint(std::string(call.arguments[1]));
  call.Answer(made.ok() ? Confirm(call.host.read_gate(), call.session.freshness) : made);
}

void RunRestore(Call& call) {
  call.Answer(call.host.universe().Restore(std::string(call.arguments[1]), call.arguments[2]));
}

// COMPACT [min max | PREFIX prefix]
void RunCompact(Call& call) {
  KeyRange range;
  size_t next = 1;
  if (call.arguments.size() > 1 && !TakeRange(call, next, range)) {
    return;
  }
  if (next != call.arguments.size()) {
    return call.Fail(kSyntaxError);
  }
  range.empty ? call.reply.Simple("OK")
              : call.Answer(call.collection().Compact(range.begin, range.end));
}

void RunFlush(Call& call) {
  call.Answer(call.collection().Flush());
}

void RunVerify(Call& call) {
  const auto report = call.host.universe().Verify();
  if (!report.ok()) {
    return call.Fail(report.error());
  }
  call.reply.Map(4);
  WriteCount(call, "objects", report->objects);
  WriteCount(call, "bytes", report->bytes);
  WriteCount(call, "journal_records", report->journal_records);
  call.reply.Bulk("damage");
  call.reply.Array(report->damage.size());
  for (const Error& damage : report->damage) {
    call.reply.Bulk(damage.ToString());
  }
}

void RunStats(Call& call) {
  const auto stats = call.host.universe().GetStats();
  if (!stats.ok()) {
    return call.Fail(stats.error());
  }
  call.reply.Map(16);
  WriteCount(call, "databases", stats->databases.size());
  WriteCount(call, "memory_used", stats->memory_used);
  WriteCount(call, "memory_budget", stats->memory_budget);
  WriteCount(call, "commits", stats->commits);
  WriteCount(call, "commit_rounds", stats->commit_rounds);
  WriteCount(call, "conflicts", stats->conflicts);
  WriteCount(call, "reads", stats->reads);
  WriteCount(call, "cache_hits", stats->cache_hits);
  WriteCount(call, "cache_misses", stats->cache_misses);
  WriteCount(call, "journal_bytes", stats->journal_bytes);
  WriteCount(call, "flushes", stats->flushes);
  WriteCount(call, "compactions", stats->compactions);
  WriteCount(call, "open_snapshots", stats->open_snapshots);
  WriteCount(call, "oldest_snapshot_millis", stats->oldest_snapshot_millis);
  WriteCount(call, "delay_micros", stats->delay_micros);
  call.reply.Bulk("background_error");
  call.reply.Bulk(stats->background_error);
}

constexpr Command Row(std::string_view name, int arity, std::string_view syntax,
                      std::string_view summary, Function run) {
  return {.name = name,
          .arity = arity,
          .place = Place::kSlow,
          .flags = kFlagAdmin | kFlagNoScript | kFlagNoMulti,
          .group = "luna",
          .since = "luna 0.2.0",
          .summary = summary,
          .syntax = syntax,
          .run = run};
}

constexpr Command Confirming(Command command) {
  command.flags |= kFlagConfirms;
  return command;
}

constexpr Command kRows[] = {
    Confirming(Row("backup", -2, "[START] directory",
                   "Brings the backup of the database in a directory of the server up to now.",
                   RunBackup)),
    Confirming(Row("checkpoint", 2, "directory",
                   "Makes a second universe with everything committed so far, by links.",
                   RunCheckpoint)),
    Row("compact", -1, "[min max | PREFIX prefix]",
        "Merges the collection, or a range of it, to its last level.", RunCompact),
    Row("flush", 1, "", "Writes what the collection has in memory to tables.", RunFlush),
    Row("restore", 3, "directory database",
        "Makes a new database from the newest state of a backup.", RunRestore),
    Row("stats", 1, "", "Returns the counters of the universe.", RunStats),
    Row("verify", 1, "", "Reads everything stored and checks it.", RunVerify),
};

}  // namespace

std::span<const Command> CareCommands() {
  return kRows;
}

}  // namespace luna::command
