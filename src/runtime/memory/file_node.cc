#include "runtime/memory/file_node.h"

#include "base/try.h"

namespace luna::memory {

Error MemoryError(Reason reason, std::string_view doing, std::string_view path,
                  std::string_view why) {
  std::string message(doing);
  message += " '";
  message += path;
  message += "': ";
  message += why;
  return Error(reason, std::move(message));
}

FileNode::~FileNode() {
  base::MutexLock lock(mutex_);
  totals_->bytes -= counted_;
}

void FileNode::Crash(const std::function<Fate()>& fate) {
  base::MutexLock lock(mutex_);
  image_.Crash(fate);
  Recount();
}

void FileNode::Recount() {
  if (counted_ != image_.size()) {
    totals_->bytes += image_.size() - counted_;
    counted_ = image_.size();
  }
}

Result<size_t> MemoryFile::Read(uint64_t offset, size_t length, char* to) {
  return node_->Access(path_, opened_at_, [&](FileImage& image) -> Result<size_t> {
    return image.Read(offset, length, to);
  });
}

Result<bool> MemoryFile::ReadCached(uint64_t offset, size_t length, char* to) {
  return TRY(Read(offset, length, to)) == length;
}

Status MemoryFile::Write(uint64_t offset, std::string_view bytes) {
  return Change("cannot write", [&](FileImage& image) { return image.Write(offset, bytes); });
}

Status MemoryFile::Truncate(uint64_t size) {
  return Change("cannot truncate", [&](FileImage& image) { return image.Truncate(size); });
}

Status MemoryFile::Change(std::string_view doing, const std::function<bool(FileImage&)>& change) {
  if (!writable_) {
    return MemoryError(Reason::kIoError, doing, path_, "it was opened for reading");
  }
  return node_->Access(path_, opened_at_, [&](FileImage& image) -> Status {
    if (!change(image)) {
      return MemoryError(Reason::kDiskFull, doing, path_, "memory does not suffice");
    }
    return {};
  });
}

Status MemoryFile::Sync() {
  return node_->Access(path_, opened_at_, [&](FileImage& image) -> Status {
    image.Sync();
    return {};
  });
}

Result<uint64_t> MemoryFile::Size() {
  return node_->Access(path_, opened_at_,
                       [&](FileImage& image) -> Result<uint64_t> { return image.size(); });
}

}  // namespace luna::memory
