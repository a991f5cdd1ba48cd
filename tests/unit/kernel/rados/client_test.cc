#include "kernel/rados/client.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "conformance/rados/rados_ground.h"

namespace luna::rados {

namespace {

using conformance::RadosGround;

TEST(Client, ResultsAreReasons) {
  EXPECT_EQ(ToError(-ENOSPC, "x").reason(), Reason::kDiskFull);
  EXPECT_EQ(ToError(-EDQUOT, "x").reason(), Reason::kDiskFull);
  EXPECT_EQ(ToError(-EACCES, "x").reason(), Reason::kReadOnly);
  EXPECT_EQ(ToError(-ESHUTDOWN, "x").reason(), Reason::kFenced);
  EXPECT_EQ(ToError(-ETIMEDOUT, "x").reason(), Reason::kUnreachable);
  EXPECT_EQ(ToError(-ENOENT, "x").reason(), Reason::kObjectMissing);
  EXPECT_EQ(ToError(-EIO, "reading x").reason(), Reason::kIoError);
  EXPECT_TRUE(ToError(-EIO, "reading x").message().starts_with("reading x: "));
  EXPECT_TRUE(IsTransient(-ETIMEDOUT));
  EXPECT_FALSE(IsTransient(-ECANCELED));
  EXPECT_FALSE(IsTransient(0));
}

TEST(Client, AConfigurationThatIsNotThereIsNamed) {
  RadosGround ground;
  const auto client =
      Client::Connect(ground.runtime(), {.pool = "luna", .conf = "/nowhere/ceph.conf"});
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.error().reason(), Reason::kBadOption);
  EXPECT_NE(client.error().message().find("/nowhere/ceph.conf"), std::string::npos);
}

TEST(Client, APoolThatIsNotThereIsNamed) {
  RadosGround ground;
  const auto client =
      Client::Connect(ground.runtime(), ParseLocation(ground.url()).value()).value();
  const auto pool = client->OpenPool("nowhere");
  ASSERT_FALSE(pool.ok());
  EXPECT_EQ(pool.error().reason(), Reason::kBadOption);
  EXPECT_NE(pool.error().message().find("nowhere"), std::string::npos);
}

TEST(Client, AnEvictedClientIsTold) {
  RadosGround ground;
  const auto evicted = ground.OpenSpace();
  const auto other = ground.OpenSpace();
  const auto write = [](WriteOperation& operation) { operation.WriteAll("x"); };
  ASSERT_EQ(evicted->TryWrite("x", write), 0);
  ASSERT_TRUE(other->client().Evict(evicted->client().Addresses().value()).ok());
  EXPECT_EQ(other->TryWrite("x", write), 0);
  EXPECT_EQ(evicted->TryWrite("x", write), -ESHUTDOWN);
  other->client().Disown();
  EXPECT_EQ(other->TryWrite("x", write), -ESHUTDOWN);
}

TEST(Client, PatienceEnds) {
  RadosGround ground;
  const auto space = ground.OpenSpace("", "&timeout=1");
  Patience patience(space->client());
  EXPECT_FALSE(patience.Again(0));
  EXPECT_FALSE(patience.Again(-ENOENT));
  int repeats = 0;
  while (patience.Again(-ETIMEDOUT)) {
    ++repeats;
  }
  EXPECT_GT(repeats, 2);
  EXPECT_LT(repeats, 20);
}

}  // namespace

}  // namespace luna::rados
