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

TEST(ServerName, WhoSpeaksTlsSaysSo) {
  EXPECT_EQ(TextOf({.clients = "a:1", .tls = true}), "a:1||tls");
  EXPECT_EQ(TextOf({.clients = "a:1", .peers = "b:2", .tls = true}), "a:1|b:2|tls");
  for (const std::string text : {"a:1||tls", "a:1||tls|zone"}) {
    const ServerName name = ParseServerName(text);
    EXPECT_EQ(name.clients, "a:1");
    EXPECT_EQ(name.peers, "");
    EXPECT_TRUE(name.tls);
  }
  for (const std::string text : {"a:1", "tls", "a:1|tls", "a:1|b:2|", "a:1|b:2|tls9"}) {
    EXPECT_FALSE(ParseServerName(text).tls) << text;
  }
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
