#include "runtime/posix/posix_network.h"

#include <gtest/gtest.h>

namespace luna::posix {

namespace {

constexpr uint64_t kSecond = 1'000'000'000;

TEST(PosixNetwork, UnknownHostsAreNamed) {
  const auto network = NewPosixNetwork();
  const auto listened = network->Listen("no-such-host.invalid:1");
  ASSERT_FALSE(listened.ok());
  EXPECT_EQ(listened.error().reason(), Reason::kBadOption);
  EXPECT_NE(listened.error().message().find("no-such-host.invalid:1"), std::string::npos);
  const auto connected = network->Connect("no-such-host.invalid:1", kSecond);
  ASSERT_FALSE(connected.ok());
  EXPECT_EQ(connected.error().reason(), Reason::kUnreachable);
}

TEST(PosixNetwork, AddressesOfOtherMachinesAreRefused) {
  const auto listened = NewPosixNetwork()->Listen("192.0.2.1:0");  // for documentation only
  ASSERT_FALSE(listened.ok());
  EXPECT_EQ(listened.error().reason(), Reason::kBadOption);
}

TEST(PosixNetwork, TheNewerFamilyWorksWhereTheMachineHasIt) {
  const auto network = NewPosixNetwork();
  const auto listener = network->Listen("[::1]:0");
  if (!listener.ok()) {
    EXPECT_EQ(listener.error().reason(), Reason::kBadOption);
    return;
  }
  EXPECT_TRUE((*listener)->address().starts_with("[::1]:"));
  EXPECT_TRUE(network->Connect((*listener)->address(), kSecond).ok());
}

TEST(PosixNetwork, EveryAddressAtOnceIsOne) {
  const auto network = NewPosixNetwork();
  const auto listener = network->Listen("0.0.0.0:0").value();
  const std::string port = listener->address().substr(listener->address().rfind(':'));
  EXPECT_TRUE(network->Connect("127.0.0.1" + port, kSecond).ok());
}

}  // namespace

}  // namespace luna::posix
