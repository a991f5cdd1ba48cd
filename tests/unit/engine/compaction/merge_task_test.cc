#include "engine/compaction/merge_task.h"

#include <gtest/gtest.h>

#include "base/coding.h"
#include "base/hash.h"
#include "unit/engine/compaction/shapes.h"

namespace luna::compaction {
namespace {

constexpr uint64_t kSeed = 42;

levels::Row SharedRow(std::string object, std::string smallest, std::string largest) {
  return std::make_shared<const table::TableRow>(
      RowOf(std::move(object), std::move(smallest), std::move(largest)));
}

MergeTask Task() {
  MergeTask task;
  task.bucket = "db-1";
  task.job = 9;
  task.from_level = 0;
  task.to_level = 6;
  task.last = true;
  task.inputs = {SharedRow("t-1.1.2", "a", "m"), SharedRow("t-1.1.1", "b", "z")};
  task.overlapped = {SharedRow("j-1.x.0", "a", "z")};
  task.retention = {.safe = 90, .snapshots = {10, 20}};
  task.table = {.block_bytes = 4096, .filter_bits_per_key = 10, .codec = table::Codec::kZstd};
  task.table_bytes = 1 << 20;
  return task;
}

MergeOutcome Merged(uint64_t run) {
  table::TableRow row = RowOf(RunName(9, run) + ".0", "a", "z");
  row.entries = 290;
  MergeOutcome outcome;
  outcome.written.tables = {std::make_shared<const table::TableRow>(row)};
  outcome.written.entries_in = 300;
  outcome.written.entries_out = 290;
  outcome.written.dropped = {.shadowed = 4, .deletions = 3, .covered = 2, .expired = 1};
  outcome.written.bytes = row.size;
  return outcome;
}

// The same with a checksum that fits.
std::string Sealed(std::string bytes) {
  bytes.resize(bytes.size() - 8);
  base::PutFixed64(bytes, base::Hash(bytes, kSeed));
  return bytes;
}

TEST(MergeTask, ComesBackFromItsBytes) {
  const MergeTask task = Task();
  const std::string bytes = Encode(task, kSeed);
  const MergeTask decoded = DecodeTask(bytes, kSeed).value();
  EXPECT_EQ(Encode(decoded, kSeed), bytes);
  EXPECT_EQ(decoded.bucket, "db-1");
  EXPECT_EQ(decoded.job, 9U);
  EXPECT_EQ(decoded.to_level, 6);
  EXPECT_TRUE(decoded.last);
  ASSERT_EQ(decoded.inputs.size(), 2U);
  EXPECT_EQ(*decoded.inputs[0], *task.inputs[0]);
  EXPECT_EQ(*decoded.overlapped[0], *task.overlapped[0]);
  EXPECT_EQ(decoded.retention.safe, 90U);
  EXPECT_EQ(decoded.retention.snapshots, task.retention.snapshots);
  EXPECT_EQ(decoded.table.block_bytes, 4096U);
  EXPECT_EQ(decoded.table.filter_bits_per_key, 10U);
  EXPECT_EQ(decoded.table.codec, table::Codec::kZstd);
  EXPECT_EQ(decoded.table_bytes, uint64_t{1} << 20);
}

TEST(MergeTask, OfAnotherUniverseOrDamagedIsRefused) {
  const std::string bytes = Encode(Task(), kSeed);
  EXPECT_EQ(DecodeTask(bytes, kSeed + 1).error().reason(), Reason::kBadChecksum);
  for (size_t at = 1; at < bytes.size(); ++at) {
    std::string flipped = bytes;
    flipped[at] ^= 0x10;
    EXPECT_EQ(DecodeTask(flipped, kSeed).error().reason(), Reason::kBadChecksum) << at;
  }
  EXPECT_EQ(DecodeTask("", kSeed).error().reason(), Reason::kBadFormat);
  std::string newer = bytes;
  newer[0] = 2;
  EXPECT_EQ(DecodeTask(newer, kSeed).error().reason(), Reason::kNewerFormat);
}

TEST(MergeTask, OutOfRangeIsRefused) {
  const auto reason = [](MergeTask task) {
    return DecodeTask(Encode(task, kSeed), kSeed).error().reason();
  };
  MergeTask deep = Task();
  deep.to_level = levels::kLevels;
  EXPECT_EQ(reason(deep), Reason::kBadFormat);
  MergeTask unsorted = Task();
  unsorted.retention.snapshots = {20, 10};
  EXPECT_EQ(reason(unsorted), Reason::kBadFormat);
  MergeTask empty = Task();
  empty.inputs.clear();
  EXPECT_EQ(reason(empty), Reason::kBadFormat);
  MergeTask codec = Task();
  codec.table.codec = static_cast<table::Codec>(3);
  EXPECT_EQ(reason(codec), Reason::kBadFormat);
  const std::string longer = Sealed(Encode(Task(), kSeed) + "x");
  EXPECT_EQ(DecodeTask(longer, kSeed).error().reason(), Reason::kBadFormat);
}

TEST(MergeOutcome, ComesBackFromItsBytes) {
  const MergeOutcome merged = Merged(7);
  const std::string bytes = Encode(merged, kSeed);
  const MergeOutcome decoded = DecodeOutcome(bytes, kSeed).value();
  EXPECT_EQ(Encode(decoded, kSeed), bytes);
  EXPECT_TRUE(decoded.failure.empty());
  EXPECT_EQ(*decoded.written.tables[0], *merged.written.tables[0]);
  EXPECT_EQ(decoded.written.entries_in, 300U);
  EXPECT_EQ(decoded.written.entries_out, 290U);
  EXPECT_EQ(decoded.written.bytes, merged.written.bytes);
  EXPECT_EQ(decoded.written.dropped.shadowed, 4U);
  EXPECT_EQ(decoded.written.dropped.expired, 1U);
  const MergeOutcome failed = DecodeOutcome(Encode({.written = {}, .failure = "no"}, 5), 5).value();
  EXPECT_EQ(failed.failure, "no");
}

TEST(MergeOutcome, OfAnotherRunOrDamagedIsRefused) {
  const std::string bytes = Encode(Merged(7), kSeed);
  EXPECT_EQ(DecodeOutcome(bytes, kSeed + 1).error().reason(), Reason::kBadChecksum);
  std::string kind = bytes;
  kind[1] = 2;
  EXPECT_EQ(DecodeOutcome(Sealed(kind), kSeed).error().reason(), Reason::kBadFormat);
  EXPECT_EQ(DecodeOutcome(Sealed(bytes + "x"), kSeed).error().reason(), Reason::kBadFormat);
  std::string nameless(2, '\x01');
  nameless.push_back('\0');
  EXPECT_EQ(DecodeOutcome(Sealed(nameless + "checksum"), kSeed).error().reason(),
            Reason::kBadFormat);
}

TEST(MergeOutcome, MustNameItsRunAndAccountForEveryEntry) {
  const MergeTask task = Task();  // 300 entries
  EXPECT_TRUE(Check(task, 7, Merged(7).written).ok());
  EXPECT_EQ(Check(task, 8, Merged(7).written).error().reason(), Reason::kBadFormat);
  Written less = Merged(7).written;
  less.entries_out = 289;
  EXPECT_FALSE(Check(task, 7, less).ok());
  Written unread = Merged(7).written;
  unread.entries_in = 299;
  unread.dropped.shadowed = 3;
  EXPECT_FALSE(Check(task, 7, unread).ok());
  Written twice = Merged(7).written;
  twice.tables.push_back(twice.tables[0]);
  EXPECT_FALSE(Check(task, 7, twice).ok());
}

TEST(MergeTask, RunsHaveNamesOfTheirOwn) {
  EXPECT_EQ(RunName(12, 0x1122), "j-12.2211000000000000");
  EXPECT_NE(RunName(12, 1), RunName(12, 2));
  EXPECT_NE(RunName(12, 1), RunName(1, 1));
  EXPECT_EQ(BytesOf(Task()), 300U);
}

}  // namespace
}  // namespace luna::compaction
