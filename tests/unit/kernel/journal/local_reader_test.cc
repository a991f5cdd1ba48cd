#include "kernel/journal/local_reader.h"

#include <gtest/gtest.h>

#include "unit/kernel/journal/journal_place.h"

namespace luna::journal {
namespace {

using LocalReader = JournalPlace;

std::string Numbered(int i) { return "record " + std::to_string(i) + std::string(1000, 'x'); }

TEST_F(LocalReader, FollowsTheTailOverRollsAndLevels) {
  const auto reader = stream_->Read(0).value();
  EXPECT_FALSE(reader->Next().value().has_value());
  for (int i = 0; i < 60; ++i) {
    const Durability durability = i % 3 == 0 ? Durability::kProcess : Durability::kRelaxed;
    ASSERT_EQ(Append(Numbered(i), durability).outcome, Outcome::kOk);
    const auto record = reader->Next().value();
    ASSERT_TRUE(record.has_value()) << i;
    EXPECT_EQ(record->sequence, static_cast<Sequence>(i + 1));
    EXPECT_EQ(record->payload, Numbered(i));
    EXPECT_FALSE(reader->Next().value().has_value());
  }
  EXPECT_GT(Count(".segment"), 3u);
}

TEST_F(LocalReader, BeginsAnywhere) {
  const std::string_view batch[] = {"a", "b", "c"};
  for (int i = 0; i < 5; ++i) {
    const StreamState state = stream_->state();
    ASSERT_EQ(stream_->Append(state.epoch, state.tail, batch, Durability::kProcess).outcome,
              Outcome::kOk);
    ASSERT_TRUE(stream_->Roll().ok());
  }
  for (Sequence after = 0; after <= 15; ++after) {
    const auto records = Records(after);
    ASSERT_EQ(records.size(), 15 - after);
    if (!records.empty()) {
      EXPECT_EQ(records[0], batch[after % 3]);
    }
  }
  EXPECT_TRUE(Records(16).empty());  // a place beyond the tail waits for its record
}

TEST_F(LocalReader, OutlivesTheStream) {
  Append("one", Durability::kRelaxed);
  const auto reader = stream_->Read(0).value();
  stream_.reset();
  EXPECT_EQ(reader->Next().value()->payload, "one");
}

TEST_F(LocalReader, OpenSegmentIsNotReusedUnderAReader) {
  for (int i = 0; i < 20; ++i) {
    Append(Numbered(i));
  }
  const auto reader = stream_->Read(0).value();
  EXPECT_EQ(reader->Next().value()->payload, Numbered(0));
  ASSERT_TRUE(stream_->Release(stream_->state().tail).ok());
  EXPECT_EQ(Count(".spare"), 0u);
  const auto next = reader->Next();
  EXPECT_EQ(next.value()->payload, Numbered(1));
}

TEST_F(LocalReader, ReleasedWhileReadingIsLostData) {
  for (int i = 0; i < 40; ++i) {
    Append(Numbered(i));
  }
  const auto reader = stream_->Read(0).value();
  EXPECT_TRUE(reader->Next().value().has_value());
  ASSERT_TRUE(stream_->Release(stream_->state().tail).ok());
  Result<std::optional<Record>> record = reader->Next();
  while (record.ok()) {
    record = reader->Next();
  }
  EXPECT_EQ(record.error().reason(), Reason::kLostData);
  EXPECT_EQ(stream_->Read(0).error().reason(), Reason::kLostData);
}

TEST_F(LocalReader, DamageIsNamedWithFileAndOffset) {
  Append("one");
  Append("two");
  ASSERT_TRUE(stream_->Roll().ok());
  const uint64_t first_bytes = framing::FrameBytes(20 + 4 + 3);
  const uint64_t place = framing::kHeaderBytes + first_bytes;
  Overwrite(kFirstSegment, place + 40, "?");
  Reopen();
  const auto reader = stream_->Read(0).value();
  EXPECT_EQ(reader->Next().value()->payload, "one");
  const auto damaged = reader->Next();
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().reason(), Reason::kBadChecksum);
  EXPECT_NE(damaged.error().message().find(kFirstSegment), std::string::npos);
  EXPECT_NE(damaged.error().message().find("offset " + std::to_string(place)), std::string::npos);
}

TEST_F(LocalReader, FramesThatHoldSomethingElseAreNamed) {
  Append("one");
  ASSERT_TRUE(stream_->Roll().ok());
  const std::string bytes =
      runtime::ReadFile(runtime_->files(), Path(kFirstSegment)).value().substr(0, 4096);
  const auto header = framing::DecodeHeader(bytes, "").value();
  const std::string_view records[] = {"one", "two"};
  for (const auto& [payload, reason] :
       {std::pair<std::string, Reason>{"no batch", Reason::kBadFormat},
        {[&] { std::string out; AppendBatch(1, 2, {records, 1}, out); return out; }(),
         Reason::kLostData},
        {[&] { std::string out; AppendBatch(1, 1, records, out); return out; }(),
         Reason::kLostData}}) {
    std::string frame;
    framing::FrameEncoder(header.salt, 1).Append(payload, 0, frame);
    Overwrite(kFirstSegment, framing::kHeaderBytes, frame);
    Reopen();
    EXPECT_EQ(stream_->Read(0).value()->Next().error().reason(), reason);
  }
}

}  // namespace
}  // namespace luna::journal
