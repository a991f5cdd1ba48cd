#include "engine/basestore/graveyard.h"

#include <optional>
#include <utility>

#include "base/assert.h"
#include "engine/blob/blob.h"

namespace luna::basestore {

void Graveyard::Count(const table::TableRow& row) {
  const base::MutexLock lock(mutex_);
  tables_.insert(row.object);
  for (const std::string& blob : row.blobs) {
    ++uses_[blob];
  }
}

void Graveyard::Bury(const table::TableRow& row) {
  const uint64_t now_nanos = Now();
  {
    const base::MutexLock lock(mutex_);
    const auto living = tables_.find(row.object);
    LUNA_ASSERT(living != tables_.end());
    tables_.erase(living);
    Dig(row.object, false, now_nanos);
    for (const std::string& blob : row.blobs) {
      const auto uses = uses_.find(blob);
      LUNA_ASSERT(uses != uses_.end());
      if (--uses->second == 0) {
        uses_.erase(uses);
        Dig(blob, true, now_nanos);
      }
    }
  }
  Tell();
}

void Graveyard::CountBlobs(const std::vector<std::string>& names) {
  const base::MutexLock lock(mutex_);
  ++holders_;
  blobs_.insert(names.begin(), names.end());
}

void Graveyard::BuryBlobs(const std::vector<std::string>& names) {
  const uint64_t now_nanos = Now();
  {
    const base::MutexLock lock(mutex_);
    LUNA_ASSERT(holders_ > 0);
    --holders_;
    for (const std::string& name : names) {
      blobs_.erase(blobs_.find(name));
      Dig(name, true, now_nanos);
    }
  }
  Tell();
}

void Graveyard::Dig(std::string name, bool blob, uint64_t now_nanos) {
  if (grace_.nanos != Grace::kForEver) {
    graves_.push_back({.name = std::move(name), .blob = blob, .since_nanos = now_nanos});
  }
}

void Graveyard::Tell() const {
  if (told_) {
    told_();
  }
}

std::vector<Graveyard::Grave> Graveyard::TakeDue() {
  const uint64_t now_nanos = Now();
  std::vector<Grave> due;
  const base::MutexLock lock(mutex_);
  ++collecting_;
  std::erase_if(graves_, [&](Grave& grave) {
    const bool goes = now_nanos - grave.since_nanos >= grace_.nanos;
    if (goes) {
      due.push_back(std::move(grave));
    }
    return goes;
  });
  return due;
}

Status Graveyard::Collect(storage::Storage& storage, const std::string& bucket) {
  std::vector<Grave> due = TakeDue();
  std::optional<Error> first;
  std::erase_if(due, [&](const Grave& grave) {
    const Status removed =
        grave.blob ? blob::Remove(storage, bucket, grave.name) : storage.Remove(bucket, grave.name);
    if (!removed.ok() && !first) {
      first = removed.error();
    }
    return removed.ok();
  });
  const base::MutexLock lock(mutex_);
  --collecting_;
  graves_.insert(graves_.end(), due.begin(), due.end());
  return first ? Status(*first) : Status();
}

size_t Graveyard::buried() const {
  const base::MutexLock lock(mutex_);
  return graves_.size();
}

void Graveyard::AddNames(std::set<std::string>& names) const {
  const base::MutexLock lock(mutex_);
  names.insert(tables_.begin(), tables_.end());
  names.insert(blobs_.begin(), blobs_.end());
  for (const auto& [blob, uses] : uses_) {
    names.insert(blob);
  }
  for (const Grave& grave : graves_) {
    names.insert(grave.name);
  }
}

bool Graveyard::empty() const {
  const base::MutexLock lock(mutex_);
  return tables_.empty() && holders_ == 0 && collecting_ == 0 && graves_.empty();
}

HeldTable::HeldTable(std::shared_ptr<Graveyard> graveyard, std::shared_ptr<table::Table> table)
    : graveyard_(std::move(graveyard)), table_(std::move(table)) {
  if (graveyard_ != nullptr) {
    graveyard_->Count(table_->row());
  }
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
  graveyard_->CountBlobs(names_);
}

HeldBlobs::~HeldBlobs() {
  graveyard_->BuryBlobs(names_);
}

}  // namespace luna::basestore
