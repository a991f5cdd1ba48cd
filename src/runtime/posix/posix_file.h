// PosixFile: one open file, read and written at offsets with pread and pwrite.
// Thread rule: as runtime::File: reads from many threads, the rest guarded by the caller.
#pragma once

#include <memory>
#include <string>

#include "runtime/file_system.h"
#include "runtime/posix/descriptor.h"

namespace luna::posix {

class PosixFile : public runtime::File {
 public:
  static Result<std::unique_ptr<runtime::File>> Open(const std::string& path,
                                                     runtime::OpenMode mode);
  PosixFile(std::string path, Descriptor descriptor)
      : path_(std::move(path)), descriptor_(std::move(descriptor)) {}

  Result<size_t> Read(uint64_t offset, size_t length, char* to) override;
  Result<bool> ReadCached(uint64_t offset, size_t length, char* to) override;
  Status Write(uint64_t offset, std::string_view bytes) override;
  void StartWriteback(uint64_t offset, uint64_t length) override;
  Status Sync() override;
  Result<uint64_t> Size() override;
  Status Truncate(uint64_t size) override;

 private:
  const std::string path_;
  const Descriptor descriptor_;
};

}  // namespace luna::posix
