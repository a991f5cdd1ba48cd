#include "service/command/session.h"

#include "service_support/command_test.h"

namespace luna::command {
namespace {

using SessionTest = service_support::CommandTest;

TEST_F(SessionTest, EndMultiForgetsQueueAndWatches) {
  session_.queueing = true;
  session_.queue_failed = true;
  session_.queue.push_back({nullptr, {"GET", "a"}});
  session_.watched.push_back({session_.collection, "a", 1});
  session_.watched_database = session_.database;
  session_.EndMulti();
  EXPECT_FALSE(session_.queueing || session_.queue_failed);
  EXPECT_TRUE(session_.queue.empty() && session_.watched.empty());
  EXPECT_EQ(session_.watched_database, nullptr);
}

TEST_F(SessionTest, InteractiveTransactionEndsAtItsDeadlineOnly) {
  session_.ExpireInteractive(~uint64_t{0});
  EXPECT_FALSE(session_.interactive);
  session_.interactive.emplace();
  session_.interactive->transaction = session_.database->Begin().value();
  session_.ExpireInteractive(~uint64_t{0});  // no deadline
  EXPECT_FALSE(session_.interactive->timed_out);
  session_.interactive->deadline_nanos = 10;
  session_.ExpireInteractive(9);
  EXPECT_NE(session_.interactive->transaction, nullptr);
  session_.ExpireInteractive(10);
  EXPECT_EQ(session_.interactive->transaction, nullptr);
  EXPECT_TRUE(session_.interactive->timed_out);
}

TEST_F(SessionTest, StaysWhereItWasWhenTheNewPlaceIsMissing) {
  const auto collection = session_.collection;
  EXPECT_EQ(ChooseCollection(host_, session_, "nowhere", "0").error().reason(),
            Reason::kDatabaseMissing);
  EXPECT_EQ(ChooseCollection(host_, session_, "default", "nothing").error().reason(),
            Reason::kCollectionMissing);
  EXPECT_EQ(session_.collection, collection);
}

TEST_F(SessionTest, FindsItsCollectionAgainAfterNamesChanged) {
  auto other = host_.NewSession();
  EXPECT_EQ(Do("SET a zero"), "+OK\r\n");
  EXPECT_EQ(Do(other, "SELECT 1"), "+OK\r\n");
  EXPECT_EQ(Do(other, "SET a one"), "+OK\r\n");
  EXPECT_EQ(Do(other, "SWAPDB 0 1"), "+OK\r\n");
  EXPECT_EQ(Do("GET a"), "$3\r\none\r\n");
  EXPECT_EQ(Do(other, "GET a"), "$4\r\nzero\r\n");
}

}  // namespace
}  // namespace luna::command
