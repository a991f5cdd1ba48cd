// NameTree: the directories of the memory file system. Every directory keeps its names as they are
// and as they were synced; changes in between wait, in order, for SyncDirectory or Crash. Making a
// directory syncs its parent. "", "." and "/" are the root; "a", "/a" and "a/" are the same.
// Thread rule: guarded by the caller.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "luna/status.h"
#include "runtime/memory/file_node.h"

namespace luna::memory {

class NameTree {
 public:
  NameTree();
  // The file; kFileMissing, or kIoError for a directory.
  Result<std::shared_ptr<FileNode>> FindFile(std::string_view doing, const std::string& path) const;
  bool Exists(const std::string& path) const;
  Result<std::vector<std::string>> List(const std::string& directory) const;
  // A new name for `file`; kFileExists when there is one.
  Status Add(std::string_view doing, const std::string& path, std::shared_ptr<FileNode> file);
  Status Rename(const std::string& from, const std::string& to);
  Status Remove(const std::string& path);
  Status CreateDirectories(const std::string& path);
  Status RemoveDirectory(const std::string& path);
  Status SyncDirectory(const std::string& path);
  // Every file's sectors, then every waiting change.
  void Crash(const std::function<Fate()>& fate);

 private:
  struct Directory;
  // What a name stands for: one of the two, or nothing.
  struct Entry {
    std::shared_ptr<FileNode> file;
    std::shared_ptr<Directory> directory;
    bool operator==(const Entry&) const = default;
    bool empty() const { return file == nullptr && directory == nullptr; }
  };
  using Names = std::map<std::string, Entry, std::less<>>;
  struct Directory {
    Names names;
    Names synced;
  };
  // A place for a name.
  struct Slot {
    std::shared_ptr<Directory> directory;
    std::string name;
  };
  // `to` becomes `entry` (nothing: it is removed), and `from`, where there is one, becomes nothing.
  struct Change {
    Slot to;
    Entry entry;
    Slot from;
    bool Touches(const Directory* directory) const {
      return to.directory.get() == directory || from.directory.get() == directory;
    }
  };
  using Files = std::map<uint64_t, std::shared_ptr<FileNode>>;

  Result<Entry> Find(std::string_view doing, const std::string& path) const;
  Result<std::shared_ptr<Directory>> FindDirectory(std::string_view doing,
                                                   const std::string& path) const;
  Result<Slot> Locate(std::string_view doing, const std::string& path) const;
  static Entry At(const Slot& slot);
  static void Apply(const Change& change, Names Directory::*image);
  void Make(Change change);
  void Sync(const std::shared_ptr<Directory>& directory);
  static void Collect(const Entry& entry, Files& files);
  static void Revert(Directory& directory);

  const std::shared_ptr<Directory> root_ = std::make_shared<Directory>();
  std::vector<Change> unsynced_;
};

}  // namespace luna::memory
