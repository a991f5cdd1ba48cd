#include "conformance/local_ground.h"
#include "conformance/storage_conformance.h"
#include "kernel/storage/local_storage.h"

namespace luna::conformance {

namespace {

using Names = std::vector<std::string>;
using simulation::Survival;
using simulation::When;

template <typename Ground>
class LocalStoragePlace : public StoragePlace {
 public:
  LocalStoragePlace() { Reopen(); }
  storage::Storage& storage() override { return *storage_; }
  void Reopen() override {
    storage_.reset();
    storage_ = storage::OpenLocalStorage(ground_.runtime(), ground_.directory() + "/s").value();
  }
  storage::Storage& Linked(const std::string& directory) override {
    linked_ = storage::OpenLocalStorage(ground_.runtime(), directory).value();
    return *linked_;
  }
  std::string directory_for_links() const override { return ground_.directory() + "/links"; }

 private:
  Ground ground_;
  std::unique_ptr<storage::Storage> storage_;
  std::unique_ptr<storage::Storage> linked_;
};

template <typename Ground>
std::unique_ptr<StoragePlace> Make() {
  return std::make_unique<LocalStoragePlace<Ground>>();
}

INSTANTIATE_TEST_SUITE_P(Posix, StorageConformance, testing::Values(&Make<PosixGround>));
INSTANTIATE_TEST_SUITE_P(Memory, StorageConformance, testing::Values(&Make<MemoryGround>));

TEST_P(StorageConformance, AnObjectAppearsWholeWhenFinished) {
  auto writer = storage().Create("b", "one").value();
  ASSERT_TRUE(writer->Append("hello ").ok());
  ASSERT_TRUE(writer->Append("world").ok());
  EXPECT_EQ(writer->size(), 11u);
  EXPECT_EQ(storage().Open("b", "one").error().reason(), Reason::kObjectMissing);
  EXPECT_EQ(storage().List("b").value(), Names{});
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(Get("b", "one"), "hello world");
  EXPECT_EQ(storage().List("b").value(), Names{"one"});
  place_->Reopen();
  EXPECT_EQ(Get("b", "one"), "hello world");
}

TEST_P(StorageConformance, ReadsExactlyWhatWasAskedOrNothing) {
  Put("b", "one", "0123456789");
  const auto reader = storage().Open("b", "one").value();
  EXPECT_EQ(reader->size(), 10u);
  EXPECT_EQ(reader->name(), "b/one");
  char bytes[4];
  ASSERT_TRUE(reader->Read(6, 4, bytes).ok());
  EXPECT_EQ(std::string_view(bytes, 4), "6789");
  EXPECT_TRUE(reader->Read(10, 0, bytes).ok());
  for (const uint64_t offset : {uint64_t{7}, uint64_t{11}, UINT64_MAX}) {
    const Status read = reader->Read(offset, 4, bytes);
    ASSERT_FALSE(read.ok()) << offset;
    EXPECT_EQ(read.error().reason(), Reason::kLostData);
    EXPECT_NE(read.error().message().find("b/one"), std::string::npos);
  }
}

TEST_P(StorageConformance, LargeObjectsInPiecesOfAllSizes) {
  std::string expected;
  auto writer = storage().Create("b", "large").value();
  for (size_t i = 0; expected.size() < 2'000'000; ++i) {
    const std::string piece((i * 7919) % 400'000, static_cast<char>('a' + i % 26));
    ASSERT_TRUE(writer->Append(piece).ok());
    expected += piece;
    ASSERT_EQ(writer->size(), expected.size());
  }
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_TRUE(Get("b", "large") == expected);
  Put("b", "empty", "");
  EXPECT_EQ(Get("b", "empty"), "");
}

TEST_P(StorageConformance, ANameIsGivenOnce) {
  Put("b", "one", "first");
  EXPECT_EQ(storage().Create("b", "one").error().reason(), Reason::kObjectExists);
  auto two = storage().Create("b", "race").value();
  auto three = storage().Create("b", "race").value();
  ASSERT_TRUE(two->Append("two").ok());
  ASSERT_TRUE(three->Append("three").ok());
  EXPECT_TRUE(three->Finish().ok());
  EXPECT_EQ(two->Finish().error().reason(), Reason::kObjectExists);
  EXPECT_EQ(Get("b", "race"), "three");
  EXPECT_EQ(storage().List("b").value(), (Names{"one", "race"}));
}

TEST_P(StorageConformance, AnAbandonedObjectIsNotThere) {
  storage().Create("b", "one").value()->Append("half").value();
  EXPECT_EQ(storage().List("b").value(), Names{});
  Put("b", "one", "whole");
  EXPECT_EQ(Get("b", "one"), "whole");
}

TEST_P(StorageConformance, ListsAreSortedAndEmptyForWhatIsMissing) {
  Put("b", "2", "");
  Put("b", "10", "");
  Put("a", "z", "");
  EXPECT_EQ(storage().List("b").value(), (Names{"10", "2"}));
  EXPECT_EQ(storage().List("none").value(), Names{});
  EXPECT_EQ(storage().ListBuckets().value(), (Names{"a", "b"}));
}

TEST_P(StorageConformance, RemovedObjectsStayReadableForWhoHasThemOpen) {
  Put("b", "one", "bytes");
  const auto reader = storage().Open("b", "one").value();
  ASSERT_TRUE(storage().Remove("b", "one").ok());
  EXPECT_EQ(storage().Open("b", "one").error().reason(), Reason::kObjectMissing);
  EXPECT_EQ(All(*reader), "bytes");
  EXPECT_TRUE(storage().Remove("b", "one").ok());
  EXPECT_TRUE(storage().Remove("none", "one").ok());
}

TEST_P(StorageConformance, ABucketIsRemovedWithAllInIt) {
  Put("b", "one", "1");
  Put("b", "two", "2");
  Put("c", "three", "3");
  ASSERT_TRUE(storage().RemoveBucket("b").ok());
  ASSERT_TRUE(storage().RemoveBucket("b").ok());
  EXPECT_EQ(storage().ListBuckets().value(), Names{"c"});
  EXPECT_EQ(storage().List("b").value(), Names{});
  Put("b", "four", "4");
  EXPECT_EQ(Get("b", "four"), "4");
}

TEST_P(StorageConformance, BadNamesAreRefusedEverywhere) {
  for (const std::string name : {"", ".", "..", "a/b", "a b", "\xc3\xa4", "a.new"}) {
    EXPECT_EQ(storage().Create(name, "o").error().reason(), Reason::kBadName) << name;
    EXPECT_EQ(storage().Create("b", name).error().reason(), Reason::kBadName) << name;
    EXPECT_EQ(storage().Open("b", name).error().reason(), Reason::kBadName) << name;
    EXPECT_EQ(storage().List(name).error().reason(), Reason::kBadName) << name;
    EXPECT_EQ(storage().Remove("b", name).error().reason(), Reason::kBadName) << name;
    EXPECT_EQ(storage().RemoveBucket(name).error().reason(), Reason::kBadName) << name;
    EXPECT_EQ(storage().Link("b", name, "d").error().reason(), Reason::kBadName) << name;
  }
  EXPECT_EQ(storage().Create("b", std::string(201, 'x')).error().reason(), Reason::kBadName);
  Put("b", std::string(200, 'x'), "long");
  EXPECT_EQ(Get("b", std::string(200, 'x')), "long");
}

TEST_P(StorageConformance, LinkedObjectsOutliveTheirFirstName) {
  Put("b", "one", "bytes");
  const std::string to = place_->directory_for_links();
  ASSERT_TRUE(storage().Link("b", "one", to).ok());
  ASSERT_TRUE(storage().Link("b", "one", to).ok());
  EXPECT_EQ(storage().Link("b", "none", to).error().reason(), Reason::kObjectMissing);
  ASSERT_TRUE(storage().Remove("b", "one").ok());
  storage::Storage& linked = place_->Linked(to);
  EXPECT_EQ(linked.List("b").value(), Names{"one"});
  EXPECT_EQ(All(*linked.Open("b", "one").value()), "bytes");
}

// What a run was told before power went.
struct Told {
  bool one = false;
  bool two = false;
  bool removing = false;
};

Status PutIn(storage::Storage& storage, const std::string& object, const std::string& bytes) {
  const auto writer = TRY(storage.Create("b", object));
  TRY(writer->Append(bytes));
  return writer->Finish();
}

Status Workload(runtime::Runtime& runtime, const std::string& bytes, Told& told) {
  const auto storage = TRY(storage::OpenLocalStorage(runtime, "/s"));
  TRY(PutIn(*storage, "one", bytes));
  told.one = true;
  TRY(PutIn(*storage, "two", bytes));
  told.two = true;
  told.removing = true;
  return storage->Remove("b", "one");
}

TEST(StorageCrash, AtEveryPointFinishedObjectsAreThereAndOthersWholeOrAbsent) {
  const std::string bytes = std::string(600, 'x') + std::string(600'000, 'y');
  uint64_t points = 0;
  {
    FaultyGround ground;
    Told told;
    ASSERT_TRUE(Workload(ground.runtime(), bytes, told).ok());
    points = ground.faults().points();
  }
  ASSERT_GT(points, 8u);
  ForEveryCrash(points, [&](const Crash& crash) {
    FaultyGround ground;
    Told told;
    ground.faults().CutAtPoint(crash.point, crash.when);
    EXPECT_EQ(Workload(ground.runtime(), bytes, told).ok(), false);
    ground.faults().Restart(crash.survival, crash.point);
    const auto storage = storage::OpenLocalStorage(ground.runtime(), "/s").value();
    const Names names = storage->List("b").value();
    const auto has = [&](const char* name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    EXPECT_TRUE(!told.one || told.removing || has("one"));
    EXPECT_TRUE(!told.two || has("two"));
    for (const std::string& name : names) {
      const auto reader = storage->Open("b", name).value();
      std::string found(reader->size(), '\0');
      reader->Read(0, found.size(), found.data()).value();
      EXPECT_TRUE(found == bytes) << name;
    }
    EXPECT_TRUE(PutIn(*storage, "three", bytes).ok());
  });
}

TEST(StorageFaults, EachErrorIsReportedAndLeavesNoObject) {
  using simulation::Operation;
  struct Case {
    Operation operation;
    Reason reason;
  };
  for (const Case& fault :
       {Case{Operation::kWrite, Reason::kDiskFull}, Case{Operation::kSync, Reason::kSyncFailed},
        Case{Operation::kLink, Reason::kIoError}, Case{Operation::kCreate, Reason::kReadOnly},
        Case{Operation::kSyncDirectory, Reason::kSyncFailed}}) {
    FaultyGround ground;
    const auto storage = storage::OpenLocalStorage(ground.runtime(), "/s").value();
    ASSERT_TRUE(PutIn(*storage, "first", "x").ok());
    ground.faults().Inject({.operation = fault.operation, .reason = fault.reason});
    const Status put = PutIn(*storage, "second", std::string(1'000'000, 'x'));
    ASSERT_FALSE(put.ok()) << Name(fault.operation);
    EXPECT_EQ(put.error().reason(), fault.reason);
    EXPECT_EQ(storage->List("b").value(), Names{"first"});
    EXPECT_TRUE(PutIn(*storage, "second", "y").ok());
  }
}

}  // namespace

}  // namespace luna::conformance
