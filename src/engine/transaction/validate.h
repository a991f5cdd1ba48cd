// validate: may this transaction commit? Pure but for the questions it asks of Versions.
// Snapshot isolation: no written key changed since the start (first committer wins). Serializable:
// also nothing that was read, points and ranges, and no expiry of a read version within (start,
// commit]. Preconditions are judged on the newest versions. Blind changes (increments, appends with
// base kNone) and preconditions do not conflict by themselves; a change of a key that was read is
// not blind, and counts as a written key.
// Thread rule: guarded by the caller (the commit pipeline).
#pragma once

#include "engine/transaction/conflict_table.h"
#include "engine/transaction/read_set.h"
#include "engine/transaction/write_set.h"
#include "luna/status.h"

namespace luna::transaction {

// The committed state, as the tablets know it.
class Versions {
 public:
  virtual ~Versions() = default;
  virtual Result<Timestamp> NewestChange(TabletId tablet, std::string_view key, uint64_t key_hash,
                                         Timestamp after) = 0;
  virtual Result<Timestamp> NewestChangeIn(TabletId tablet, const entry::KeyRange& range,
                                           Timestamp after) = 0;
  struct Newest {
    std::optional<Current> value;  // live at `now`; blobs resolved
    Timestamp timestamp = 0;       // of the newest version if it is live; 0 = missing
  };
  virtual Result<Newest> Read(TabletId tablet, std::string_view key, Timestamp now) = 0;
};

struct Judged {
  Timestamp start = 0;   // 0: blind (WriteBatch, single operations): written keys are not checked
  Timestamp commit = 0;  // the timestamp it would get
  bool serializable = true;
  const ReadSet* reads = nullptr;  // null: nothing read; given under snapshot isolation too
  const WriteSet* writes = nullptr;
};

// Ok, or kWriteConflict, kReadConflict (naming the key or range), kPreconditionFailed, or an I/O
// error.
Status Validate(const Judged& judged, const ConflictTable& table, Versions& versions);

}  // namespace luna::transaction
