// From errno to Error: the one place that knows what a failed system call means to Luna.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "luna/status.h"

namespace luna::posix {

// `doing` is what was attempted ("cannot open"), `path` to what, `number` the errno. The message
// adds the system's words and what to do next. kFileMissing, kFileExists, kDiskFull, kReadOnly,
// kIoError.
Error SystemError(std::string_view doing, const std::string& path, int number);
// As above for a failed fsync or fdatasync: always kSyncFailed, whatever the errno.
Error SyncError(std::string_view doing, const std::string& path, int number);

}  // namespace luna::posix
