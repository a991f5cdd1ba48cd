// CommitPipeline: everything that is appended to the group's stream goes through here, one round at
// a time: validate, assign timestamps, append, await the durability asked for, apply, publish,
// answer. What does not fit into one append goes in several rounds, in order, each with a fate of
// its own. An append that definitely failed (full disk) refuses its round and leaves the pipeline
// open. One that may or may not be in the stream, or a fence, stops it: later commits get that
// error until reopened.
// Thread rule: safe, unless a method says "inside": then only from the body of Exclusive.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "engine/group/commit_queue.h"
#include "engine/group/group_state.h"
#include "engine/group/round.h"
#include "kernel/journal/journal.h"

namespace luna::group {

struct PipelineContext {
  runtime::Runtime* runtime = nullptr;
  journal::Stream* stream = nullptr;
  GroupState* state = nullptr;
  base::MemoryBudget* budget = nullptr;
  storage::Storage* storage = nullptr;
  basestore::ObjectNames* names = nullptr;
  uint64_t epoch = 0;
  Durability durability = Durability::kDevice;
  AppendObserver* observer = nullptr;
  // A tablet's active memtable was frozen: it wants a flush. Must not wait.
  std::function<void(const tablet::Tablet&)> rotated;
};

class CommitPipeline {
 public:
  // `start`: the largest timestamp recovered; nothing before it counts as unchanged by itself.
  CommitPipeline(const PipelineContext& context, Timestamp start);

  std::vector<Result<Timestamp>> Commit(std::span<const CommitRequest> requests);
  // Runs `body` alone: no round is in flight and none starts.
  Status Exclusive(const std::function<Status()>& body);

  // Inside: appends and applies records, in one batch.
  Status Append(std::span<const Decoded> records, Durability durability);
  // Inside: the result of a round of its own with the timestamp it was given; applies and
  // publishes.
  Result<Timestamp> AppendAt(DatabaseId database, const std::function<Body(Timestamp)>& make);
  // Inside: logs a new limit for the database's readers, unless somebody just did.
  Status ExtendLimit(DatabaseId database);
  // Inside: logs that the leader is alive, and a closed timestamp of all databases: whatever is
  // committed later, anywhere, is above it.
  Status AppendClosed(const Renew& renew);
  // Inside, before a clean end: readers stand still, and the next start need not wait. `last` goes
  // with it, in one append.
  Status SealLimits(std::optional<Body> last = std::nullopt);
  // Inside, before an end that comes soon: seals, and logs no limit any more, so that whoever
  // starts then need not wait either. Commits go on; readers see time go on with them, and Renew
  // closes nothing.
  Status StandStill();

  // Freezes the tablet's memtable with the next round.
  void WantRotation(uint64_t qualified);
  // Nothing after this is accepted.
  void Stop(Error error);
  std::optional<Error> stopped() const;

  // Everything of the stream up to it is seen by whoever begins to read here. Nothing after the
  // stream's tail is; between the two is what was appended and is being applied. Safe.
  journal::Sequence published() const { return published_.load(std::memory_order_acquire); }

  const base::Counter& commits() const { return commits_; }
  const base::Counter& rounds() const { return rounds_; }
  const base::Counter& conflicts() const { return conflict_count_; }

 private:
  void Lead(std::span<Work* const> works);
  class Requests;
  void RunRound(Requests& next, Durability durability);
  void AddRotations(Round& round);
  Round NewRound();
  bool AddLimits(Round& round);  // true if a limit is logged
  // Afterwards readers see what was applied, and up to `least`.
  Status AppendRound(const Round& round, Durability durability, Timestamp least = 0);
  Status AppendAndApply(std::span<const Decoded> records, Durability durability);
  void Publish();  // readers see what is applied
  void TellSent(std::span<const Decoded> records);
  Status ApplyAll(std::span<const Decoded> records);
  void RotateFull(std::span<const Decoded> records);
  void Prune();

  const PipelineContext context_;
  transaction::ConflictTable conflicts_;
  CommitQueue queue_;
  std::vector<std::string> encoded_;     // the leader's, kept for its capacity
  std::vector<std::string_view> views_;  // likewise
  mutable base::Mutex mutex_;
  std::set<uint64_t> rotations_ GUARDED_BY(mutex_);
  std::optional<Error> stopped_ GUARDED_BY(mutex_);
  std::atomic<bool> is_stopped_{false};
  std::atomic<bool> has_rotations_{false};
  bool stands_still_ = false;  // inside
  std::atomic<journal::Sequence> published_;
  base::Counter commits_;
  base::Counter rounds_;
  base::Counter conflict_count_;
};

}  // namespace luna::group
