#include "kernel/journal/published.h"

#include <gtest/gtest.h>

#include "runtime/memory/memory_file_system.h"

namespace luna::journal {
namespace {

class PublishedStream : public testing::Test {
 protected:
  PublishedStream() {
    for (uint64_t number = 3; number <= 4; ++number) {
      auto segment = std::make_shared<Segment>();
      segment->path = "/" + std::to_string(number);
      segment->file = files_->Open(segment->path, runtime::OpenMode::kCreateNew).value();
      segment->file->Write(0, "0123456789").value();
      segment->header = {.salt = {}, .number = number, .first_sequence = number * 10};
      base::MutexLock lock(published_.mutex);
      published_.segments.push_back({.segment = segment, .end_offset = 14});
    }
    base::MutexLock lock(published_.mutex);
    published_.state.released = 29;
    published_.state.tail = 45;
    published_.pending = "abcdef";  // the last two not accepted yet
    published_.pending_offset = 10;
  }

  std::string Read(const Segment& segment, uint64_t offset, size_t length) {
    std::string bytes(length, '?');
    bytes.resize(published_.Read(segment, offset, length, bytes.data()).value());
    return bytes;
  }

  const std::unique_ptr<memory::MemoryFileSystem> files_ = memory::NewMemoryFileSystem();
  Published published_;
};

TEST_F(PublishedStream, RecordsAreLocated) {
  EXPECT_EQ(published_.tail(), 45u);
  const auto first = published_.Locate(30).value();
  EXPECT_EQ(first.retained.segment->header.number, 3u);
  EXPECT_EQ(first.last, 39u);
  EXPECT_TRUE(first.sealed);
  EXPECT_EQ(published_.Locate(39).value().retained.segment->header.number, 3u);
  const auto last = published_.Locate(40).value();
  EXPECT_EQ(last.retained.segment->header.number, 4u);
  EXPECT_EQ(last.last, 45u);
  EXPECT_FALSE(last.sealed);
  EXPECT_EQ(published_.Locate(29).error().reason(), Reason::kLostData);
}

TEST_F(PublishedStream, BytesComeFromFileAndMemory) {
  const auto last = published_.Locate(45).value().retained.segment;
  EXPECT_EQ(Read(*last, 0, 10), "0123456789");
  EXPECT_EQ(Read(*last, 8, 4), "89ab");
  EXPECT_EQ(Read(*last, 10, 4), "abcd");
  EXPECT_EQ(Read(*last, 12, 2), "cd");
  const auto sealed = published_.Locate(30).value().retained.segment;
  EXPECT_EQ(Read(*sealed, 8, 4), "89");  // only its file, which ends there
}

}  // namespace
}  // namespace luna::journal
