#include "runtime/memory/file_node.h"

#include <gtest/gtest.h>

namespace luna::memory {

namespace {

TEST(MemoryError, SaysWhatWhereAndWhy) {
  const Error error = MemoryError(Reason::kFileMissing, "cannot open", "d/a", "it is not there");
  EXPECT_EQ(error.reason(), Reason::kFileMissing);
  EXPECT_EQ(error.message(), "cannot open 'd/a': it is not there");
}

TEST(FileNode, CountsItsBytesWhileItLives) {
  const auto totals = std::make_shared<Totals>();
  auto node = std::make_shared<FileNode>(1, totals);
  {
    MemoryFile file("a", node, 0, true);
    ASSERT_TRUE(file.Write(0, std::string(1000, 'x')).ok());
    EXPECT_EQ(totals->bytes, 1000u);
    ASSERT_TRUE(file.Truncate(10).ok());
    EXPECT_EQ(totals->bytes, 10u);
    node->Crash([] { return Fate::kLost; });
    EXPECT_EQ(totals->bytes, 0u);
    ASSERT_TRUE(file.Write(0, "abc").ok());
    node.reset();
    EXPECT_EQ(totals->bytes, 3u);
  }
  EXPECT_EQ(totals->bytes, 0u);
}

TEST(MemoryFile, IsDeadAfterACrash) {
  const auto totals = std::make_shared<Totals>();
  MemoryFile file("d/a", std::make_shared<FileNode>(1, totals), 0, true);
  ++totals->crashes;
  char byte = 0;
  const Status results[] = {
      file.Write(0, "x"), file.Truncate(0), file.Sync(),
      file.Size().ok() ? Status() : Status(file.Size().error()),
      file.Read(0, 1, &byte).ok() ? Status() : Status(file.Read(0, 1, &byte).error())};
  for (const Status& result : results) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().reason(), Reason::kIoError);
    EXPECT_NE(result.error().message().find("d/a"), std::string::npos);
  }
}

TEST(MemoryFile, MemoryThatDoesNotSufficeIsAFullDisk) {
  MemoryFile file("a", std::make_shared<FileNode>(1, std::make_shared<Totals>()), 0, true);
  const Status refused = file.Write(uint64_t{1} << 63, "x");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kDiskFull);
}

}  // namespace

}  // namespace luna::memory
