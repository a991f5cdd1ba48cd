// The journal and the storage as a Kernel shows them: their Link takes the directory of a
// checkpoint, not a place inside it, so that nobody above the Kernel knows its layout.
// Thread rule: safe.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernel/journal/journal.h"
#include "kernel/storage/storage.h"
#include "kernel/universe_directory.h"

namespace luna::kernel {

class LinkingJournal final : public journal::Journal {
 public:
  explicit LinkingJournal(std::unique_ptr<journal::Journal> journal)
      : journal_(std::move(journal)) {}

  Result<std::unique_ptr<journal::Stream>> Open(const std::string& name,
                                                const journal::StreamOptions& options) override {
    return journal_->Open(name, options);
  }
  Result<std::unique_ptr<journal::StreamFollower>> Follow(const std::string& name) override {
    return journal_->Follow(name);
  }
  Result<bool> Exists(const std::string& name) override { return journal_->Exists(name); }
  Result<std::vector<std::string>> List() override { return journal_->List(); }
  Status Remove(const std::string& name) override { return journal_->Remove(name); }
  Status Link(const std::string& name, const std::string& directory) override {
    return journal_->Link(name, JournalPath(directory));
  }

 private:
  const std::unique_ptr<journal::Journal> journal_;
};

class LinkingStorage final : public storage::Storage {
 public:
  explicit LinkingStorage(std::unique_ptr<storage::Storage> storage)
      : storage_(std::move(storage)) {}

  Result<std::unique_ptr<storage::ObjectWriter>> Create(const std::string& bucket,
                                                        const std::string& object) override {
    return storage_->Create(bucket, object);
  }
  Result<std::unique_ptr<storage::ObjectReader>> Open(const std::string& bucket,
                                                      const std::string& object) override {
    return storage_->Open(bucket, object);
  }
  Result<std::vector<std::string>> List(const std::string& bucket) override {
    return storage_->List(bucket);
  }
  Result<std::vector<std::string>> ListBuckets() override { return storage_->ListBuckets(); }
  Status Remove(const std::string& bucket, const std::string& object) override {
    return storage_->Remove(bucket, object);
  }
  Status RemoveBucket(const std::string& bucket) override { return storage_->RemoveBucket(bucket); }
  Status Link(const std::string& bucket, const std::string& object,
              const std::string& directory) override {
    return storage_->Link(bucket, object, ObjectsPath(directory));
  }

 private:
  const std::unique_ptr<storage::Storage> storage_;
};

}  // namespace luna::kernel
