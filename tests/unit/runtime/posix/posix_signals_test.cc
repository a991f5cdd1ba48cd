#include "runtime/posix/posix_signals.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace luna::posix {

namespace {

constexpr uint64_t kLong = uint64_t{60} * 1'000'000'000;

TEST(PosixSignals, NoSignalIsNoWishToStop) {
  PosixSignals signals;
  EXPECT_FALSE(signals.WaitForStop(1'000'000));
}

TEST(PosixSignals, TerminateAndInterruptAskToStop) {
  for (const int number : {SIGTERM, SIGINT}) {
    PosixSignals signals;
    ::kill(::getpid(), number);
    EXPECT_TRUE(signals.WaitForStop(kLong));
    EXPECT_TRUE(signals.WaitForStop(0)) << "the wish stays";
    EXPECT_EQ(signals.stop_name(), number == SIGTERM ? "SIGTERM" : "SIGINT");
  }
}

TEST(PosixSignals, HangUpAsksToReloadAndNotToStop) {
  PosixSignals signals;
  EXPECT_FALSE(signals.TakeReload());
  EXPECT_EQ(signals.stop_name(), "");
  for (int turn = 0; turn < 3; ++turn) {
    ::kill(::getpid(), SIGHUP);
    EXPECT_FALSE(signals.WaitForStop(kLong)) << "returns early";
    EXPECT_TRUE(signals.TakeReload());
    EXPECT_FALSE(signals.TakeReload());
    EXPECT_FALSE(signals.WaitForStop(1'000'000)) << "nothing new";
  }
  ::kill(::getpid(), SIGHUP);
  EXPECT_FALSE(signals.WaitForStop(kLong));
  ::kill(::getpid(), SIGTERM);
  while (!signals.WaitForStop(kLong)) {
  }
  EXPECT_TRUE(signals.TakeReload());
  EXPECT_TRUE(signals.WaitForStop(0)) << "taking the wish to reload leaves the other";
}

TEST(PosixSignals, SecondSignalEndsTheProcessAtOnce) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto body = [] {
    PosixSignals signals;
    ::kill(::getpid(), SIGTERM);
    ::kill(::getpid(), SIGINT);
    ::pause();
  };
  EXPECT_EXIT(body(), testing::ExitedWithCode(PosixSignals::kExitAtOnce), "");
}

TEST(PosixSignals, WritingToAPeerThatWentAwayIsAnErrorOnly) {
  PosixSignals signals;
  std::array<int, 2> pair = {};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
  ::close(pair[1]);
  EXPECT_EQ(::write(pair[0], "x", 1), -1);
  ::close(pair[0]);
}

TEST(PosixSignals, AfterwardsSignalsMeanWhatTheyMeantBefore) {
  const auto body = [] {
    {
      PosixSignals signals;
    }
    ::kill(::getpid(), SIGTERM);
  };
  EXPECT_EXIT(body(), testing::KilledBySignal(SIGTERM), "");
}

}  // namespace

}  // namespace luna::posix
