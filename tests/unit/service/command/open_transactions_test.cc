#include "service/command/open_transactions.h"

#include "service_support/command_test.h"

namespace luna::command {
namespace {

using Kind = TransactionState::Kind;

class OpenTransactionsTest : public service_support::CommandTest {
 protected:
  OpenTransaction Make(uint64_t deadline = 0) {
    OpenTransaction made;
    made.interactive.id = all_.NextId();
    made.interactive.deadline_nanos = deadline;
    made.interactive.transaction = session_.database->Begin().value();
    made.database = session_.database;
    made.collection = session_.collection;
    return made;
  }
  OpenTransactions all_;
};

TEST_F(OpenTransactionsTest, TakenOneIsBusyUntilItIsPutBack) {
  EXPECT_TRUE(all_.Add(Make()));
  OpenTransaction taken;
  OpenTransaction second;
  EXPECT_EQ(all_.Take(1, 0, taken).kind, Kind::kOpen);
  EXPECT_EQ(all_.Take(1, 0, second).kind, Kind::kBusy);
  EXPECT_EQ(all_.StateOf(1).kind, Kind::kBusy);
  all_.PutBack(std::move(taken));
  EXPECT_EQ(all_.Take(1, 0, second).kind, Kind::kOpen);
  all_.End({.kind = Kind::kCommitted, .id = 1, .timestamp = 77, .database = {}});
  EXPECT_EQ(all_.StateOf(1).timestamp, 77u);
  EXPECT_EQ(all_.Take(1, 0, taken).kind, Kind::kCommitted);
  EXPECT_EQ(all_.StateOf(2).kind, Kind::kUnknown);
}

TEST_F(OpenTransactionsTest, DeadlinesAndDropsRollBack) {
  all_.Add(Make(100));
  all_.Add(Make(100));
  all_.Add(Make());
  OpenTransaction taken;
  EXPECT_EQ(all_.Take(1, 100, taken).kind, Kind::kTimedOut);
  all_.Sweep(99);
  EXPECT_EQ(all_.StateOf(2).kind, Kind::kOpen);
  all_.Sweep(100);
  EXPECT_EQ(all_.StateOf(2).kind, Kind::kTimedOut);
  EXPECT_EQ(all_.List().size(), 1u);
  all_.Forget("other");
  EXPECT_EQ(all_.size(), 1u);
  all_.Forget("default");
  EXPECT_EQ(all_.StateOf(3).kind, Kind::kRolledBack);
  EXPECT_EQ(all_.size(), 0u);
}

TEST_F(OpenTransactionsTest, IdsStartWhereTheyAreTold) {
  EXPECT_EQ(all_.NextId(), 1u);
  all_.StartAfter(uint64_t{1} << 40);
  EXPECT_EQ(all_.NextId(), (uint64_t{1} << 40) + 1);
}

TEST_F(OpenTransactionsTest, AreBounded) {
  for (size_t i = 0; i < OpenTransactions::kMost; ++i) {
    ASSERT_TRUE(all_.Add(Make()));
  }
  EXPECT_FALSE(all_.Add(Make()));
}

}  // namespace
}  // namespace luna::command
