#include "runtime/posix/posix_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace luna::posix {

namespace {

class Lock : public testing::Test {
 protected:
  Lock() {
    directory_ = std::filesystem::temp_directory_path() / "luna-lock-XXXXXX";
    path_ = std::string(::mkdtemp(directory_.data())) + "/LOCK";
  }
  ~Lock() override { std::filesystem::remove_all(directory_); }

  std::string directory_;
  std::string path_;
};

TEST_F(Lock, SecondHolderIsToldWhoHoldsIt) {
  const auto lock = PosixLock::Take(path_).value();
  const auto refused = PosixLock::Take(path_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kUniverseLocked);
  EXPECT_NE(refused.error().message().find("by process " + std::to_string(::getpid())),
            std::string::npos)
      << refused.error().message();
}

TEST_F(Lock, DeadHoldersHoldNothing) {
  std::array<int, 2> pipe = {};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    const auto lock = PosixLock::Take(path_);
    static_cast<void>(!::write(pipe[1], lock.ok() ? "y" : "n", 1));
    ::pause();
    ::_exit(0);
  }
  char locked = '?';
  ASSERT_EQ(::read(pipe[0], &locked, 1), 1);
  EXPECT_EQ(locked, 'y');
  EXPECT_FALSE(PosixLock::Take(path_).ok());
  ASSERT_EQ(::kill(holder, SIGKILL), 0);
  ASSERT_EQ(::waitpid(holder, nullptr, 0), holder);
  EXPECT_TRUE(PosixLock::Take(path_).ok());
}

TEST_F(Lock, ARemovedFileIsNoLock) {
  const auto old = PosixLock::Take(path_).value();
  std::filesystem::remove(path_);
  const auto fresh = PosixLock::Take(path_);
  EXPECT_TRUE(fresh.ok());
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(Lock, StrangeContentsAreNoNumber) {
  std::ofstream(path_) << "nobody";
  const auto lock = PosixLock::Take(path_).value();
  std::ofstream(path_, std::ios::trunc) << "somebody";
  const auto refused = PosixLock::Take(path_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message().find("process"), std::string::npos);
}

TEST_F(Lock, MissingDirectoryIsNamed) {
  const auto refused = PosixLock::Take(directory_ + "/no/LOCK");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kFileMissing);
}

}  // namespace

}  // namespace luna::posix
