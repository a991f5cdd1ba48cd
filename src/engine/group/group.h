// Group: a tablet group: one Kernel stream, its records applied to its tablets, the oracles of the
// databases at home here. Embedded: one group with one replica holds every database.
//
// A commit round: the thread that finds no round in flight leads one (flat combining, no timer):
// takes all waiting requests, validates them in order, assigns timestamps, appends one batch,
// awaits the durability asked for, applies to memtables, publishes, answers; later arrivals form
// the next round, led by the oldest of them. Nothing is visible before it is durable at its level.
// An append that fails is never retried: definitely not committed, or (unknown) the group stops
// with kSyncFailed until it is reopened.
// Thread rule: safe, unless a method says otherwise.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "engine/basestore/object_names.h"
#include "engine/group/inheritance.h"
#include "engine/tablet/tablet.h"
#include "engine/transaction/lock_table.h"
#include "engine/transaction/snapshot_registry.h"
#include "engine/transaction/validate.h"
#include "kernel/kernel.h"
#include "luna/components.h"
#include "luna/database.h"

namespace luna::group {

using catalog::DatabaseId;
using catalog::TabletId;

// Tablet ids are unique in their database only; transactions and locks name tablets by this.
uint64_t Qualify(DatabaseId database, TabletId tablet);

// The name of the group's stream in the journal.
inline constexpr const char* kStreamName = "group-1";

// Leadership that was won by a fence already (cluster/replica): the stream, opened and fenced.
struct Leadership {
  std::unique_ptr<journal::Stream> stream{};
  journal::Epoch epoch = 0;
  std::string server{};      // as others know it
  std::string member{};      // as Remove names it
  uint64_t renew_nanos = 0;  // a start that takes longer says every so often that it is alive
  // What came with the fence, of which LeaderStart is the last; none: the group logs one.
  std::vector<std::string> fenced{};
  std::unique_ptr<Inheritance> inherited{};  // null, or of no use: everything is replayed
};

// Told of every append to the group's stream, by the thread that makes it: a lease counts from when
// an acknowledged append was handed over. Calls come one pair after the other and must not wait.
class AppendObserver {
 public:
  enum class Kind : uint8_t { kCommit, kRenew, kLeaderStart, kTransfer };
  virtual ~AppendObserver() = default;
  virtual void OnAppendSent(journal::Epoch epoch, Kind kind) = 0;
  virtual void OnAppended(journal::Epoch epoch, const journal::AppendResult& result) = 0;
  // Where LeaderStart came with the fence (Leadership::fenced): all that was before it is applied.
  virtual void OnStarted(journal::Epoch epoch) = 0;
};

struct GroupContext {
  kernel::Kernel* kernel = nullptr;
  base::MemoryBudget* budget = nullptr;
  Durability durability = Durability::kDevice;
  uint64_t relaxed_millis = 100;
  uint64_t retention_millis = 0;
  uint64_t memtable_bytes_total =
      0;  // all memtables together: flush at 70 %, slow from 85 %, wait at 100 %
  uint64_t journal_bytes = uint64_t{256}
                           << 20;  // retained; past it the oldest unflushed tablets are flushed
  // What the stream must retain before some of it is released: less than a segment frees nothing.
  uint64_t release_bytes = journal::StreamOptions{}.segment_bytes;
  EventListener* listener = nullptr;
  AppendObserver* observer = nullptr;  // null: nobody has a lease
};

struct CommitRequest {
  DatabaseId database = 0;
  Timestamp start = 0;  // 0: blind
  bool serializable = true;
  const transaction::ReadSet* reads = nullptr;    // of every isolation
  const transaction::WriteSet* writes = nullptr;  // tablets qualified
  Durability durability = Durability::kDevice;
  std::optional<TransactionId> id;
  Timestamp begun = 0;  // with an id: when the transaction began
};

class Group {
 public:
  // Opens the group's stream and fences it: from here on this process is its only leader.
  static Result<std::unique_ptr<Group>> Open(const GroupContext& context);
  // Leads under a fence won before.
  static Result<std::unique_ptr<Group>> Open(const GroupContext& context, Leadership leadership);
  virtual ~Group() = default;

  virtual journal::Epoch epoch() const = 0;
  virtual basestore::ObjectNames& names() = 0;

  // Before Recover, and later for new ones. `safe_point`: the manifest's.
  virtual void AddDatabase(DatabaseId database, Timestamp safe_point) = 0;
  // After it was dropped, as RemoveTablet for each of its tablets.
  virtual void RemoveDatabase(DatabaseId database) = 0;
  virtual void AddTablet(std::shared_ptr<tablet::Tablet> tablet) = 0;
  // After its collection was dropped: waits for a round and a flush in flight and lets its
  // memtables go. Its commits: kCollectionMissing.
  virtual void RemoveTablet(DatabaseId database, TabletId tablet) = 0;
  // Replays the stream into the tablets, starts the oracles, logs LeaderStart. Once, before any
  // commit.
  virtual Status Recover() = 0;
  // Begins background work. After the owner swept orphans: a flush that runs meanwhile writes
  // objects that no manifest names yet.
  virtual void StartBackground() = 0;

  virtual Result<Timestamp> Commit(const CommitRequest& request) = 0;
  // In one round as long as what they write fits (16 MiB), else in several, in order: one result
  // each, and each succeeds or fails by itself.
  virtual std::vector<Result<Timestamp>> CommitAll(std::span<const CommitRequest> requests) = 0;
  // Makes finished tables visible at a fresh commit timestamp (the rows get it as
  // assigned_timestamp).
  virtual Result<Timestamp> CommitIngest(DatabaseId database, TabletId tablet,
                                         std::vector<levels::Row> tables) = 0;
  virtual Result<Outcome> GetOutcome(DatabaseId database, const TransactionId& id,
                                     Timestamp started) = 0;

  // A timestamp to read at without registering (single Gets).
  virtual Timestamp ReadTimestamp(DatabaseId database) = 0;
  virtual transaction::SnapshotRegistry& snapshots(DatabaseId database) = 0;
  // Registers the newest read timestamp / gives it back.
  virtual Timestamp RegisterRead(DatabaseId database) = 0;
  // What compaction and flush must keep; advances the floor.
  virtual compaction::Retention Retention(DatabaseId database) = 0;
  virtual transaction::LockTable& locks() = 0;

  // Freezes the tablet's active memtable and flushes all immutable ones; returns when done.
  virtual Status Flush(DatabaseId database, TabletId tablet) = 0;
  // Raises every earlier commit to device durability.
  virtual Status Persist() = 0;
  // Runs `body` while no round is in flight and none starts; for checkpoints. The stream was rolled
  // first and everything acknowledged is durable.
  virtual Status WithCommitsPaused(const std::function<Status()>& body) = 0;
  // Logs that the leader is alive, and whether it rests until somebody asks; and, for followers, a
  // timestamp at or below which no database commits any more (closed).
  virtual Status Renew(bool resting) = 0;
  // HandOver or Yield comes soon, whatever happens: that the next epoch took a manifest already
  // (kFenced to Stop) ends no commits any more. Edits of that manifest are void from then on. The
  // clocks stand still between commits, so that the next leader need not wait for its own.
  virtual void ExpectHandOver() = 0;
  // Logs that `target` (empty: anyone) may lead at once. Later commits: kFenced, also when this
  // fails.
  virtual Status HandOver(const std::string& target) = 0;
  // Logs nothing and takes no more: `target` may lead once it knows, by fencing the stream where it
  // ends, which is returned. Later commits: kFenced.
  virtual Result<journal::StreamState> Yield(const std::string& target) = 0;
  // Logs that `server` may not lead any more, or may again. kBadOption: it is this one, or too many
  // were removed. Nothing where it is so already.
  virtual Status Remove(const std::string& server) = 0;
  virtual Status Readmit(const std::string& server) = 0;
  // Those that may not lead.
  virtual std::vector<std::string> Removed() const = 0;
  // Flushes every tablet of the database, then runs `body` while no round is in flight and every
  // commit so far is in tables: what the manifest says is one moment of the database.
  virtual Status WithDatabaseFlushed(DatabaseId database, const std::function<Status()>& body) = 0;
  // Reads every retained record of the stream and checks it; how many there are.
  virtual Result<uint64_t> VerifyStream() = 0;
  // Blobs that unflushed memtables refer to (orphan sweep).
  virtual std::vector<std::string> UnflushedBlobs(DatabaseId database) = 0;
  // The stream's name in the journal.
  virtual const std::string& stream() const = 0;

  // What it knows, as of one record of the stream; memtables are shared, and go on changing.
  virtual Result<Inheritance> Share() = 0;

  struct Counts {
    uint64_t commits = 0;
    uint64_t rounds = 0;
    uint64_t conflicts = 0;
    uint64_t flushes = 0;
    uint64_t journal_bytes = 0;
    // Of the stream: everything that was acknowledged, or can be read here, is at or before it.
    journal::Sequence tail = 0;
    // Everything at or before it is seen by whoever begins to read here. A record is in the stream,
    // where followers find it, a little before that.
    journal::Sequence published = 0;
    uint64_t delay_micros = 0;
    std::string delay_cause;
    std::string background_error;  // in force now; empty = none
  };
  virtual Counts counts() const = 0;
  // A background job ended. A failure goes to the listener, and to counts() until the same job ends
  // well; it is tried again. Damage stays.
  virtual void ReportJob(const background::Job& job, const Status& ended) = 0;
  // Ends commits for good, as a record that could not be written does: the universe must be opened
  // again, here or by another leader. The first error is what later commits are told.
  virtual void Stop(const Error& error) = 0;
  // Stops background work of the group, persists relaxed commits; later commits: kShutDown.
  virtual Status Close() = 0;
};

}  // namespace luna::group
