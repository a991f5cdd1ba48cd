#include "runtime/posix/system_error.h"

#include <cerrno>
#include <cstring>

namespace luna::posix {

namespace {

Reason ReasonOf(int number) {
  switch (number) {
    case ENOENT:
      return Reason::kFileMissing;
    case EEXIST:
      return Reason::kFileExists;
    case ENOSPC:
    case EDQUOT:
      return Reason::kDiskFull;
    case EROFS:
    case EACCES:
    case EPERM:
      return Reason::kReadOnly;
    case ENAMETOOLONG:
      return Reason::kBadName;
    default:
      return Reason::kIoError;
  }
}

std::string_view Advice(Reason reason, int number) {
  switch (reason) {
    case Reason::kFileMissing:
      return "check the path";
    case Reason::kFileExists:
      return "choose another name, or remove what is there";
    case Reason::kDiskFull:
      return "free space or raise the quota, then try again";
    case Reason::kReadOnly:
      return "check the permissions, and that the disk is mounted for writing";
    case Reason::kBadName:
      return "choose a shorter path";
    case Reason::kSyncFailed:
      return "what was not synced may be lost: check the disk, then reopen";
    default:
      break;
  }
  if (number == EMFILE || number == ENFILE) {
    return "raise the limit on open files (ulimit -n)";
  }
  return "check the path, the disk and the kernel's messages (dmesg)";
}

Error Compose(Reason reason, std::string_view doing, const std::string& path, int number) {
  const char* words = strerrordesc_np(number);
  std::string message(doing);
  message += " '" + path + "': ";
  message += words != nullptr ? std::string(words) : "error " + std::to_string(number);
  message += "; ";
  message += Advice(reason, number);
  return Error(reason, std::move(message));
}

}  // namespace

Error SystemError(std::string_view doing, const std::string& path, int number) {
  return Compose(ReasonOf(number), doing, path, number);
}

Error SyncError(std::string_view doing, const std::string& path, int number) {
  return Compose(Reason::kSyncFailed, doing, path, number);
}

}  // namespace luna::posix
