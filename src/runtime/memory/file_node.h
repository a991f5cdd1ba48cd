// FileNode: one file of the memory file system, whatever its names; it lives as long as a name, an
// open File or an unsynced removal of a name refers to it.
// Thread rule: safe. Its mutex is taken after the file system's.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "runtime/file_system.h"
#include "runtime/memory/file_image.h"

namespace luna::memory {

// What all files of one file system share.
struct Totals {
  std::atomic<uint64_t> bytes = 0;    // held by all files
  std::atomic<uint64_t> crashes = 0;  // Files opened before the latest one are dead
};

// Each error of this file system: "cannot open 'a/b': it is not there".
Error MemoryError(Reason reason, std::string_view doing, std::string_view path,
                  std::string_view why);

class FileNode {
 public:
  // `id` counts up as files are created.
  FileNode(uint64_t id, std::shared_ptr<Totals> totals) : id_(id), totals_(std::move(totals)) {}
  ~FileNode();
  FileNode(const FileNode&) = delete;
  FileNode& operator=(const FileNode&) = delete;

  uint64_t id() const { return id_; }
  // `change` returns a Status or Result and gets the image, unless power was cut since the file was
  // opened as `path`, at crash number `opened_at`.
  template <typename Change>
  auto Access(const std::string& path, uint64_t opened_at, Change change)
      -> decltype(change(std::declval<FileImage&>())) {
    base::MutexLock lock(mutex_);
    if (totals_->crashes != opened_at) {
      return MemoryError(Reason::kIoError, "cannot use", path, "the power was cut; open it again");
    }
    auto result = change(image_);
    Recount();
    return result;
  }
  void Crash(const std::function<Fate()>& fate);

 private:
  void Recount() REQUIRES(mutex_);

  const uint64_t id_;
  const std::shared_ptr<Totals> totals_;
  base::Mutex mutex_;
  FileImage image_ GUARDED_BY(mutex_);
  uint64_t counted_ GUARDED_BY(mutex_) = 0;  // what totals_->bytes holds for this file
};

// An open file.
// Thread rule: as runtime::File.
class MemoryFile : public runtime::File {
 public:
  MemoryFile(std::string path, std::shared_ptr<FileNode> node, uint64_t opened_at, bool writable)
      : path_(std::move(path)),
        node_(std::move(node)),
        opened_at_(opened_at),
        writable_(writable) {}

  Result<size_t> Read(uint64_t offset, size_t length, char* to) override;
  Result<bool> ReadCached(uint64_t offset, size_t length, char* to) override;
  Status Write(uint64_t offset, std::string_view bytes) override;
  Status Sync() override;
  Result<uint64_t> Size() override;
  Status Truncate(uint64_t size) override;

 private:
  Status Change(std::string_view doing, const std::function<bool(FileImage&)>& change);

  const std::string path_;
  const std::shared_ptr<FileNode> node_;
  const uint64_t opened_at_;
  const bool writable_;
};

}  // namespace luna::memory
