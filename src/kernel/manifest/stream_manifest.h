// StreamManifest: a manifest on a journal stream and a storage bucket, any Kernel's.
// Invariant, while turn_ is free: state_ and nonces_ are the function of the records 1..applied_.
// Retained at all times: the newest snapshot, and what rebuilds the same state without it: the one
// before with every record after it, or every record there ever was.
// Thread rule: safe; everything goes through turn_, the appends included.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kernel/manifest/edit_format.h"
#include "kernel/manifest/manifest.h"
#include "kernel/manifest/snapshot_format.h"
#include "runtime/turn.h"

namespace luna::manifest {

class StreamManifest : public Manifest {
 public:
  struct Place {
    runtime::Runtime& runtime;
    journal::Journal& journal;
    storage::Storage& storage;
    std::string name;
    std::string bucket;
  };
  StreamManifest(Place place, std::unique_ptr<journal::Stream> stream, State& state)
      : place_(std::move(place)),
        stream_(std::move(stream)),
        state_(state),
        turn_(place_.runtime) {}

  // Once, before anything else.
  Status Load();

  Status BeginWriting() override;
  Result<bool> Commit(std::string_view edit, const std::function<void(Position)>& done) override;
  Status CatchUp() override;
  void Inspect(const std::function<void(Position)>& reader) override;
  Status Snapshot() override;
  Status Link(const std::string& directory) override;

 private:
  // The record that Commit or Snapshot has in flight; its verdict once it was applied.
  struct Awaited {
    base::Id128 nonce;
    const std::function<void(Position)>* done = nullptr;
    std::optional<bool> verdict;
  };
  // What the last appends of Place were answered.
  struct Attempts {
    uint32_t count = 0;
    uint32_t fenced = 0;
    uint32_t unknown = 0;
    std::optional<Error> unknown_error;  // the first
  };

  std::string Where(Position position) const;
  base::Id128 NewId();
  base::Id128 NewNonce();

  Status LoadAlone();
  Status Apply(Position position, std::string_view payload);
  Result<bool> ApplyMark(Position position, std::string_view bytes);
  Status ReadOn();
  Result<bool> Append(RecordKind kind, std::string_view bytes,
                      const std::function<void(Position)>& done);
  Result<bool> AppendAwaited(std::string_view record);
  // Nothing: try again.
  std::optional<Error> Judge(const journal::AppendResult& result, Attempts& attempts) const;

  bool SnapshotIsDue() const;
  Status TakeSnapshot();
  Result<SnapshotMark> WriteSnapshot();
  Status ReleaseOld();

  Result<std::vector<SnapshotMark>> ScanMarks(Position released);
  // The newest usable one; nothing when all records are there to start from.
  Result<std::optional<manifest::Snapshot>> FindSnapshot(const std::vector<SnapshotMark>& marks,
                                                         Position released);

  const Place place_;
  std::unique_ptr<journal::Stream> stream_;  // changed under turn_
  State& state_;
  runtime::Turn turn_;
  // Guarded by turn_ from here on.
  NonceWindow nonces_;
  Position applied_ = 0;
  Position last_edit_ = 0;                // the last record that was no mark
  std::vector<SnapshotMark> marks_;       // valid ones whose object may be there, oldest first
  std::set<Position> broken_;             // covered positions whose object does not check
  uint64_t bytes_since_mark_ = 0;         // of edits
  uint64_t retry_snapshot_at_bytes_ = 0;  // after a failed snapshot
  std::optional<Awaited> awaited_;
};

}  // namespace luna::manifest
