#include "runtime/posix/posix_poller.h"

#include <gtest/gtest.h>

#include <array>

#include "runtime/posix/posix_clock.h"
#include "runtime/posix/posix_network.h"
#include "runtime/posix/posix_socket.h"

namespace luna::posix {

namespace {

TEST(PosixPoller, WaitsAtLeastItsTime) {
  PosixPoller poller;
  std::array<runtime::Ready, 1> ready;
  const uint64_t start = MonotonicNanos();
  EXPECT_EQ(poller.Wait(ready, 1'500'000), 0u);
  EXPECT_GE(MonotonicNanos() - start, 1'500'000u);
  EXPECT_EQ(poller.Wait(ready, 0), 0u);
}

TEST(PosixPoller, SocketsThatAreNoneAreErrors) {
  PosixPoller poller;
  PosixSocket none(Descriptor(-1), "10.0.0.1:5");
  const Status added = poller.Add(none, 1);
  ASSERT_FALSE(added.ok());
  EXPECT_EQ(added.error().reason(), Reason::kIoError);
  EXPECT_NE(added.error().message().find("10.0.0.1:5"), std::string::npos);
}

TEST(PosixPoller, AWokenWaitStillReportsWhatIsReady) {
  const auto network = NewPosixNetwork();
  const auto listener = network->Listen("127.0.0.1:0").value();
  PosixPoller poller;
  ASSERT_TRUE(poller.Add(*listener, 9).ok());
  const auto client = network->Connect(listener->address(), 1'000'000'000).value();
  poller.Wake();
  std::array<runtime::Ready, 4> ready;
  ASSERT_EQ(poller.Wait(ready, ~uint64_t{0}), 1u);
  EXPECT_EQ(ready[0].tag, 9u);
  EXPECT_TRUE(ready[0].readable);
  poller.Remove(*listener);
}

}  // namespace

}  // namespace luna::posix
