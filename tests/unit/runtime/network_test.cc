#include "runtime/network.h"

#include <gtest/gtest.h>

namespace luna::runtime {

namespace {

TEST(Address, HostAndPortAreTakenApart) {
  const HostAndPort four = ParseAddress("127.0.0.1:6479").value();
  EXPECT_EQ(four.host, "127.0.0.1");
  EXPECT_EQ(four.port, 6479);
  EXPECT_FALSE(four.is_v6());
  const HostAndPort six = ParseAddress("[::1]:0").value();
  EXPECT_EQ(six.host, "::1");
  EXPECT_EQ(six.port, 0);
  EXPECT_TRUE(six.is_v6());
  EXPECT_EQ(ParseAddress("db.example.org:65535").value().host, "db.example.org");
}

TEST(Address, NumbersAreToldFromNames) {
  for (const std::string address : {"127.0.0.1:1", "[::1]:1", "[fe80::1]:1", "10.0.0.255:1"}) {
    EXPECT_TRUE(ParseAddress(address).value().is_number()) << address;
  }
  for (const std::string address : {"localhost:1", "a.example:1", "1.example:1", "10.0.0.x:1"}) {
    EXPECT_FALSE(ParseAddress(address).value().is_number()) << address;
  }
}

TEST(Address, FormattingIsTheWayBack) {
  for (const std::string address : {"127.0.0.1:6479", "[::1]:1", "localhost:0"}) {
    EXPECT_EQ(FormatAddress(ParseAddress(address).value()), address);
  }
}

TEST(Address, WhatIsNoneIsNamed) {
  for (const std::string address : {"", "a", ":1", "a:", "a:65536", "a:-1", "a:1x", "a:b:1", "[]:1",
                                    "[::1:1", "a b:1", "/a:1"}) {
    const auto parsed = ParseAddress(address);
    ASSERT_FALSE(parsed.ok()) << address;
    EXPECT_EQ(parsed.error().reason(), Reason::kBadOption);
    EXPECT_NE(parsed.error().message().find('"' + address + '"'), std::string::npos);
  }
}

}  // namespace

}  // namespace luna::runtime
