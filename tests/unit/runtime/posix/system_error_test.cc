#include "runtime/posix/system_error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace luna::posix {

namespace {

TEST(SystemError, EveryErrnoHasItsReason) {
  const std::pair<int, Reason> expected[] = {
      {ENOENT, Reason::kFileMissing}, {EEXIST, Reason::kFileExists},   {ENOSPC, Reason::kDiskFull},
      {EDQUOT, Reason::kDiskFull},    {EROFS, Reason::kReadOnly},      {EACCES, Reason::kReadOnly},
      {EPERM, Reason::kReadOnly},     {EIO, Reason::kIoError},         {EMFILE, Reason::kIoError},
      {ENOTDIR, Reason::kIoError},    {ENAMETOOLONG, Reason::kBadName}};
  for (const auto& [number, reason] : expected) {
    EXPECT_EQ(SystemError("cannot open", "a", number).reason(), reason) << number;
  }
}

TEST(SystemError, MessageSaysWhatWhereWhyAndWhatNext) {
  EXPECT_EQ(SystemError("cannot open", "/d/a", ENOENT).message(),
            "cannot open '/d/a': No such file or directory; check the path");
  EXPECT_NE(SystemError("cannot open", "a", EMFILE).message().find("ulimit"), std::string::npos);
  EXPECT_NE(SystemError("cannot open", "a", 99'999).message().find("error 99999"),
            std::string::npos);
}

TEST(SyncError, IsAlwaysSyncFailed) {
  for (const int number : {EIO, ENOSPC, EROFS}) {
    EXPECT_EQ(SyncError("cannot sync", "a", number).reason(), Reason::kSyncFailed);
  }
}

}  // namespace

}  // namespace luna::posix
