#include "service_support/command_test.h"

namespace luna::command {
namespace {

using NamesTest = service_support::CommandTest;
using service_support::Has;

TEST_F(NamesTest, SelectChoosesNumberedCollections) {
  Do("SET a zero");
  EXPECT_EQ(Do("SELECT 15"), "+OK\r\n");
  EXPECT_EQ(Do("GET a"), "$-1\r\n");
  EXPECT_EQ(Do("SELECT 16"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(Do("SELECT -1"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(Do("SELECT x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(session_.collection->name(), "15");
}

TEST_F(NamesTest, UseChoosesDatabaseAndCollection) {
  EXPECT_EQ(Do("DATABASE CREATE shop"), "+OK\r\n");
  EXPECT_EQ(Do("USE shop"), "+OK\r\n");
  EXPECT_EQ(Do("COLLECTION CREATE things"), "+OK\r\n");
  EXPECT_EQ(Do("USE shop.things"), "+OK\r\n");
  EXPECT_EQ(session_.collection->name(), "things");
  EXPECT_EQ(Do("USE default 3"), "+OK\r\n");
  EXPECT_EQ(session_.collection->name(), "3");
  EXPECT_TRUE(Do("USE nowhere").starts_with("-NOSUCHDB "));
  EXPECT_TRUE(Do("USE shop.nothing").starts_with("-NOSUCHCOLLECTION "));
  EXPECT_EQ(Do("USE a b c"), "-ERR syntax error\r\n");
}

TEST_F(NamesTest, DatabasesComeAndGo) {
  EXPECT_TRUE(Do("DATABASE CREATE a.b").starts_with("-ERR "));
  EXPECT_EQ(Do("DATABASE CREATE shop"), "+OK\r\n");
  EXPECT_TRUE(Do("DATABASE CREATE shop").starts_with("-EXISTS "));
  EXPECT_EQ(Do("DATABASE LIST"), "*2\r\n$7\r\ndefault\r\n$4\r\nshop\r\n");
  auto other = host_.NewSession();
  Do(other, "USE shop");
  Do(other, "SET a 1");
  EXPECT_TRUE(Has(Do("DATABASE INFO shop"), "collections"));
  EXPECT_TRUE(Do("DATABASE INFO nowhere").starts_with("-NOSUCHDB "));
  EXPECT_TRUE(Do("DATABASE DROP shop CONFIRM shap").starts_with("-ERR "));
  EXPECT_TRUE(Do("DATABASE DROP default CONFIRM default").starts_with("-ERR "));
  EXPECT_EQ(Do("DATABASE DROP shop CONFIRM shop"), "+OK\r\n");
  EXPECT_TRUE(Do(other, "GET a").starts_with("-NOSUCHDB "));
  EXPECT_EQ(Do("DATABASE CREATE shop"), "+OK\r\n");
  EXPECT_EQ(Do("USE shop"), "+OK\r\n");
  EXPECT_EQ(Do("GET a"), "$-1\r\n");
  EXPECT_TRUE(Do("DATABASE DROP nowhere CONFIRM nowhere").starts_with("-NOSUCHDB "));
}

TEST_F(NamesTest, CollectionsComeAndGo) {
  EXPECT_EQ(Do("COLLECTION CREATE a"), "+OK\r\n");
  EXPECT_TRUE(Do("COLLECTION CREATE a").starts_with("-EXISTS "));
  EXPECT_EQ(Do("COLLECTION RENAME a b"), "+OK\r\n");
  EXPECT_EQ(Do("COLLECTION LIST"), "*2\r\n$1\r\n0\r\n$1\r\nb\r\n");
  EXPECT_TRUE(Do("USE default.a").starts_with("-NOSUCHCOLLECTION "));
  EXPECT_TRUE(Has(Do("COLLECTION INFO b"), "space_amplification"));
  EXPECT_TRUE(Has(Do("COLLECTION INFO"), "entries_estimate"));
  EXPECT_TRUE(Do("COLLECTION INFO a").starts_with("-NOSUCHCOLLECTION "));
  EXPECT_EQ(Do("COLLECTION DROP b CONFIRM b"), "+OK\r\n");
  EXPECT_TRUE(Do("COLLECTION DROP b CONFIRM b").starts_with("-NOSUCHCOLLECTION "));
  EXPECT_TRUE(Do("COLLECTION DROP 0 CONFIRM 0").starts_with("-ERR "));
  EXPECT_TRUE(Do("COLLECTION RENAME 0 x").starts_with("-ERR "));
}

TEST_F(NamesTest, FlushesDeleteTheirPart) {
  Do("SET a 1");
  Do("SELECT 1");
  Do("SET a 1");
  EXPECT_EQ(Do("FLUSHDB"), "+OK\r\n");
  EXPECT_EQ(Do("GET a"), "$-1\r\n");
  Do("SELECT 0");
  EXPECT_EQ(Do("GET a"), "$1\r\n1\r\n");
  EXPECT_EQ(Do("FLUSHALL ASYNC"), "+OK\r\n");
  EXPECT_EQ(Do("GET a"), "$-1\r\n");
  EXPECT_EQ(Do("FLUSHALL FOO"), "-ERR syntax error\r\n");
  EXPECT_EQ(Do("FLUSHDB SYNC x"), "-ERR syntax error\r\n");
}

TEST_F(NamesTest, SwapdbSwapsAndKeepsBoth) {
  Do("SET a zero");
  EXPECT_EQ(Do("SWAPDB 0 0"), "+OK\r\n");
  EXPECT_EQ(Do("SWAPDB 0 5"), "+OK\r\n");
  EXPECT_EQ(Do("GET a"), "$-1\r\n");
  Do("SELECT 5");
  EXPECT_EQ(Do("GET a"), "$4\r\nzero\r\n");
  EXPECT_EQ(Do("SWAPDB x 0"), "-ERR invalid first DB index\r\n");
  EXPECT_EQ(Do("SWAPDB 0 x"), "-ERR invalid second DB index\r\n");
  EXPECT_EQ(Do("SWAPDB 0 16"), "-ERR DB index is out of range\r\n");
}

}  // namespace
}  // namespace luna::command
