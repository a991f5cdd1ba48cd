// FileSystem: files and directories as the Kernel needs them. Paths are plain strings with '/'.
// Data written is durable only after File::Sync; names created, renamed, linked or removed are
// durable only after SyncDirectory of their directory. Directories made by CreateDirectories are
// durable at once. A rename between two directories is durable after SyncDirectory of either.
// Errors: kFileMissing, kFileExists, kDiskFull, kReadOnly, kIoError, kSyncFailed, each naming the
// path.
// Thread rule: FileSystem is safe. A File may be read by many threads at once; writes, Truncate and
// Sync of one File are guarded by the caller.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "luna/status.h"

namespace luna::runtime {

class File {
 public:
  virtual ~File() = default;
  // Reads up to `length` bytes at `offset` into `to`; fewer only at the end of the file.
  virtual Result<size_t> Read(uint64_t offset, size_t length, char* to) = 0;
  // Reads exactly `length` bytes if they are in memory (the system's cache of the file); false:
  // they are not, or it cannot be told. Never waits for a device. What `to` holds then is nothing.
  virtual Result<bool> ReadCached(uint64_t, size_t, char*) { return false; }
  // Writes all of `bytes` at `offset`, extending the file where needed (a gap reads as zeros).
  virtual Status Write(uint64_t offset, std::string_view bytes) = 0;
  // Begins to bring these bytes to the device, so that a later Sync has less to wait for. A hint:
  // it promises nothing, and what fails is Sync's to tell.
  virtual void StartWriteback(uint64_t /*offset*/, uint64_t /*length*/) {}
  // Makes the file's bytes (and its size) survive a power cut. After an error nothing may be
  // assumed of unsynced bytes, and Sync must not be tried again.
  virtual Status Sync() = 0;
  virtual Result<uint64_t> Size() = 0;
  virtual Status Truncate(uint64_t size) = 0;
};

// Held until destroyed; a second Lock of the same path, by any process, fails with kUniverseLocked.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class OpenMode : uint8_t {
  kRead,       // must exist
  kReadWrite,  // must exist
  kCreateNew,  // must not exist; read and write
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) = 0;
  virtual Result<bool> Exists(const std::string& path) = 0;  // file or directory
  // Names (not paths) in a directory, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> List(const std::string& directory) = 0;
  // Parents too; existing ones are fine, a file in the way is kFileExists. Durable on return.
  virtual Status CreateDirectories(const std::string& path) = 0;
  // Replaces `to`. Of a file, or of a directory within its parent.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status Link(const std::string& from,
                      const std::string& to) = 0;               // kFileExists if `to` is there
  virtual Status Remove(const std::string& path) = 0;           // a file
  virtual Status RemoveDirectory(const std::string& path) = 0;  // an empty directory
  virtual Status SyncDirectory(const std::string& path) = 0;
  // Creates the file. kUniverseLocked when it is held; the message names the holder where known.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;
};

// "a/b" from "a" and "b".
std::string JoinPath(std::string_view directory, std::string_view name);
// The directory that holds `path`: "a" from "a/b", "." from "b", "/" from "/b".
std::string ParentPath(std::string_view path);
// Whether `path` exists and is no directory.
Result<bool> IsNoDirectory(FileSystem& files, const std::string& path);
// All of a file's bytes.
Result<std::string> ReadFile(FileSystem& files, const std::string& path);
// Replaces or creates `path` so that after a power cut it holds the old bytes or the new ones:
// writes path + ".new", syncs it, renames, syncs the directory.
Status WriteFileAtomically(FileSystem& files, const std::string& path, std::string_view bytes);

}  // namespace luna::runtime
