#include "runtime/posix/posix_notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

namespace luna::posix {
namespace {

// The one who started the process: a datagram socket, and the environment that names it.
class NotifyTest : public testing::Test {
 protected:
  ~NotifyTest() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
      ::unsetenv(name);
    }
  }
  void Listen(std::string path) {
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    if (path.front() == '@') {
      path.front() = '\0';
    } else {
      ::unlink(path.c_str());
    }
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    ASSERT_EQ(::bind(socket_.number(), reinterpret_cast<sockaddr*>(&address),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size())),
              0);
  }
  std::string Received() {
    std::array<char, 256> buffer;
    const ssize_t bytes = ::recv(socket_.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return bytes < 0 ? "" : std::string(buffer.data(), static_cast<size_t>(bytes));
  }
  const Descriptor socket_{::socket(AF_UNIX, SOCK_DGRAM, 0)};
};

TEST_F(NotifyTest, TellsWhatHappens) {
  const std::string path = testing::TempDir() + "notify_" + std::to_string(::getpid());
  Listen(path);
  const ServiceNotifier notifier;
  EXPECT_TRUE(notifier.listened_to());
  notifier.Status("opening");
  EXPECT_EQ(Received(), "STATUS=opening\n");
  notifier.Ready("serving");
  EXPECT_EQ(Received(), "READY=1\nSTATUS=serving\n");
  notifier.Reloading(5'000);
  EXPECT_EQ(Received(), "RELOADING=1\nMONOTONIC_USEC=5\n");
  notifier.Alive();
  EXPECT_EQ(Received(), "WATCHDOG=1\n");
  notifier.Stopping();
  EXPECT_EQ(Received(), "STOPPING=1\nSTATUS=stopping\n");
  ::unlink(path.c_str());
  notifier.Alive();  // nobody listens any more: no harm
  EXPECT_EQ(Received(), "");
}

TEST_F(NotifyTest, AbstractNamesWork) {
  Listen("@luna_notify_" + std::to_string(::getpid()));
  ServiceNotifier().Alive();
  EXPECT_EQ(Received(), "WATCHDOG=1\n");
}

TEST_F(NotifyTest, WithoutAListenerNothingHappens) {
  ::unsetenv("NOTIFY_SOCKET");
  ::setenv("WATCHDOG_USEC", "1000000", 1);
  const ServiceNotifier notifier;
  EXPECT_FALSE(notifier.listened_to());
  EXPECT_EQ(notifier.alive_interval_nanos(), 0u);
  notifier.Ready("unheard");
  ::setenv("NOTIFY_SOCKET", "relative", 1);
  EXPECT_FALSE(ServiceNotifier().listened_to());
  ::setenv("NOTIFY_SOCKET", ("/" + std::string(200, 'x')).c_str(), 1);
  EXPECT_FALSE(ServiceNotifier().listened_to());
}

TEST_F(NotifyTest, WatchdogIsFedTwiceAsOftenAsAsked) {
  ::setenv("NOTIFY_SOCKET", "@nobody", 1);
  EXPECT_EQ(ServiceNotifier().alive_interval_nanos(), 0u);
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  EXPECT_EQ(ServiceNotifier().alive_interval_nanos(), 1'500'000'000u);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(ServiceNotifier().alive_interval_nanos(), 1'500'000'000u);
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(ServiceNotifier().alive_interval_nanos(), 0u) << "meant for another process";
  ::setenv("WATCHDOG_PID", "", 1);
  ::setenv("WATCHDOG_USEC", "soon", 1);
  EXPECT_EQ(ServiceNotifier().alive_interval_nanos(), 0u);
}

}  // namespace
}  // namespace luna::posix
