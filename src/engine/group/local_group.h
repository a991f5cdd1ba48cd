// LocalGroup: a group with one replica: recovery from the stream, commits through the pipeline,
// memtables flushed in the background, the stream released behind them. Background kinds: "flush"
// (payload "<database>/<tablet>"; spawns "compact" with the same payload when done, whose handler
// the owner of the collections registers) and "tend" (once a second: what failed is tried again).
// Thread rule: safe.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/group/admission.h"
#include "engine/group/commit_pipeline.h"
#include "engine/group/group.h"
#include "engine/group/group_state.h"
#include "engine/group/job_failures.h"
#include "engine/group/tablet_payload.h"

namespace luna::group {

class LocalGroup final : public Group {
 public:
  LocalGroup(const GroupContext& context, Leadership leadership);
  ~LocalGroup() override;

  journal::Epoch epoch() const override { return epoch_; }
  basestore::ObjectNames& names() override { return names_; }
  void AddDatabase(DatabaseId database, Timestamp safe_point) override;
  void RemoveDatabase(DatabaseId database) override;
  void AddTablet(std::shared_ptr<tablet::Tablet> tablet) override;
  void RemoveTablet(DatabaseId database, TabletId tablet) override;
  Status Recover() override;
  void StartBackground() override;

  Result<Timestamp> Commit(const CommitRequest& request) override;
  std::vector<Result<Timestamp>> CommitAll(std::span<const CommitRequest> requests) override;
  Result<Timestamp> CommitIngest(DatabaseId database, TabletId tablet,
                                 std::vector<levels::Row> tables) override;
  Result<Outcome> GetOutcome(DatabaseId database, const TransactionId& id,
                             Timestamp started) override;

  Timestamp ReadTimestamp(DatabaseId database) override;
  transaction::SnapshotRegistry& snapshots(DatabaseId database) override;
  Timestamp RegisterRead(DatabaseId database) override;
  compaction::Retention Retention(DatabaseId database) override;
  transaction::LockTable& locks() override { return locks_; }

  Status Flush(DatabaseId database, TabletId tablet) override;
  Status Persist() override;
  Status WithCommitsPaused(const std::function<Status()>& body) override;
  Status Renew(bool resting) override;
  void ExpectHandOver() override;
  Status HandOver(const std::string& target) override;
  Result<journal::StreamState> Yield(const std::string& target) override;
  Status Remove(const std::string& server) override;
  Status Readmit(const std::string& server) override;
  std::vector<std::string> Removed() const override { return state_.removed(); }
  Status WithDatabaseFlushed(DatabaseId database, const std::function<Status()>& body) override;
  Result<uint64_t> VerifyStream() override;
  std::vector<std::string> UnflushedBlobs(DatabaseId database) override;
  const std::string& stream() const override { return stream_name_; }
  Result<Inheritance> Share() override;
  Counts counts() const override;
  void ReportJob(const background::Job& job, const Status& ended) override;
  void Stop(const Error& error) override;
  Status Close() override;

 private:
  // Logs who is removed, as `change` leaves them.
  Status Configure(const std::function<void(std::vector<std::string>&)>& change);
  // The record that says so, if anybody is.
  void AddConfig(std::vector<Decoded>& records) const;
  // kFenced: this server was taken out of the group.
  Status CheckMember() const;
  Status Replay();
  Status ReplayUpTo(journal::Sequence last);
  Status ReplayBy(journal::StreamReader& reader, journal::Sequence last, bool inherited);
  // What came with the fence, behind record `before`, and need not be read.
  Status ReplayFence(journal::Sequence before);
  Status Replayed(const journal::Record& record);
  void StartOracles();
  // Takes what was inherited, if it all fits. False: nothing was taken.
  bool Inherit(const journal::StreamState& stream, Inheritance& inherited);
  // Logs a Renew when it is time for one, before and after there is a pipeline.
  Status SayAlive();
  // Until visible time is not ahead of the clock: else keys would expire early.
  Status LogStart();
  void AwaitClock();
  Status Admitted(std::span<const CommitRequest> requests);
  // Runs `body` while no round is in flight.
  void BetweenRounds(const std::function<void()>& body);
  Pressure Measure() const;
  void RegisterJobs();
  void Tend();
  void RelieveMemory();
  Status FlushAll(tablet::Tablet& tablet);
  Status ReleaseStream();
  void SetDelay(const Admission& admission);
  // Inside Exclusive: freezes its active memtable by a record.
  Status LogRotation(const tablet::Tablet& tablet);
  // Inside Exclusive: everything the tablet has in memory goes to tables.
  Status FlushAlone(tablet::Tablet& tablet);
  Result<bool> FlushUpto(tablet::Tablet& tablet, journal::Sequence durable);
  Result<Timestamp> IngestAlone(tablet::Tablet& tablet, std::vector<levels::Row>& tables);

  const GroupContext context_;
  const std::string stream_name_;
  runtime::Runtime& runtime_;
  std::unique_ptr<journal::Stream> stream_;
  const journal::Epoch epoch_;
  const std::string server_;
  const std::string member_;
  const uint64_t renew_nanos_;                     // 0: nobody waits
  const bool started_;                             // LeaderStart is in the stream
  std::vector<std::string> fenced_;                // the last records there; until Recover
  std::unique_ptr<Inheritance> inherited_;         // until Recover
  std::map<DatabaseId, Timestamp> limits_before_;  // the fence, where it came with new ones
  uint64_t said_alive_ = 0;
  basestore::ObjectNames names_;
  GroupState state_;
  transaction::LockTable locks_;
  std::unique_ptr<CommitPipeline> pipeline_;  // from Recover on
  std::atomic<size_t> level0_tables_{0};      // the most of any collection, as of the last flush
  std::atomic<uint64_t> delay_micros_{0};
  std::atomic<bool> closed_{false};
  std::atomic<bool> expects_hand_over_{false};
  base::Counter flushes_;
  mutable base::Mutex mutex_;
  std::string delay_cause_ GUARDED_BY(mutex_);
  JobFailures failures_ GUARDED_BY(mutex_);
};

}  // namespace luna::group
