#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/try.h"
#include "runtime/posix/descriptor.h"
#include "runtime/posix/posix_file.h"
#include "runtime/posix/posix_lock.h"
#include "runtime/posix/posix_runtime.h"
#include "runtime/posix/system_error.h"

namespace luna::posix {

namespace {

// Stateless: the system keeps everything.
class PosixFileSystem : public runtime::FileSystem {
 public:
  Result<std::unique_ptr<runtime::File>> Open(const std::string& path,
                                              runtime::OpenMode mode) override {
    return PosixFile::Open(path, mode);
  }
  Result<bool> Exists(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& directory) override;
  Status CreateDirectories(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Link(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status RemoveDirectory(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Result<std::unique_ptr<runtime::FileLock>> Lock(const std::string& path) override {
    return PosixLock::Take(path);
  }
};

Result<bool> IsDirectory(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) == 0) {
    return S_ISDIR(status.st_mode);
  }
  if (errno == ENOENT || errno == ENOTDIR) {
    return false;
  }
  return SystemError("cannot look at", path, errno);
}

Result<bool> PosixFileSystem::Exists(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) == 0) {
    return true;
  }
  if (errno == ENOENT || errno == ENOTDIR) {
    return false;
  }
  return SystemError("cannot look at", path, errno);
}

Result<std::vector<std::string>> PosixFileSystem::List(const std::string& directory) {
  constexpr std::string_view kDoing = "cannot list";
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), ::closedir);
  if (stream == nullptr) {
    return SystemError(kDoing, directory, errno);
  }
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) {
      if (errno != 0) {
        return SystemError(kDoing, directory, errno);
      }
      break;
    }
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      names.emplace_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

Status PosixFileSystem::CreateDirectories(const std::string& path) {
  constexpr mode_t kMode = 0755;
  constexpr std::string_view kDoing = "cannot create directory";
  if (TRY(IsDirectory(path))) {
    return {};
  }
  const std::string parent = runtime::ParentPath(path);
  if (parent != path) {
    TRY(CreateDirectories(parent));
  }
  if (::mkdir(path.c_str(), kMode) != 0) {
    const int number = errno;
    // Somebody may have made it just now; they sync the parent as well, but maybe later than we.
    if (number != EEXIST || !TRY(IsDirectory(path))) {
      return SystemError(kDoing, path, number);
    }
  }
  return SyncDirectory(parent);
}

Status PosixFileSystem::Rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return SystemError("cannot rename to '" + to + "' the file", from, errno);
  }
  return {};
}

Status PosixFileSystem::Link(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) != 0) {
    return SystemError("cannot link to '" + to + "' the file", from, errno);
  }
  return {};
}

Status PosixFileSystem::Remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) {
    return SystemError("cannot remove", path, errno);
  }
  return {};
}

Status PosixFileSystem::RemoveDirectory(const std::string& path) {
  if (::rmdir(path.c_str()) != 0) {
    return SystemError("cannot remove directory", path, errno);
  }
  return {};
}

Status PosixFileSystem::SyncDirectory(const std::string& path) {
  constexpr std::string_view kDoing = "cannot sync directory";
  const Descriptor directory = TRY(OpenDescriptor(kDoing, path, O_RDONLY | O_DIRECTORY));
  if (::fsync(directory.number()) != 0) {
    return SyncError(kDoing, path, errno);
  }
  return {};
}

}  // namespace

std::unique_ptr<runtime::FileSystem> NewPosixFileSystem() {
  return std::make_unique<PosixFileSystem>();
}

}  // namespace luna::posix
