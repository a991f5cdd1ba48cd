#include "engine/basestore/graveyard.h"

#include <optional>
#include <utility>

#include "base/assert.h"
#include "engine/blob/blob.h"

namespace luna::basestore {

void Graveyard::Count(const table::TableRow& row) {
  const base::MutexLock lock(mutex_);
  ++living_;
  for (const std::string& blob : row.blobs) {
    ++uses_[blob];
  }
}

void Graveyard::Bury(const table::TableRow& row) {
  {
    const base::MutexLock lock(mutex_);
    LUNA_ASSERT(living_ > 0);
    --living_;
    tables_.push_back(row.object);
    for (const std::string& blob : row.blobs) {
      const auto uses = uses_.find(blob);
      LUNA_ASSERT(uses != uses_.end());
      if (--uses->second == 0) {
        uses_.erase(uses);
        blobs_.push_back(blob);
      }
    }
  }
  Tell();
}

void Graveyard::CountBlobs() {
  const base::MutexLock lock(mutex_);
  ++living_;
}

void Graveyard::BuryBlobs(const std::vector<std::string>& names) {
  {
    const base::MutexLock lock(mutex_);
    LUNA_ASSERT(living_ > 0);
    --living_;
    blobs_.insert(blobs_.end(), names.begin(), names.end());
  }
  Tell();
}

void Graveyard::Tell() const {
  if (told_) {
    told_();
  }
}

Status Graveyard::Collect(storage::Storage& storage, const std::string& bucket) {
  std::vector<std::string> tables;
  std::vector<std::string> blobs;
  {
    const base::MutexLock lock(mutex_);
    tables.swap(tables_);
    blobs.swap(blobs_);
    ++collecting_;
  }
  std::optional<Error> first;
  const auto keep_failed = [&](const Status& removed) {
    if (!removed.ok() && !first) {
      first = removed.error();
    }
    return !removed.ok();
  };
  std::erase_if(tables, [&](const std::string& object) {
    return !keep_failed(storage.Remove(bucket, object));
  });
  std::erase_if(blobs, [&](const std::string& name) {
    return !keep_failed(blob::Remove(storage, bucket, name));
  });
  const base::MutexLock lock(mutex_);
  --collecting_;
  tables_.insert(tables_.end(), tables.begin(), tables.end());
  blobs_.insert(blobs_.end(), blobs.begin(), blobs.end());
  return first ? Status(*first) : Status();
}

size_t Graveyard::buried() const {
  const base::MutexLock lock(mutex_);
  return tables_.size() + blobs_.size();
}

bool Graveyard::empty() const {
  const base::MutexLock lock(mutex_);
  return living_ == 0 && collecting_ == 0 && tables_.empty() && blobs_.empty();
}

HeldTable::HeldTable(std::shared_ptr<Graveyard> graveyard, std::shared_ptr<table::Table> table)
    : graveyard_(std::move(graveyard)), table_(std::move(table)) {
  graveyard_->Count(table_->row());
}

HeldTable::~HeldTable() {
  if (!doomed_.load(std::memory_order_acquire)) {
    return;
  }
  const table::TableRow row = table_->row();
  table_.reset();  // closes the object before somebody removes it
  graveyard_->Bury(row);
}

HeldBlobs::HeldBlobs(std::shared_ptr<Graveyard> graveyard, std::vector<std::string> names)
    : graveyard_(std::move(graveyard)), names_(std::move(names)) {
  graveyard_->CountBlobs();
}

HeldBlobs::~HeldBlobs() {
  graveyard_->BuryBlobs(names_);
}

}  // namespace luna::basestore
