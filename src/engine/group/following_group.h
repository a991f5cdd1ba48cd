// FollowingGroup: a group that another process leads: the records of its stream, read from the
// journal, make the same GroupState here. Nothing is written: what would be is refused. It does
// nothing by itself; one thread, the follower's, looks and advances it, and tells it up to which
// time readers may see its databases.
// Thread rule: safe, but for what is said to be the follower's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/group/group.h"
#include "engine/group/group_state.h"

namespace luna::group {

class FollowingGroup final : public Group {
 public:
  // `refusal`: what a writer is told.
  FollowingGroup(const GroupContext& context, std::function<Error()> refusal);
  ~FollowingGroup() override;

  // --- The follower's ---

  // The stream by a read that begins now. kStreamMissing.
  Result<journal::StreamState> Look();
  // Why Advance stopped.
  enum class Halt : uint8_t {
    kTail,      // everything up to it is applied
    kStranger,  // the next record is of a database or tablet that is not known here
    kTables,    // the next record adds tables that the manifest had not when Settle was called last
    kFull,      // the memtables have their share of the memory
  };
  // Applies records up to `tail`. `knows_all`: the manifests were read after the tail was, so what
  // is not known is dropped, and its records are passed over. kLostData: the next record is not
  // there any more.
  Result<Halt> Advance(journal::Sequence tail, bool knows_all);
  // Begins anew: records after `released` are applied (again), to tablets that were restarted.
  void BeginAnew(journal::Sequence released);
  // Readers see the database as of all commits applied, and of `least` where that is later.
  void Show(DatabaseId database, Timestamp least);
  // What was committed below it may be gone from tables: reads of the past are refused.
  void RaiseFloor(DatabaseId database, Timestamp safe);
  std::vector<std::shared_ptr<tablet::Tablet>> Tablets() const { return state_.Tablets(); }
  std::shared_ptr<tablet::Tablet> FindTablet(DatabaseId database, TabletId tablet) const {
    return state_.FindTablet(Qualify(database, tablet));
  }
  // Whether tablets hold in memory what is in tables as well.
  bool HoldsFlushed() const;
  journal::Sequence applied() const { return state_.applied(); }
  // For Inheritance; nothing is applied any more.
  std::unique_ptr<journal::StreamReader> LeaveReader();

  // --- Group ---

  journal::Epoch epoch() const override { return 0; }  // leads under none
  basestore::ObjectNames& names() override { return names_; }
  void AddDatabase(DatabaseId database, Timestamp safe_point) override;
  void RemoveDatabase(DatabaseId database) override;
  void AddTablet(std::shared_ptr<tablet::Tablet> tablet) override;
  void RemoveTablet(DatabaseId database, TabletId tablet) override;
  Status Recover() override { return refusal_(); }
  void StartBackground() override {}

  Result<Timestamp> Commit(const CommitRequest&) override { return refusal_(); }
  std::vector<Result<Timestamp>> CommitAll(std::span<const CommitRequest> requests) override;
  Result<Timestamp> CommitIngest(DatabaseId, TabletId, std::vector<levels::Row>) override {
    return refusal_();
  }
  Result<Outcome> GetOutcome(DatabaseId, const TransactionId&, Timestamp) override {
    return refusal_();
  }

  Timestamp ReadTimestamp(DatabaseId database) override;
  transaction::SnapshotRegistry& snapshots(DatabaseId database) override;
  Timestamp RegisterRead(DatabaseId database) override;
  compaction::Retention Retention(DatabaseId) override { return {}; }  // drops nothing
  transaction::LockTable& locks() override { return locks_; }

  Status Flush(DatabaseId, TabletId) override { return refusal_(); }
  Status Persist() override { return refusal_(); }
  Status WithCommitsPaused(const std::function<Status()>&) override { return refusal_(); }
  Status Renew(bool) override { return refusal_(); }
  void ExpectHandOver() override {}
  Status HandOver(const std::string&) override { return refusal_(); }
  Result<journal::StreamState> Yield(const std::string&) override { return refusal_(); }
  Status Remove(const std::string&) override { return refusal_(); }
  Status Readmit(const std::string&) override { return refusal_(); }
  std::vector<std::string> Removed() const override { return state_.removed(); }
  Status WithDatabaseFlushed(DatabaseId, const std::function<Status()>&) override {
    return refusal_();
  }
  Result<uint64_t> VerifyStream() override;
  std::vector<std::string> UnflushedBlobs(DatabaseId database) override;
  const std::string& stream() const override { return stream_name_; }
  Counts counts() const override { return {}; }
  void ReportJob(const background::Job&, const Status&) override {}
  Result<Inheritance> Share() override { return state_.Share(); }  // the follower's
  void Stop(const Error&) override {}
  Status Close() override { return {}; }

 private:
  struct Pending {
    journal::Sequence sequence = 0;
    Decoded record;  // views into the reader's last record
  };
  // The next record is at hand afterwards.
  Status Fetch();
  bool IsStranger(const Decoded& record) const;
  std::optional<Halt> Consider(const Pending& next, bool knows_all) const;
  void Note(const Envelope& envelope);

  const GroupContext context_;
  const std::string stream_name_;
  runtime::Runtime& runtime_;
  const std::function<Error()> refusal_;
  basestore::ObjectNames names_;  // of epoch 0: never used
  transaction::LockTable locks_;
  GroupState state_;  // changed by the follower

  // The follower's.
  std::unique_ptr<journal::StreamFollower> follower_;
  std::unique_ptr<journal::StreamReader> reader_;
  std::optional<Pending> next_;
  std::map<DatabaseId, Timestamp> closed_;  // by what is said of each alone
};

}  // namespace luna::group
