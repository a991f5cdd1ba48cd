#include "service/command/session.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "service_support/command_test.h"

namespace luna::command {
namespace {

using SessionTest = service_support::CommandTest;

TEST_F(SessionTest, EndMultiForgetsQueueAndWatches) {
  session_.queueing = true;
  session_.queue_failed = true;
  session_.queue.push_back({nullptr, {"GET", "a"}});
  session_.watched.emplace(std::pair(uint64_t{1}, "a"), Watched{session_.collection, 1});
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

TEST_F(SessionTest, QueuesAndWatchesWithinItsBound) {
  const Command& command = *host_.commands().Find(std::array<std::string_view, 1>{"set"});
  session_.held_bytes = Session::kHeldBytesMax - 1500;
  const std::string half(1000, 'v');
  const std::array<std::string_view, 3> arguments = {"SET", "a", half};
  EXPECT_TRUE(session_.Enqueue(command, arguments));
  EXPECT_FALSE(session_.Enqueue(command, arguments));
  EXPECT_EQ(session_.queue.size(), 1u);
  WatchedKeys keys;
  keys.emplace(std::pair(uint64_t{1}, half), Watched{session_.collection, 1});
  EXPECT_FALSE(session_.Watch(std::move(keys)));
  EXPECT_TRUE(session_.watched.empty());
  session_.EndMulti();
  EXPECT_EQ(session_.held_bytes, 0u);
}

TEST_F(SessionTest, WatchedKeysKeepTheirFirstVersion) {
  const std::pair place(uint64_t{1}, std::string("a"));
  EXPECT_TRUE(session_.Watch({{place, Watched{session_.collection, 1}}}));
  const uint64_t held = session_.held_bytes;
  EXPECT_GT(held, 0u);
  EXPECT_TRUE(session_.Watch({{place, Watched{session_.collection, 2}}}));
  EXPECT_EQ(session_.watched.at(place).timestamp, 1u);
  EXPECT_EQ(session_.held_bytes, held);
  session_.EndWatch();
  EXPECT_TRUE(session_.watched.empty());
  EXPECT_EQ(session_.held_bytes, 0u);
}

}  // namespace
}  // namespace luna::command
