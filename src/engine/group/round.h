// Round: the commits of one round, judged in order, each against what the earlier ones of the round
// will have written; accepted ones become records. Nothing of it is in a tablet yet.
// Thread rule: owned by one thread (the leader of the commit queue).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/group/group.h"
#include "engine/group/group_state.h"
#include "engine/transaction/validate.h"

namespace luna::group {

struct RoundContext {
  GroupState* state = nullptr;
  transaction::ConflictTable* conflicts = nullptr;
  storage::Storage* storage = nullptr;  // blobs that a change made larger than kBlobBytes, or read
  basestore::ObjectNames* names = nullptr;
  uint64_t epoch = 0;
};

class Round final : private transaction::Versions {
 public:
  explicit Round(const RoundContext& context) : context_(context) {}
  ~Round() override;

  // The timestamp the request got, or why it was refused. A refused request leaves nothing behind.
  // kTransactionTooLarge: what its increments and appends make of the stored values does not fit
  // into a record of the stream.
  // `more`: further requests follow, which must see this one's writes.
  Result<Timestamp> Judge(const CommitRequest& request, bool more);
  // Adds a record that needs no judgement.
  void Add(Envelope envelope, Body body);

  // The append of the round definitely failed: removes the blobs that were stored for it.
  void Discard() { RemoveBlobs(0); }

  const std::vector<Decoded>& records() const { return records_; }
  // What the commits among the records take in the stream, at most.
  uint64_t bytes() const { return bytes_; }
  // Databases of judged requests; their oracles' rounds were begun.
  const std::vector<std::shared_ptr<HomeDatabase>>& databases() const { return databases_; }
  std::shared_ptr<HomeDatabase> Join(
      DatabaseId database);  // begins its oracle's round; null: no such database

 private:
  Result<Timestamp> NewestChange(uint64_t tablet, std::string_view key, uint64_t key_hash,
                                 Timestamp after) override;
  Result<Timestamp> NewestChangeIn(uint64_t tablet, const entry::KeyRange& range,
                                   Timestamp after) override;
  Result<Newest> Read(uint64_t tablet, std::string_view key, Timestamp now) override;

  Result<Timestamp> Consider(const CommitRequest& request, bool more);
  // Turns the write set into operations with final values.
  Result<Commit> Build(const CommitRequest& request, Timestamp commit);
  Result<Operation> BuildWrite(const CommitRequest& request, uint64_t qualified,
                               const std::string& key, const transaction::Pending& pending,
                               Timestamp commit);
  Status StoreValue(DatabaseId database, std::string value, Operation& operation);
  void RemoveBlobs(size_t from);
  void Remember(const CommitRequest& request, const Commit& commit);
  void NoteConflicts(const CommitRequest& request, Timestamp commit);

  struct Written {
    Operation operation;
    Timestamp timestamp = 0;
  };
  const RoundContext context_;
  std::vector<Decoded> records_;
  std::vector<std::shared_ptr<HomeDatabase>> databases_;
  std::deque<std::string> values_;  // evaluated values that operations point to
  std::vector<std::pair<DatabaseId, std::string>> blobs_;  // stored for evaluated values
  uint64_t bytes_ = 0;
  // Of accepted requests of this round; filled only while more follow.
  std::map<std::pair<uint64_t, std::string_view>, Written> written_;
  std::vector<std::pair<uint64_t, entry::RangeTombstone>> ranges_;
  std::map<std::pair<DatabaseId, TransactionId>, Timestamp> ids_;  // of accepted requests
};

}  // namespace luna::group
