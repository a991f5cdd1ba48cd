#include "kernel/rados/rados_storage.h"

#include <gtest/gtest.h>

#include "conformance/rados/rados_ground.h"

namespace luna::rados {

namespace {

using conformance::RadosGround;
using Names = std::vector<std::string>;

class RadosStorageTest : public testing::Test {
 protected:
  void Put(const std::string& object, std::string_view bytes) {
    const auto writer = storage_->Create("b", object).value();
    EXPECT_TRUE(writer->Append(bytes).ok());
    EXPECT_TRUE(writer->Finish().ok());
  }
  static std::string Pattern(size_t bytes) {
    std::string text(bytes, '\0');
    for (size_t i = 0; i < bytes; ++i) {
      text[i] = static_cast<char>('a' + i / 4096 % 26);
    }
    return text;
  }

  RadosGround ground_;
  const std::shared_ptr<Space> space_ = ground_.OpenSpace();
  const std::unique_ptr<storage::Storage> storage_ = NewRadosStorage(space_);
};

TEST_F(RadosStorageTest, LargeObjectsLieInPartsThatGoWithThem) {
  for (const uint64_t size : {kPartBytes, kPartBytes + 1, 2 * kPartBytes}) {
    const std::string bytes = Pattern(size);
    Put("large", bytes);
    {
      const auto reader = storage_->Open("b", "large").value();
      EXPECT_EQ(reader->size(), size);
      std::string found(size, '\0');
      ASSERT_TRUE(reader->Read(0, size, found.data()).ok());
      EXPECT_TRUE(found == bytes);
      if (size > kPartBytes + 100) {
        ASSERT_TRUE(reader->Read(kPartBytes - 50, 100, found.data()).ok());
        EXPECT_EQ(found.substr(0, 100), bytes.substr(kPartBytes - 50, 100));
      }
      EXPECT_EQ(reader->Read(size - 1, 2, found.data()).error().reason(), Reason::kLostData);
    }
    const size_t parts = size <= kPartBytes ? 0 : 2;
    EXPECT_EQ(space_->List("part/").value().size(), parts);
    ASSERT_TRUE(storage_->Remove("b", "large").ok());
    EXPECT_EQ(space_->List("").value(), Names{});
  }
}

TEST_F(RadosStorageTest, AnAbandonedWriterTakesItsPartsAway) {
  {
    const auto writer = storage_->Create("b", "large").value();
    ASSERT_TRUE(writer->Append(Pattern(kPartBytes + 1)).ok());
    EXPECT_EQ(space_->List("part/").value().size(), 1u);
  }
  EXPECT_EQ(space_->List("").value(), Names{});
}

TEST_F(RadosStorageTest, PartsWithoutTheirObjectAreSwept) {
  Put("large", Pattern(kPartBytes + 1));
  for (const char* part : {"part/b/large/other/0", "part/b/gone/other/0"}) {
    ASSERT_EQ(space_->Write(part, [](WriteOperation& operation) { operation.WriteAll("x"); }), 0);
  }
  ASSERT_TRUE(SweepParts(*space_).ok());
  EXPECT_EQ(space_->List("part/").value().size(), 2u);
  EXPECT_EQ(space_->List("part/b/gone").value(), Names{});
}

TEST_F(RadosStorageTest, UnfinishedObjectsAreListedAndTheirPartsRemovedOneByOne) {
  Put("large", Pattern(kPartBytes + 1));
  for (const char* part : {"part/b/large/other/0", "part/b/gone/other/0", "part/b/gone/other/1",
                           "part/b/late/other/0", "part/c/gone/other/0"}) {
    ASSERT_EQ(space_->Write(part, [](WriteOperation& operation) { operation.WriteAll("x"); }), 0);
  }
  EXPECT_EQ(storage_->ListUnfinished("b").value(), (Names{"gone", "large", "late"}));
  ASSERT_TRUE(storage_->RemoveUnfinished("b", "gone").ok());
  ASSERT_TRUE(storage_->RemoveUnfinished("b", "large").ok());
  EXPECT_EQ(storage_->ListUnfinished("b").value(), Names{"late"});
  EXPECT_EQ(storage_->ListUnfinished("c").value(), Names{"gone"});
  EXPECT_EQ(storage_->Open("b", "large").value()->size(), kPartBytes + 1);
  EXPECT_EQ(space_->List("part/b/large/").value().size(), 2u);
}

TEST_F(RadosStorageTest, AMissingPartIsAnError) {
  Put("large", Pattern(kPartBytes + 10));
  ASSERT_TRUE(space_->Remove("part/" + space_->List("part/").value().at(1)).ok());
  const auto reader = storage_->Open("b", "large").value();
  std::string found(20, '\0');
  EXPECT_TRUE(reader->Read(0, 20, found.data()).ok());
  EXPECT_FALSE(reader->Read(kPartBytes - 5, 10, found.data()).ok());
}

TEST_F(RadosStorageTest, TheLastReaderTakesARemovedObjectAlong) {
  Put("one", "bytes");
  auto reader = storage_->Open("b", "one").value();
  ASSERT_TRUE(storage_->Remove("b", "one").ok());
  EXPECT_EQ(storage_->List("b").value(), Names{});
  EXPECT_EQ(storage_->ListBuckets().value(), Names{});
  EXPECT_EQ(space_->List("").value().size(), 1u);
  reader.reset();
  EXPECT_EQ(space_->List("").value(), Names{});
}

TEST_F(RadosStorageTest, AForeignObjectIsNotTakenForOne) {
  ASSERT_EQ(space_->Write("object/b/x", [](WriteOperation& operation) { operation.WriteAll("x"); }),
            0);
  EXPECT_EQ(storage_->Open("b", "x").error().reason(), Reason::kBadFormat);
  ASSERT_EQ(space_->Write("object/b/y",
                          [](WriteOperation& operation) {
                            operation.WriteAll("short").Set("id", "i").Set("size",
                                                                           "00000000000000000010");
                          }),
            0);
  EXPECT_EQ(storage_->Open("b", "y").error().reason(), Reason::kLostData);
}

}  // namespace

}  // namespace luna::rados
