#include "runtime/memory/memory_file_system.h"

#include <set>
#include <utility>

#include "base/mutex.h"
#include "base/try.h"
#include "runtime/memory/file_node.h"
#include "runtime/memory/name_tree.h"

namespace luna::memory {

namespace {

// Shared by the file system and its locks, which may outlive it.
struct LockTable {
  base::Mutex mutex;
  // File id and the crash count at which it was locked: a crash frees every lock.
  std::set<std::pair<uint64_t, uint64_t>> held GUARDED_BY(mutex);
};

class MemoryLock : public runtime::FileLock {
 public:
  MemoryLock(std::shared_ptr<LockTable> table, std::shared_ptr<FileNode> node, uint64_t crashes)
      : table_(std::move(table)), node_(std::move(node)), crashes_(crashes) {}
  ~MemoryLock() override {
    base::MutexLock lock(table_->mutex);
    table_->held.erase({node_->id(), crashes_});
  }

 private:
  const std::shared_ptr<LockTable> table_;
  const std::shared_ptr<FileNode> node_;
  const uint64_t crashes_;
};

class NamedMemory : public MemoryFileSystem {
 public:
  Result<std::unique_ptr<runtime::File>> Open(const std::string& path,
                                              runtime::OpenMode mode) override;
  Result<bool> Exists(const std::string& path) override {
    base::MutexLock lock(mutex_);
    return tree_.Exists(path);
  }
  Result<std::vector<std::string>> List(const std::string& directory) override {
    base::MutexLock lock(mutex_);
    return tree_.List(directory);
  }
  Status CreateDirectories(const std::string& path) override {
    base::MutexLock lock(mutex_);
    return tree_.CreateDirectories(path);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    base::MutexLock lock(mutex_);
    return tree_.Rename(from, to);
  }
  Status Link(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override {
    base::MutexLock lock(mutex_);
    return tree_.Remove(path);
  }
  Status RemoveDirectory(const std::string& path) override {
    base::MutexLock lock(mutex_);
    return tree_.RemoveDirectory(path);
  }
  Status SyncDirectory(const std::string& path) override {
    base::MutexLock lock(mutex_);
    return tree_.SyncDirectory(path);
  }
  Result<std::unique_ptr<runtime::FileLock>> Lock(const std::string& path) override;
  void Crash(const std::function<Fate()>& fate) override;
  uint64_t bytes() const override { return totals_->bytes; }

 private:
  Result<std::shared_ptr<FileNode>> Create(std::string_view doing, const std::string& path)
      REQUIRES(mutex_);

  const std::shared_ptr<Totals> totals_ = std::make_shared<Totals>();
  const std::shared_ptr<LockTable> locks_ = std::make_shared<LockTable>();
  base::Mutex mutex_;
  NameTree tree_ GUARDED_BY(mutex_);
  uint64_t next_id_ GUARDED_BY(mutex_) = 0;
};

Result<std::shared_ptr<FileNode>> NamedMemory::Create(std::string_view doing,
                                                      const std::string& path) {
  auto node = std::make_shared<FileNode>(next_id_++, totals_);
  TRY(tree_.Add(doing, path, node));
  return node;
}

Result<std::unique_ptr<runtime::File>> NamedMemory::Open(const std::string& path,
                                                         runtime::OpenMode mode) {
  constexpr std::string_view kDoing = "cannot open";
  base::MutexLock lock(mutex_);
  const bool creates = mode == runtime::OpenMode::kCreateNew;
  auto node = TRY(creates ? Create(kDoing, path) : tree_.FindFile(kDoing, path));
  return std::make_unique<MemoryFile>(path, std::move(node), totals_->crashes,
                                      mode != runtime::OpenMode::kRead);
}

Status NamedMemory::Link(const std::string& from, const std::string& to) {
  const std::string doing = "cannot link to '" + from + "' the name";
  base::MutexLock lock(mutex_);
  return tree_.Add(doing, to, TRY(tree_.FindFile(doing, from)));
}

Result<std::unique_ptr<runtime::FileLock>> NamedMemory::Lock(const std::string& path) {
  constexpr std::string_view kDoing = "cannot lock";
  base::MutexLock lock(mutex_);
  auto node = TRY(tree_.Exists(path) ? tree_.FindFile(kDoing, path) : Create(kDoing, path));
  const uint64_t crashes = totals_->crashes;
  base::MutexLock table_lock(locks_->mutex);
  if (!locks_->held.insert({node->id(), crashes}).second) {
    return Error(Reason::kUniverseLocked, "'" + path +
                                              "' is held by this process; close the universe "
                                              "there, or open another one");
  }
  return std::make_unique<MemoryLock>(locks_, std::move(node), crashes);
}

void NamedMemory::Crash(const std::function<Fate()>& fate) {
  base::MutexLock lock(mutex_);
  ++totals_->crashes;
  tree_.Crash(fate);
}

}  // namespace

std::unique_ptr<MemoryFileSystem> NewMemoryFileSystem() {
  return std::make_unique<NamedMemory>();
}

}  // namespace luna::memory
