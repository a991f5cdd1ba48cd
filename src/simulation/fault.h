// The words of fault injection: operations, faults, and what survives a power cut.
// Thread rule: immutable values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "luna/status.h"

namespace luna::simulation {

// One call of a FileSystem or a File.
enum class Operation : uint8_t {
  kCreate,  // Open(kCreateNew); from here to kRemoveDirectory each one is a numbered point
  kWrite,
  kTruncate,
  kSync,
  kRename,
  kLink,
  kRemove,
  kSyncDirectory,
  kCreateDirectories,
  kRemoveDirectory,
  kOpen,  // from here on: operations that change nothing durable
  kRead,
  kSize,
  kExists,
  kList,
  kLock,
  kStartWriteback,
};
inline constexpr size_t kOperations = 17;

// "create", "write", … "sync_directory".
std::string_view Name(Operation operation);
// Whether it changes the disk: such operations are numbered, and power can be cut at each.
bool IsPoint(Operation operation);

// An operation as an observer sees it.
struct FileOperation {
  Operation kind;
  const std::string& path;      // of Rename and Link: `from`
  uint64_t offset = 0;          // of Read, Write, StartWriteback; the new size of Truncate
  uint64_t length = 0;          // of Read, Write, StartWriteback
  std::string_view bytes = {};  // of Write
};

// Whether the operation at the point of a power cut reached the disk's cache. The caller gets
// kIoError either way: it cannot know.
enum class When : uint8_t { kBefore, kAfter };

// What becomes of everything that was not synced when power goes.
enum class Survival : uint8_t {
  kAllLost,
  kAllKept,
  kMixed,  // each 512-byte sector and each name by the seed: torn writes, reordered names
};

// An error to be reported. Several may be set; the first that fits an operation strikes.
struct Fault {
  Operation operation = Operation::kWrite;
  Reason reason = Reason::kIoError;  // kDiskFull, kIoError, kSyncFailed, kReadOnly, …
  uint64_t nth = 1;                  // of the operations that fit, from now on: 1 is the next
  bool from_then_on = false;         // every later one too, until ClearFaults
  std::string path_part = {};        // only paths that contain it; empty: all
  bool takes_effect = false;         // done, but reported as failed
};

}  // namespace luna::simulation
