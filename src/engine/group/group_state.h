// GroupState: what a group's records mean: which databases and tablets are at home here, their
// clocks and outcomes. Applying a record is a function of the records before it, so recovery and
// followers reach the same state. No I/O but for Ingest, which repeats its manifest edit when it
// was lost.
// Thread rule: guarded by the caller (recovery, then the commit pipeline); FindDatabase,
// FindTablet, closed and removed are safe.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/group/inheritance.h"
#include "engine/group/oracle.h"
#include "engine/group/outcome_table.h"
#include "engine/group/records.h"
#include "engine/tablet/tablet.h"
#include "engine/transaction/snapshot_registry.h"
#include "luna/status.h"

namespace luna::group {

// A database at home in the group.
struct HomeDatabase {
  HomeDatabase(DatabaseId database, runtime::Clock& clock, Timestamp safe_point)
      : id(database), oracle(clock), snapshots(safe_point), newest(safe_point) {}
  const DatabaseId id;
  Oracle oracle;
  transaction::SnapshotRegistry snapshots;
  OutcomeTable outcomes;
  Timestamp newest = 0;  // largest commit timestamp applied
  Timestamp limit = 0;   // the newest TsLimit applied
};

class GroupState {
 public:
  explicit GroupState(runtime::Clock& clock) : clock_(clock) {}

  void AddDatabase(DatabaseId database, Timestamp safe_point);
  void RemoveDatabase(DatabaseId database);
  void AddTablet(std::shared_ptr<tablet::Tablet> tablet);
  void RemoveTablet(DatabaseId database, TabletId tablet);

  std::shared_ptr<HomeDatabase> FindDatabase(DatabaseId database) const;
  // Also a dropped one: handles give back what they registered.
  std::shared_ptr<HomeDatabase> FindEvenDropped(DatabaseId database) const;
  std::shared_ptr<tablet::Tablet> FindTablet(uint64_t qualified) const;
  std::vector<std::shared_ptr<tablet::Tablet>> Tablets() const;
  std::vector<std::shared_ptr<HomeDatabase>> Databases() const;

  // Applies the record at `sequence`. Records of dropped databases and tablets are passed over.
  // kLostData if the sequence is not the next one.
  Status Apply(journal::Sequence sequence, const Decoded& record);
  journal::Sequence applied() const { return applied_; }
  // The largest closed timestamp of all databases: every later commit in the stream is above it.
  Timestamp closed() const { return closed_.load(std::memory_order_acquire); }
  void SetClosed(Timestamp closed) { closed_.store(closed, std::memory_order_release); }
  // The newest epoch that began, as far as is applied.
  uint64_t begun() const { return begun_; }
  void SetBegun(uint64_t epoch) { begun_ = epoch; }
  void SetApplied(journal::Sequence sequence) { applied_ = sequence; }  // where replay begins

  // The servers that may not lead, in order.
  std::vector<std::string> removed() const;
  void SetRemoved(std::vector<std::string> servers);  // as SetApplied

  // Everything, as of the last record; memtables are shared.
  Inheritance Share() const;
  // The checkpoint records that carry clocks and outcomes, each of bounded size.
  std::vector<Checkpoint> MakeCheckpoints() const;

 private:
  void ApplyCommit(journal::Sequence sequence, DatabaseId database, const Commit& commit);
  Status ApplyIngest(journal::Sequence sequence, DatabaseId database, const Ingest& ingest);
  void ApplyCheckpoint(const Checkpoint& checkpoint);

  runtime::Clock& clock_;
  journal::Sequence applied_ = 0;
  std::atomic<Timestamp> closed_{0};
  uint64_t begun_ = 0;
  mutable base::Mutex mutex_;
  std::map<DatabaseId, std::shared_ptr<HomeDatabase>> databases_ GUARDED_BY(mutex_);
  std::map<DatabaseId, std::shared_ptr<HomeDatabase>> dropped_ GUARDED_BY(mutex_);
  std::map<uint64_t, std::shared_ptr<tablet::Tablet>> tablets_ GUARDED_BY(mutex_);
  std::vector<std::string> removed_ GUARDED_BY(mutex_);
};

}  // namespace luna::group
