#include "runtime/posix/posix_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include "base/try.h"
#include "runtime/posix/system_error.h"

namespace luna::posix {

namespace {

int FlagsOf(runtime::OpenMode mode) {
  switch (mode) {
    case runtime::OpenMode::kRead:
      return O_RDONLY;
    case runtime::OpenMode::kReadWrite:
      return O_RDWR;
    case runtime::OpenMode::kCreateNew:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  __builtin_unreachable();
}

std::string At(std::string_view doing, uint64_t offset) {
  return std::string(doing) + " at offset " + std::to_string(offset) + " of";
}

Result<struct stat> StatusOf(const Descriptor& descriptor, const std::string& path) {
  struct stat status = {};
  if (::fstat(descriptor.number(), &status) != 0) {
    return SystemError("cannot read the size of", path, errno);
  }
  return status;
}

}  // namespace

Result<std::unique_ptr<runtime::File>> PosixFile::Open(const std::string& path,
                                                       runtime::OpenMode mode) {
  Descriptor descriptor = TRY(OpenDescriptor("cannot open", path, FlagsOf(mode)));
  // The system opens directories for reading; Luna's files are never directories.
  if (S_ISDIR(TRY(StatusOf(descriptor, path)).st_mode)) {
    return SystemError("cannot open", path, EISDIR);
  }
  return std::make_unique<PosixFile>(path, std::move(descriptor));
}

Result<size_t> PosixFile::Read(uint64_t offset, size_t length, char* to) {
  size_t done = 0;
  while (done < length) {
    const ssize_t count =
        ::pread(descriptor_.number(), to + done, length - done, static_cast<off_t>(offset + done));
    if (count == 0) {
      break;
    }
    if (count < 0) {
      if (errno == EINTR) {
        continue;
      }
      return SystemError(At("cannot read", offset + done), path_, errno);
    }
    done += static_cast<size_t>(count);
  }
  return done;
}

Result<bool> PosixFile::ReadCached(uint64_t offset, size_t length, char* to) {
  const iovec whole = {.iov_base = to, .iov_len = length};
  // Not every file system knows the flag, and an error will come back to whoever reads in earnest.
  return ::preadv2(descriptor_.number(), &whole, 1, static_cast<off_t>(offset), RWF_NOWAIT) ==
         static_cast<ssize_t>(length);
}

Status PosixFile::Write(uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(descriptor_.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      // A write of nothing would be tried for ever: it counts as a failing device.
      return SystemError(At("cannot write", offset), path_, count < 0 ? errno : EIO);
    }
    bytes.remove_prefix(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

void PosixFile::StartWriteback(uint64_t offset, uint64_t length) {
  // Without a flag that waits, the system keeps an error for the next fdatasync.
  static_cast<void>(::sync_file_range(descriptor_.number(), static_cast<off_t>(offset),
                                      static_cast<off_t>(length), SYNC_FILE_RANGE_WRITE));
}

Status PosixFile::Sync() {
  // fdatasync leaves out times only: the size and the extents needed to read the bytes are
  // included. It is not tried again, not even after EINTR: a failed sync may have dropped the dirty
  // pages.
  if (::fdatasync(descriptor_.number()) != 0) {
    return SyncError("cannot sync", path_, errno);
  }
  return {};
}

Result<uint64_t> PosixFile::Size() {
  return static_cast<uint64_t>(TRY(StatusOf(descriptor_, path_)).st_size);
}

Status PosixFile::Truncate(uint64_t size) {
  while (::ftruncate(descriptor_.number(), static_cast<off_t>(size)) != 0) {
    if (errno != EINTR) {
      return SystemError("cannot truncate to " + std::to_string(size) + " bytes", path_, errno);
    }
  }
  return {};
}

}  // namespace luna::posix
