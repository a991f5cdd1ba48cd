// DatabaseState: the metadata of one database, a pure function of its manifest's edits.
// Thread rule: guarded by the caller (the Manifest calls it under its Turn; others through
// Inspect).
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "engine/catalog/leads.h"
#include "kernel/manifest/manifest.h"

namespace luna::catalog {

struct TabletState {
  TabletId id = 0;
  CollectionId collection = 0;
  entry::KeyRange range;  // {"" , ""}: everything
  uint64_t group = kFirstGroup;
  uint64_t tenure = 1;
  journal::Sequence flushed = 0;   // records of the group's stream up to here are in tables
  journal::Sequence ingested = 0;  // the last Ingest record applied
};

struct CollectionState {
  CollectionId id = 0;
  std::string name;
  std::shared_ptr<const levels::Levels> levels;
};

struct JobState {
  JobId id = 0;
  CollectionId collection = 0;
  std::set<std::string> inputs;
};

class DatabaseState final : public manifest::State {
 public:
  Result<bool> Apply(manifest::Position position, std::string_view edit) override;
  std::string Save() const override;
  Status Load(std::string_view saved) override;

  const std::map<CollectionId, CollectionState>& collections() const { return collections_; }
  const std::map<TabletId, TabletState>& tablets() const { return tablets_; }
  const std::map<JobId, JobState>& jobs() const { return jobs_; }
  Timestamp safe_point() const { return safe_point_; }
  const Leads& leads() const { return leads_; }
  const CollectionState* FindCollection(std::string_view name) const;
  // Every object the state refers to: tables, and parts of the blobs their rows name.
  std::set<std::string> LiveTables() const;
  std::set<std::string> LiveBlobs() const;  // blob names, not part names

 private:
  bool Judge(manifest::Position position, const CreateCollection& edit);
  bool Judge(manifest::Position position, const DropCollection& edit);
  bool Judge(manifest::Position position, const RenameCollection& edit);
  bool Judge(manifest::Position position, const Flush& edit);
  bool Judge(manifest::Position position, const Ingest& edit);
  bool Judge(manifest::Position position, const JobStart& edit);
  bool Judge(manifest::Position position, const JobCommit& edit);
  bool Judge(manifest::Position position, const JobAbort& edit);
  bool Judge(manifest::Position position, const SafePoint& edit);
  bool Judge(manifest::Position position, const AttachTables& edit);
  template <typename Other>
  bool Judge(manifest::Position, const Other&) {
    return false;
  }  // edits of the system database
  Status Load(base::ByteReader& reader);  // what follows the leads

  Leads leads_;
  std::map<CollectionId, CollectionState> collections_;
  std::map<TabletId, TabletState> tablets_;
  std::map<JobId, JobState> jobs_;
  Timestamp safe_point_ = 0;
};

}  // namespace luna::catalog
