#include "cluster/replica/server_name.h"

#include <gtest/gtest.h>

namespace luna::replica {
namespace {

TEST(ServerName, ComesBackAsItWent) {
  const ServerName both = ParseServerName(TextOf({.clients = "a:1", .peers = "[::1]:2"}));
  EXPECT_EQ(both.clients, "a:1");
  EXPECT_EQ(both.peers, "[::1]:2");
}

TEST(ServerName, WhoDoesNotListenToOthersIsNamedAsEver) {
  EXPECT_EQ(TextOf({.clients = "a:1"}), "a:1");
  const ServerName name = ParseServerName("a:1");
  EXPECT_EQ(name.clients, "a:1");
  EXPECT_EQ(name.peers, "");
}

TEST(ServerName, WhatComesLaterIsPassedOver) {
  const ServerName name = ParseServerName("a:1|b:2|zone");
  EXPECT_EQ(name.clients, "a:1");
  EXPECT_EQ(name.peers, "b:2");
  EXPECT_EQ(ParseServerName("").clients, "");
  EXPECT_EQ(ParseServerName("|").peers, "");
}

}  // namespace
}  // namespace luna::replica
