#include "engine/blob/blob.h"

#include <gtest/gtest.h>

#include "engine/blob/part.h"
#include "kernel/overlay_runtime.h"
#include "kernel/storage/local_storage.h"
#include "runtime/memory/memory_file_system.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::blob {
namespace {

class Blob : public testing::Test {
 protected:
  entry::BlobReference Put(const std::string& name, std::string_view value) {
    return Write(*storage_, "db-1", name, {.high = 1, .low = 2}, value).value();
  }
  void Flip(const std::string& object, uint64_t offset) {
    const auto file =
        runtime_.files().Open("objects/db-1/" + object, runtime::OpenMode::kReadWrite).value();
    char byte = 0;
    ASSERT_EQ(file->Read(offset, 1, &byte).value(), 1U);
    byte = static_cast<char>(byte ^ 4);
    ASSERT_TRUE(file->Write(offset, {&byte, 1}).ok());
  }
  std::vector<std::string> Objects() { return storage_->List("db-1").value(); }

  const std::unique_ptr<runtime::Runtime> posix_ = posix::NewPosixRuntime();
  kernel::OverlayRuntime runtime_{*posix_, memory::NewMemoryFileSystem()};
  const std::unique_ptr<storage::Storage> storage_ =
      storage::OpenLocalStorage(runtime_, "objects").value();
};

std::string Value(size_t bytes) {
  std::string value(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) {
    value[i] = static_cast<char>(i * 2654435761U >> 13);
  }
  return value;
}

TEST_F(Blob, SmallAndLargeValuesComeBack) {
  for (const size_t bytes : {size_t{1}, size_t{70'000}, size_t{entry::kBlobPartBytes},
                             size_t{entry::kBlobPartBytes} + 1}) {
    const std::string name = "b-1.1." + std::to_string(bytes);
    const auto reference = Put(name, Value(bytes));
    EXPECT_EQ(reference.size, bytes);
    EXPECT_TRUE(Read(*storage_, "db-1", reference).value() == Value(bytes));
    EXPECT_EQ(Verify(*storage_, "db-1", name).value(), bytes);
  }
}

TEST_F(Blob, PartsAreCutAtSixteenMebibytes) {
  Put("b-1.1.1", Value(entry::kBlobPartBytes + 10));
  EXPECT_EQ(Objects(), (std::vector<std::string>{"b-1.1.1.0", "b-1.1.1.1"}));
  EXPECT_EQ(VerifyPart(*storage_, "db-1", "b-1.1.1.0").value(), entry::kBlobPartBytes);
  EXPECT_EQ(VerifyPart(*storage_, "db-1", "b-1.1.1.1").value(), 10U);
}

TEST_F(Blob, DamageIsBadChecksumAndNamesTheObject) {
  const auto reference = Put("b-1.1.1", Value(70'000));
  Flip("b-1.1.1.0", 12345);
  const auto read = Read(*storage_, "db-1", reference);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().reason(), Reason::kBadChecksum);
  EXPECT_NE(read.error().message().find("b-1.1.1.0"), std::string::npos);
  EXPECT_EQ(VerifyPart(*storage_, "db-1", "b-1.1.1.0").error().reason(), Reason::kBadChecksum);
  EXPECT_EQ(Verify(*storage_, "db-1", "b-1.1.1").error().reason(), Reason::kBadChecksum);
}

TEST_F(Blob, AnotherBlobUnderTheNameIsFound) {
  auto reference = Put("b-1.1.1", Value(70'000));
  reference.checksum ^= 1;
  EXPECT_EQ(Read(*storage_, "db-1", reference).error().reason(), Reason::kBadChecksum);
  reference.size -= 1;
  EXPECT_EQ(Read(*storage_, "db-1", reference).error().reason(), Reason::kBadFormat);
}

TEST_F(Blob, MissingPartIsSaidSoThatTheReaderCanAskAnew) {
  const auto reference = Put("b-1.1.1", Value(entry::kBlobPartBytes + 10));
  ASSERT_TRUE(storage_->Remove("db-1", "b-1.1.1.1").ok());
  EXPECT_EQ(Read(*storage_, "db-1", reference).error().reason(), Reason::kObjectMissing);
  EXPECT_EQ(Verify(*storage_, "db-1", "b-1.1.1").error().reason(), Reason::kObjectMissing);
}

TEST_F(Blob, RemoveTakesEveryPartAndMayBeRepeated) {
  Put("b-1.1.1", Value(entry::kBlobPartBytes + 10));
  Put("b-1.1.11", Value(5));
  ASSERT_TRUE(Remove(*storage_, "db-1", "b-1.1.1").ok());
  EXPECT_EQ(Objects(), (std::vector<std::string>{"b-1.1.11.0"}));
  EXPECT_TRUE(Remove(*storage_, "db-1", "b-1.1.1").ok());
}

TEST_F(Blob, TakenNameIsRefusedAndNothingOfTheNewBlobStays) {
  Put("b-1.1.1", Value(5));
  ASSERT_TRUE(storage_->Remove("db-1", "b-1.1.1.0").ok());
  // Part 1 is in the way of a value of two parts.
  const auto writer = storage_->Create("db-1", "b-1.1.1.1").value();
  ASSERT_TRUE(writer->Append("x").ok() && writer->Finish().ok());
  const auto written =
      Write(*storage_, "db-1", "b-1.1.1", {.high = 1, .low = 2}, Value(entry::kBlobPartBytes + 1));
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().reason(), Reason::kObjectExists);
  EXPECT_EQ(Objects(), (std::vector<std::string>{"b-1.1.1.1"}));
}

TEST_F(Blob, OversizedObjectIsNoPart) {
  const auto writer = storage_->Create("db-1", "b-1.1.1.0").value();
  ASSERT_TRUE(writer->Append(std::string(entry::kBlobPartBytes + kTrailerBytes + 1, 'x')).ok());
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(VerifyPart(*storage_, "db-1", "b-1.1.1.0").error().reason(), Reason::kBadFormat);
}

TEST(BlobNames, PartsAreToldFromOtherObjects) {
  EXPECT_EQ(NameOfPart("b-1.2.3.0"), "b-1.2.3");
  EXPECT_EQ(NameOfPart("b-1.2.33.17"), "b-1.2.33");
  for (const char* other :
       {"b-1.2.3", "t-1.2.3", "t-1.2.3.0", "j-1.ab.0", "b-1.2.3.", "b-1.2.x.0", "", "b-"}) {
    EXPECT_EQ(NameOfPart(other), "") << other;
  }
}

}  // namespace
}  // namespace luna::blob
