#include "engine/catalog/database_state.h"

#include <algorithm>
#include <type_traits>

#include "base/coding.h"
#include "base/try.h"

namespace luna::catalog {

namespace {

constexpr uint8_t kStateVersion = 1;
constexpr uint8_t kLedStateVersion = 2;  // somebody took the lead: begins with the leads

Error BadState(const char* what) {
  return Error(Reason::kBadFormat, std::string("a saved manifest state is damaged: ") + what +
                                       "; restore the database from a backup");
}

// A shape that an edit of ours cannot make means that the stored edits are not ours: void, not
// fatal, since every reader judges alike.
bool Reshape(CollectionState& collection, const levels::Change& change) {
  auto next = collection.levels->Apply(change);
  if (!next.ok()) {
    return false;
  }
  collection.levels = std::move(next).value();
  return true;
}

levels::Change AddedToLevel0(const std::vector<levels::Row>& rows) {
  levels::Change change;
  for (const levels::Row& row : rows) {
    change.added.emplace_back(0, row);
  }
  return change;
}

}  // namespace

Result<bool> DatabaseState::Apply(manifest::Position position, std::string_view bytes) {
  return leads_.Judge(bytes, [&](const Edit& edit) {
    return std::visit([&](const auto& one) { return Judge(position, one); }, edit);
  });
}

const CollectionState* DatabaseState::FindCollection(std::string_view name) const {
  for (const auto& [id, collection] : collections_) {
    if (collection.name == name) {
      return &collection;
    }
  }
  return nullptr;
}

bool DatabaseState::Judge(manifest::Position position, const CreateCollection& edit) {
  if (FindCollection(edit.name) != nullptr) {
    return false;
  }
  collections_[position] = {.id = position, .name = edit.name, .levels = levels::Levels::Empty()};
  tablets_[position] = {.id = position,
                        .collection = position,
                        .range = {},
                        .group = edit.group,
                        .tenure = 1,
                        .flushed = 0,
                        .ingested = 0};
  return true;
}

bool DatabaseState::Judge(manifest::Position, const DropCollection& edit) {
  if (collections_.erase(edit.collection) == 0) {
    return false;
  }
  std::erase_if(tablets_,
                [&](const auto& one) { return one.second.collection == edit.collection; });
  std::erase_if(jobs_, [&](const auto& one) { return one.second.collection == edit.collection; });
  return true;
}

bool DatabaseState::Judge(manifest::Position, const RenameCollection& edit) {
  const auto found = collections_.find(edit.collection);
  if (found == collections_.end() || FindCollection(edit.name) != nullptr) {
    return false;
  }
  found->second.name = edit.name;
  return true;
}

bool DatabaseState::Judge(manifest::Position, const Flush& edit) {
  const auto tablet = tablets_.find(edit.tablet);
  if (tablet == tablets_.end() || tablet->second.tenure != edit.tenure ||
      tablet->second.flushed != edit.from || edit.upto <= edit.from) {
    return false;
  }
  if (!Reshape(collections_.at(tablet->second.collection), AddedToLevel0(edit.tables))) {
    return false;
  }
  tablet->second.flushed = edit.upto;
  safe_point_ = std::max(safe_point_, edit.safe_timestamp);
  return true;
}

bool DatabaseState::Judge(manifest::Position, const Ingest& edit) {
  const auto tablet = tablets_.find(edit.tablet);
  if (tablet == tablets_.end() || tablet->second.tenure != edit.tenure ||
      edit.sequence <= tablet->second.ingested) {
    return false;
  }
  if (!Reshape(collections_.at(tablet->second.collection), AddedToLevel0(edit.tables))) {
    return false;
  }
  tablet->second.ingested = edit.sequence;
  return true;
}

bool DatabaseState::Judge(manifest::Position position, const JobStart& edit) {
  const auto collection = collections_.find(edit.collection);
  if (collection == collections_.end() || edit.inputs.empty()) {
    return false;
  }
  for (const std::string& input : edit.inputs) {
    if (!collection->second.levels->Contains(input)) {
      return false;
    }
    for (const auto& [id, job] : jobs_) {
      if (job.inputs.contains(input)) {
        return false;
      }
    }
  }
  jobs_[position] = {.id = position,
                     .collection = edit.collection,
                     .inputs = {edit.inputs.begin(), edit.inputs.end()}};
  safe_point_ = std::max(safe_point_, edit.safe_timestamp);
  return true;
}

bool DatabaseState::Judge(manifest::Position, const JobCommit& edit) {
  const auto job = jobs_.find(edit.job);
  if (job == jobs_.end()) {
    return false;
  }
  levels::Change change;
  change.removed.assign(job->second.inputs.begin(), job->second.inputs.end());
  change.added = edit.outputs;
  if (!Reshape(collections_.at(job->second.collection), change)) {
    return false;
  }
  jobs_.erase(job);
  return true;
}

bool DatabaseState::Judge(manifest::Position, const JobAbort& edit) {
  return jobs_.erase(edit.job) > 0;
}

bool DatabaseState::Judge(manifest::Position, const SafePoint& edit) {
  if (edit.timestamp <= safe_point_) {
    return false;
  }
  safe_point_ = edit.timestamp;
  return true;
}

bool DatabaseState::Judge(manifest::Position, const AttachTables& edit) {
  const auto collection = collections_.find(edit.collection);
  if (collection == collections_.end() || collection->second.levels->tables() != 0) {
    return false;
  }
  levels::Change change;
  change.added = edit.tables;
  return Reshape(collection->second, change);
}

std::string DatabaseState::Save() const {
  std::string out(1, static_cast<char>(leads_.empty() ? kStateVersion : kLedStateVersion));
  if (!leads_.empty()) {
    leads_.Save(out);
  }
  base::PutVarint(out, safe_point_);
  base::PutVarint(out, collections_.size());
  for (const auto& [id, collection] : collections_) {
    base::PutVarint(out, id);
    base::PutString(out, collection.name);
    collection.levels->Encode(out);
  }
  base::PutVarint(out, tablets_.size());
  for (const auto& [id, tablet] : tablets_) {
    for (uint64_t number :
         {id, tablet.collection, tablet.group, tablet.tenure, tablet.flushed, tablet.ingested}) {
      base::PutVarint(out, number);
    }
    base::PutString(out, tablet.range.begin);
    base::PutString(out, tablet.range.end);
  }
  base::PutVarint(out, jobs_.size());
  for (const auto& [id, job] : jobs_) {
    base::PutVarint(out, id);
    base::PutVarint(out, job.collection);
    base::PutVarint(out, job.inputs.size());
    for (const std::string& input : job.inputs) {
      base::PutString(out, input);
    }
  }
  return out;
}

namespace {

TabletState TakeTablet(base::ByteReader& reader) {
  TabletState tablet;
  tablet.id = reader.Varint();
  tablet.collection = reader.Varint();
  tablet.group = reader.Varint();
  tablet.tenure = reader.Varint();
  tablet.flushed = reader.Varint();
  tablet.ingested = reader.Varint();
  tablet.range.begin = reader.String();
  tablet.range.end = reader.String();
  return tablet;
}

Result<JobState> TakeJob(base::ByteReader& reader) {
  JobState job;
  job.id = reader.Varint();
  job.collection = reader.Varint();
  const uint64_t inputs = reader.Varint();
  for (uint64_t i = 0; i < inputs && reader.ok(); ++i) {
    const std::string_view input = reader.String();
    if (reader.ok() && !job.inputs.empty() && input <= *job.inputs.rbegin()) {
      return BadState("inputs of a job out of order");
    }
    job.inputs.emplace(input);
  }
  return job;
}

// Ids are saved in ascending order, so that none can stand for another one silently.
template <typename Saved>
bool Follows(const std::map<uint64_t, Saved>& saved, uint64_t id) {
  return saved.empty() || saved.rbegin()->first < id;
}

}  // namespace

Status DatabaseState::Load(std::string_view saved) {
  base::ByteReader reader(saved);
  const uint8_t version = reader.Byte();
  if (reader.ok() && version != kStateVersion && version != kLedStateVersion) {
    return Error(Reason::kNewerFormat, "a saved manifest state has version " +
                                           std::to_string(version) +
                                           ", unknown to this build; open it with a newer one");
  }
  DatabaseState next;
  if (version == kLedStateVersion && !(next.leads_.Load(reader) && !next.leads_.empty())) {
    return BadState("who leads");
  }
  TRY(next.Load(reader));
  *this = std::move(next);
  return {};
}

Status DatabaseState::Load(base::ByteReader& reader) {
  safe_point_ = reader.Varint();
  const uint64_t collections = reader.Varint();
  for (uint64_t i = 0; i < collections && reader.ok(); ++i) {
    CollectionState collection;
    collection.id = reader.Varint();
    collection.name = reader.String();
    collection.levels = TRY(levels::Levels::Decode(reader));
    if (reader.ok() && !Follows(collections_, collection.id)) {
      return BadState("collections out of order");
    }
    collections_[collection.id] = std::move(collection);
  }
  const uint64_t tablets = reader.Varint();
  for (uint64_t i = 0; i < tablets && reader.ok(); ++i) {
    TabletState tablet = TakeTablet(reader);
    if (!collections_.contains(tablet.collection)) {
      return BadState("a tablet without its collection");
    }
    if (reader.ok() && !Follows(tablets_, tablet.id)) {
      return BadState("tablets out of order");
    }
    tablets_[tablet.id] = std::move(tablet);
  }
  const uint64_t jobs = reader.Varint();
  for (uint64_t i = 0; i < jobs && reader.ok(); ++i) {
    JobState job = TRY(TakeJob(reader));
    const auto collection = collections_.find(job.collection);
    if (collection == collections_.end()) {
      return BadState("a job without its collection");
    }
    for (const std::string& input : job.inputs) {
      if (!collection->second.levels->Contains(input)) {
        return BadState("a job without its input");
      }
    }
    if (reader.ok() && !Follows(jobs_, job.id)) {
      return BadState("jobs out of order");
    }
    jobs_[job.id] = std::move(job);
  }
  if (!reader.ok() || !reader.empty()) {
    return BadState("wrong length");
  }
  return {};
}

std::set<std::string> DatabaseState::LiveTables() const {
  std::set<std::string> live;
  for (const auto& [id, collection] : collections_) {
    for (int n = 0; n < levels::kLevels; ++n) {
      for (const levels::Row& row : collection.levels->level(n)) {
        live.insert(row->object);
      }
    }
  }
  return live;
}

std::set<std::string> DatabaseState::LiveBlobs() const {
  std::set<std::string> live;
  for (const auto& [id, collection] : collections_) {
    for (int n = 0; n < levels::kLevels; ++n) {
      for (const levels::Row& row : collection.levels->level(n)) {
        live.insert(row->blobs.begin(), row->blobs.end());
      }
    }
  }
  return live;
}

}  // namespace luna::catalog
