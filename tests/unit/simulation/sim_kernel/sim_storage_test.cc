#include "simulation/sim_kernel/sim_storage.h"

#include "base/try.h"
#include "unit/simulation/sim_kernel/sim_world.h"

namespace luna::sim_kernel {
namespace {

using Names = std::vector<std::string>;

class SimStorageTest : public SimWorld {
 protected:
  explicit SimStorageTest(const SimGuards& guards = {}) : SimWorld(guards) {}

  static Status Put(storage::Storage& storage, const std::string& object,
                    const std::string& bytes) {
    const auto writer = TRY(storage.Create("b", object));
    TRY(writer->Append(bytes));
    return writer->Finish();
  }
  // Its Finish is answered by nobody, and arrives half a second later.
  Status PutLate(const std::string& object, const std::string& bytes) {
    const auto writer = TRY(storage_->Create("b", object));
    TRY(writer->Append(bytes));
    wire().SetFaults(endpoint_->server(), {.late_per_mille = kAlways,
                                           .late = {.least = 500, .most = 500},
                                           .timeout_millis = 10,
                                           .tries = 1});
    const Status finished = writer->Finish();
    wire().SetFaults(endpoint_->server(), {});
    return finished;
  }
  bool IsThere(const std::string& object) {
    return store_.space("u").objects.contains("b/" + object);
  }

  const std::shared_ptr<Endpoint> endpoint_ = Server();
  const std::unique_ptr<storage::Storage> storage_ = NewSimStorage(endpoint_);
  const std::shared_ptr<Endpoint> other_endpoint_ = Server();
  const std::unique_ptr<storage::Storage> other_ = NewSimStorage(other_endpoint_);
};

TEST_F(SimStorageTest, AnObjectOfUnknownOutcomeMayAppearLate) {
  EXPECT_EQ(PutLate("one", "bytes").error().reason(), Reason::kUnreachable);
  EXPECT_FALSE(IsThere("one"));
  SleepMillis(511);
  EXPECT_TRUE(IsThere("one"));
}

TEST_F(SimStorageTest, ALateCreateAfterADeleteFailsAsNamesAreNeverUsedAgain) {
  EXPECT_EQ(PutLate("one", "late").error().reason(), Reason::kUnreachable);
  ASSERT_TRUE(Put(*other_, "one", "another").ok());
  ASSERT_TRUE(other_->Remove("b", "one").ok());
  SleepMillis(511);
  EXPECT_FALSE(IsThere("one"));
  EXPECT_EQ(storage_->Create("b", "one").error().reason(), Reason::kObjectExists);
  EXPECT_EQ(storage_->Open("b", "one").error().reason(), Reason::kObjectMissing);
}

class ForgetfulStorageTest : public SimStorageTest {
 protected:
  ForgetfulStorageTest() : SimStorageTest({.removed_names_stay_taken = false}) {}
};

TEST_F(ForgetfulStorageTest, ALateCreateAfterADeleteSucceedsWhereNamesAreForgotten) {
  EXPECT_EQ(PutLate("one", "late").error().reason(), Reason::kUnreachable);
  ASSERT_TRUE(Put(*other_, "one", "another").ok());
  ASSERT_TRUE(other_->Remove("b", "one").ok());
  SleepMillis(511);
  EXPECT_TRUE(IsThere("one"));
}

TEST_F(SimStorageTest, ALateCreateDoesNotReplaceAnother) {
  EXPECT_EQ(PutLate("one", "late").error().reason(), Reason::kUnreachable);
  ASSERT_TRUE(Put(*other_, "one", "another").ok());
  SleepMillis(511);
  EXPECT_EQ(other_->Open("b", "one").value()->size(), 7u);
}

TEST_F(SimStorageTest, AFinishThatIsRepeatedIsToldOnce) {
  wire().SetFaults(endpoint_->server(),
                   {.lost_reply_per_mille = 500, .timeout_millis = 10, .tries = 100});
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(Put(*storage_, std::to_string(i), "bytes").ok());
  }
  EXPECT_EQ(other_->List("b").value().size(), 20u);
}

TEST_F(SimStorageTest, AnotherServersRemovalIsSeenAtTheNextRead) {
  ASSERT_TRUE(Put(*storage_, "one", "bytes").ok());
  const auto reader = storage_->Open("b", "one").value();
  ASSERT_TRUE(other_->Remove("b", "one").ok());
  char byte = 0;
  EXPECT_EQ(reader->Read(0, 1, &byte).error().reason(), Reason::kObjectMissing);
}

TEST_F(SimStorageTest, OnesOwnRemovalWaitsForTheLastReader) {
  ASSERT_TRUE(Put(*storage_, "one", "bytes").ok());
  auto reader = storage_->Open("b", "one").value();
  auto second = storage_->Open("b", "one").value();
  ASSERT_TRUE(storage_->Remove("b", "one").ok());
  EXPECT_EQ(storage_->List("b").value(), Names{});
  EXPECT_EQ(storage_->ListBuckets().value(), Names{});
  EXPECT_EQ(storage_->Link("b", "one", "sim:copy").error().reason(), Reason::kObjectMissing);
  reader.reset();
  EXPECT_TRUE(IsThere("one"));
  second.reset();
  EXPECT_FALSE(IsThere("one"));
}

TEST_F(SimStorageTest, ASlowReadTakesItsTime) {
  ASSERT_TRUE(Put(*storage_, "one", "bytes").ok());
  const auto reader = storage_->Open("b", "one").value();
  wire().SetFaults(endpoint_->server(),
                   {.slow_read_per_mille = kAlways, .slow_read = {.least = 300, .most = 300}});
  const uint64_t start = NowMillis();
  char bytes[5];
  ASSERT_TRUE(reader->Read(0, 5, bytes).ok());
  EXPECT_EQ(std::string_view(bytes, 5), "bytes");
  EXPECT_EQ(NowMillis(), start + 300);
}

TEST_F(SimStorageTest, AFullStoreTakesNoObjectButRemovesThem) {
  ASSERT_TRUE(Put(*storage_, "one", "bytes").ok());
  store_.SetFull(true);
  EXPECT_EQ(Put(*storage_, "two", "bytes").error().reason(), Reason::kDiskFull);
  EXPECT_EQ(storage_->Link("b", "one", "sim:copy").error().reason(), Reason::kDiskFull);
  EXPECT_TRUE(storage_->Remove("b", "one").ok());
  EXPECT_FALSE(IsThere("one"));
  store_.SetFull(false);
  EXPECT_TRUE(Put(*storage_, "two", "bytes").ok());
}

TEST_F(SimStorageTest, WhoeverIsCutOffIsToldSo) {
  ASSERT_TRUE(Put(*storage_, "one", "bytes").ok());
  const auto reader = storage_->Open("b", "one").value();
  const auto writer = storage_->Create("b", "two").value();
  wire().SetFaults(endpoint_->server(), {.timeout_millis = 10, .tries = 2});
  wire().SetCut(endpoint_->server(), Cut::kDrop);
  char byte = 0;
  EXPECT_EQ(reader->Read(0, 1, &byte).error().reason(), Reason::kUnreachable);
  EXPECT_EQ(writer->Finish().error().reason(), Reason::kUnreachable);
  EXPECT_EQ(storage_->Create("b", "three").error().reason(), Reason::kUnreachable);
  EXPECT_EQ(storage_->Open("b", "one").error().reason(), Reason::kUnreachable);
  EXPECT_EQ(storage_->List("b").error().reason(), Reason::kUnreachable);
  EXPECT_EQ(storage_->ListBuckets().error().reason(), Reason::kUnreachable);
  EXPECT_EQ(storage_->Remove("b", "one").error().reason(), Reason::kUnreachable);
  EXPECT_EQ(storage_->RemoveBucket("b").error().reason(), Reason::kUnreachable);
  EXPECT_EQ(storage_->Link("b", "one", "sim:copy").error().reason(), Reason::kUnreachable);
  EXPECT_EQ(storage_->Link("b", "one", "copy").error().reason(), Reason::kBadOption);
}

TEST_F(SimStorageTest, ALinkDoesNotReplaceAnotherObject) {
  ASSERT_TRUE(Put(*storage_, "one", "bytes").ok());
  const auto elsewhere = NewSimStorage(Server({}, "copy"));
  ASSERT_TRUE(Put(*elsewhere, "one", "others").ok());
  EXPECT_EQ(storage_->Link("b", "one", "sim:copy").error().reason(), Reason::kObjectExists);
}

}  // namespace
}  // namespace luna::sim_kernel
