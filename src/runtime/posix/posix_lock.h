// PosixLock: a file held with flock, so that two processes, and two openings in one process,
// exclude each other; the system frees it when the holder dies. The file holds the holder's process
// id in decimal, for messages only.
// Thread rule: immutable.
#pragma once

#include <memory>
#include <string>

#include "runtime/file_system.h"
#include "runtime/posix/descriptor.h"

namespace luna::posix {

class PosixLock : public runtime::FileLock {
 public:
  // kUniverseLocked when somebody holds `path`.
  static Result<std::unique_ptr<runtime::FileLock>> Take(const std::string& path);
  explicit PosixLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}
  ~PosixLock() override;

 private:
  const Descriptor descriptor_;
};

}  // namespace luna::posix
