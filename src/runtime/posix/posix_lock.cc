#include "runtime/posix/posix_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/try.h"
#include "runtime/posix/system_error.h"

namespace luna::posix {

namespace {

constexpr std::string_view kDoing = "cannot lock";

// " by process 123", or nothing when the holder has not written its number.
std::string HolderOf(const Descriptor& descriptor) {
  std::array<char, 20> text = {};
  const ssize_t count = ::pread(descriptor.number(), text.data(), text.size(), 0);
  std::string digits;
  for (ssize_t i = 0; i < count && text[i] >= '0' && text[i] <= '9'; ++i) {
    digits += text[i];
  }
  return digits.empty() ? digits : " by process " + digits;
}

Status LockDescriptor(const Descriptor& descriptor, const std::string& path) {
  while (::flock(descriptor.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return Error(Reason::kUniverseLocked,
                   "'" + path + "' is held" + HolderOf(descriptor) +
                       "; close the universe there, or open another directory");
    }
    if (errno != EINTR) {
      return SystemError(kDoing, path, errno);
    }
  }
  return {};
}

// Whether `path` still names the file that was locked: it may have been removed in between.
Result<bool> IsStillNamed(const Descriptor& descriptor, const std::string& path) {
  struct stat held = {};
  struct stat named = {};
  if (::fstat(descriptor.number(), &held) != 0) {
    return SystemError(kDoing, path, errno);
  }
  if (::stat(path.c_str(), &named) != 0) {
    if (errno == ENOENT) {
      return false;
    }
    return SystemError(kDoing, path, errno);
  }
  return held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

// The number serves messages only: a full disk must not forbid opening, so failures are ignored.
void WriteHolder(const Descriptor& descriptor) {
  const std::string digits = std::to_string(::getpid());
  if (::ftruncate(descriptor.number(), 0) == 0) {
    static_cast<void>(!::pwrite(descriptor.number(), digits.data(), digits.size(), 0));
  }
}

}  // namespace

Result<std::unique_ptr<runtime::FileLock>> PosixLock::Take(const std::string& path) {
  while (true) {
    Descriptor descriptor = TRY(OpenDescriptor(kDoing, path, O_RDWR | O_CREAT));
    TRY(LockDescriptor(descriptor, path));
    if (TRY(IsStillNamed(descriptor, path))) {
      WriteHolder(descriptor);
      return std::make_unique<PosixLock>(std::move(descriptor));
    }
  }
}

PosixLock::~PosixLock() {
  // So that nobody reads the number of a process that is gone. Closing frees the lock.
  static_cast<void>(!::ftruncate(descriptor_.number(), 0));
}

}  // namespace luna::posix
