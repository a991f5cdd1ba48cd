#include "simulation/sim_kernel/sim_journal.h"

#include "unit/simulation/sim_kernel/sim_world.h"

namespace luna::sim_kernel {
namespace {

class SimJournalTest : public SimWorld {
 protected:
  // Every first reply is lost, so that everything is asked for twice.
  static constexpr SimFaults kUnreliable = {.lost_request_per_mille = 300,
                                            .lost_reply_per_mille = 300,
                                            .timeout_millis = 10,
                                            .tries = 100};

  const std::shared_ptr<Endpoint> endpoint_ = Server();
  const std::unique_ptr<journal::Journal> journal_ = NewSimJournal(endpoint_);
};

TEST_F(SimJournalTest, AStreamIsOpenOnceInAJournalAndInManyServers) {
  auto stream = journal_->Open("s", {}).value();
  EXPECT_EQ(journal_->Open("s", {}).error().reason(), Reason::kStreamExists);
  EXPECT_EQ(journal_->Remove("s").error().reason(), Reason::kStreamExists);
  const auto other = NewSimJournal(Server());
  EXPECT_TRUE(other->Open("s", {}).ok());
  stream.reset();
  EXPECT_TRUE(journal_->Open("s", {}).ok());
  EXPECT_EQ(journal_->Open("s", {.segment_bytes = 1}).error().reason(), Reason::kBadOption);
  EXPECT_TRUE(journal_->Open("s", {}).ok());  // a failed opening claims nothing
}

TEST_F(SimJournalTest, WorksOnAnUnreliableWire) {
  wire().SetFaults(endpoint_->server(), kUnreliable);
  for (int i = 0; i < 20; ++i) {
    const std::string name = "s" + std::to_string(i);
    ASSERT_TRUE(journal_->Open(name, {}).ok());
    ASSERT_TRUE(journal_->Exists(name).value());
    ASSERT_TRUE(journal_->Link(name, "sim:copy").ok());
    ASSERT_EQ(journal_->Link(name, "sim:copy").error().reason(), Reason::kStreamExists);
    ASSERT_TRUE(journal_->Remove(name).ok());
    ASSERT_EQ(journal_->Remove(name).error().reason(), Reason::kStreamMissing);
  }
  EXPECT_TRUE(journal_->List().value().empty());
  EXPECT_EQ(store_.space("copy").streams.size(), 20u);
}

TEST_F(SimJournalTest, WhoeverIsCutOffIsToldSo) {
  wire().SetFaults(endpoint_->server(), {.timeout_millis = 10, .tries = 2});
  wire().SetCut(endpoint_->server(), Cut::kDrop);
  EXPECT_EQ(journal_->Open("s", {}).error().reason(), Reason::kUnreachable);
  EXPECT_EQ(journal_->Exists("s").error().reason(), Reason::kUnreachable);
  EXPECT_EQ(journal_->List().error().reason(), Reason::kUnreachable);
  EXPECT_EQ(journal_->Remove("s").error().reason(), Reason::kUnreachable);
  EXPECT_EQ(journal_->Link("s", "sim:copy").error().reason(), Reason::kUnreachable);
  EXPECT_EQ(journal_->Link("s", "/copy").error().reason(), Reason::kBadOption);
}

// The first try to make the stream arrives when it was made by the second one, and removed.
TEST_F(SimJournalTest, ALateRequestMakesNoStreamAgain) {
  wire().SetFaults(
      endpoint_->server(),
      {.late_per_mille = kAlways, .late = {.least = 500, .most = 500}, .timeout_millis = 10});
  const auto healer = Spawn([&] {
    SleepMillis(5);
    wire().SetFaults(endpoint_->server(), {});
  });
  EXPECT_TRUE(journal_->Open("s", {}).ok());
  healer->Join();
  ASSERT_TRUE(journal_->Remove("s").ok());
  EXPECT_GT(wire().travelling(), 0u);
  SleepMillis(1000);
  EXPECT_FALSE(journal_->Exists("s").value());
}

TEST_F(SimJournalTest, ALateRemovalDoesNotTakeTheNextStreamOfThatName) {
  EXPECT_TRUE(journal_->Open("s", {}).ok());
  const auto unlucky = Server();
  const auto other = NewSimJournal(unlucky);
  wire().SetFaults(unlucky->server(),
                   {.request_delay = {.least = 5, .most = 5}, .timeout_millis = 10, .tries = 1});
  const auto late_from_the_second_request_on = Spawn([&] {
    SleepMillis(2);
    wire().SetFaults(unlucky->server(), {.late_per_mille = kAlways,
                                         .late = {.least = 500, .most = 500},
                                         .timeout_millis = 10,
                                         .tries = 1});
  });
  EXPECT_EQ(other->Remove("s").error().reason(), Reason::kUnreachable);
  late_from_the_second_request_on->Join();
  ASSERT_TRUE(journal_->Remove("s").ok());
  EXPECT_TRUE(journal_->Open("s", {}).ok());
  EXPECT_GT(wire().travelling(), 0u);
  SleepMillis(1000);
  EXPECT_TRUE(journal_->Exists("s").value());
}

}  // namespace
}  // namespace luna::sim_kernel
