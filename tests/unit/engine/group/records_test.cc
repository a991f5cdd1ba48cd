#include "engine/group/records.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/coding.h"

namespace luna::group {
namespace {

const Envelope kEnvelope{.epoch = 3, .closed = 99, .database = 5};

std::string Encoded(const Body& body) {
  std::string bytes;
  Encode(kEnvelope, body, bytes);
  return bytes;
}

Commit SampleCommit() {
  Commit commit{.id = {.high = 1, .low = 2}, .timestamp = 77, .operations = {}};
  Operation put{.tablet = 4, .range = false, .entry = {}, .range_end = {}};
  put.entry = {.key = "key", .timestamp = 77, .type = 9, .expiry_millis = 1234, .value = "value"};
  Operation deletion{.tablet = 4, .range = false, .entry = {}, .range_end = {}};
  deletion.entry = {.key = "", .timestamp = 77, .kind = entry::Kind::kDelete};
  Operation blob{.tablet = 300, .range = false, .entry = {}, .range_end = {}};
  blob.entry = {.key = "k", .timestamp = 77, .kind = entry::Kind::kBlob, .value = "reference"};
  Operation range{.tablet = 300, .range = true, .entry = {}, .range_end = "z"};
  range.entry = {.key = "a", .timestamp = 77};
  commit.operations = {put, deletion, blob, range};
  return commit;
}

levels::Row SampleRow() {
  table::TableRow row;
  row.object = "t-1.2.3";
  row.smallest = "a";
  row.largest = "b";
  row.size = 4096;
  row.blobs = {"b-1.2.4"};
  return std::make_shared<const table::TableRow>(row);
}

Checkpoint SampleCheckpoint() {
  Checkpoint checkpoint;
  checkpoint.clocks = {{.database = 5, .limit = 10, .outcome_floor = 3},
                       {.database = 6, .limit = 20, .outcome_floor = 0}};
  checkpoint.outcomes = {
      {.database = 5, .id = {.high = 8, .low = 9}, .timestamp = 4, .committed = true},
      {.database = 6, .id = {.high = 8, .low = 10}, .timestamp = 5, .committed = false}};
  return checkpoint;
}

std::vector<Body> Samples() {
  return {LeaderStart{"embedded"},
          SampleCommit(),
          TsLimit{1234},
          Rotate{300},
          Ingest{.tablet = 4, .timestamp = 78, .tables = {SampleRow(), SampleRow()}},
          SampleCheckpoint(),
          Abort{.id = {.high = 3, .low = 4}, .timestamp = 79},
          Renew{.resting = true, .server = "a"},
          Transfer{"b"},
          Config{{"a", "b"}}};
}

TEST(Records, EveryTypeKeepsItsNumber) {
  const auto samples = Samples();
  constexpr char kNumbers[] = {1, 2, 3, 4, 5, 6, 7, 16, 32, 31};
  ASSERT_EQ(samples.size(), std::size(kNumbers));
  for (size_t i = 0; i < samples.size(); ++i) {
    EXPECT_EQ(Encoded(samples[i])[0], kNumbers[i]);
  }
}

TEST(Records, TheEnvelopeComesBack) {
  for (const Body& body : Samples()) {
    const std::string bytes = Encoded(body);
    const auto decoded = Decode(bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.error().ToString();
    EXPECT_EQ(decoded->envelope.epoch, 3u);
    EXPECT_EQ(decoded->envelope.closed, 99u);
    EXPECT_EQ(decoded->envelope.database, 5u);
    EXPECT_EQ(decoded->body.index(), body.index());
    EXPECT_EQ(Encoded(decoded->body), bytes);  // nothing was lost on the way
  }
}

TEST(Records, ACommitComesBackWithEveryOperation) {
  const std::string bytes = Encoded(SampleCommit());
  const auto decoded = Decode(bytes);
  ASSERT_TRUE(decoded.ok());
  const auto& commit = std::get<Commit>(decoded->body);
  EXPECT_EQ(commit.timestamp, 77u);
  EXPECT_EQ(commit.id, (TransactionId{.high = 1, .low = 2}));
  ASSERT_EQ(commit.operations.size(), 4u);
  const entry::Entry& put = commit.operations[0].entry;
  EXPECT_EQ(put.key, "key");
  EXPECT_EQ(put.value, "value");
  EXPECT_EQ(put.type, 9);
  EXPECT_EQ(put.expiry_millis, 1234u);
  EXPECT_EQ(put.timestamp, 77u);
  EXPECT_EQ(commit.operations[1].entry.kind, entry::Kind::kDelete);
  EXPECT_EQ(commit.operations[2].entry.kind, entry::Kind::kBlob);
  EXPECT_EQ(commit.operations[2].tablet, 300u);
  EXPECT_TRUE(commit.operations[3].range);
  EXPECT_EQ(commit.operations[3].entry.key, "a");
  EXPECT_EQ(commit.operations[3].range_end, "z");
  EXPECT_EQ(commit.operations[3].entry.timestamp, 77u);
}

TEST(Records, RowsAndOutcomesComeBack) {
  const std::string ingest_bytes =
      Encoded(Ingest{.tablet = 4, .timestamp = 78, .tables = {SampleRow()}});
  const auto ingest = Decode(ingest_bytes);
  ASSERT_TRUE(ingest.ok());
  EXPECT_EQ(*std::get<Ingest>(ingest->body).tables.at(0), *SampleRow());
  const std::string checkpoint_bytes = Encoded(SampleCheckpoint());
  const auto decoded = Decode(checkpoint_bytes);
  ASSERT_TRUE(decoded.ok());
  const auto& checkpoint = std::get<Checkpoint>(decoded->body);
  ASSERT_EQ(checkpoint.clocks.size(), 2u);
  EXPECT_EQ(checkpoint.clocks[0].outcome_floor, 3u);
  EXPECT_EQ(checkpoint.clocks[1].limit, 20u);
  ASSERT_EQ(checkpoint.outcomes.size(), 2u);
  EXPECT_TRUE(checkpoint.outcomes[0].committed);
  EXPECT_FALSE(checkpoint.outcomes[1].committed);
  EXPECT_EQ(checkpoint.outcomes[1].id, (TransactionId{.high = 8, .low = 10}));
}

TEST(Records, EveryTruncationIsAnError) {
  for (const Body& body : Samples()) {
    const std::string bytes = Encoded(body);
    for (size_t length = 0; length < bytes.size(); ++length) {
      const auto decoded = Decode(std::string_view(bytes).substr(0, length));
      ASSERT_FALSE(decoded.ok()) << "type " << body.index() + 1 << " cut to " << length;
      if (length > 0) {
        EXPECT_EQ(decoded.error().reason(), Reason::kBadFormat);
      }
    }
  }
}

TEST(Records, BytesBeyondTheEndAreAnError) {
  for (const Body& body : Samples()) {
    const std::string bytes = Encoded(body) + "x";
    const auto decoded = Decode(bytes);
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().reason(), Reason::kBadFormat);
  }
}

TEST(Records, AnOutcomeIsCommittedOrNot) {
  std::string bytes = Encoded(SampleCheckpoint());
  for (int outcome = 0; outcome < 256; ++outcome) {
    bytes.back() = static_cast<char>(outcome);
    const auto decoded = Decode(bytes);
    ASSERT_EQ(decoded.ok(), outcome <= 1) << outcome;
    if (!decoded.ok()) {
      EXPECT_EQ(decoded.error().reason(), Reason::kBadFormat);
    }
  }
}

TEST(Records, AnUnknownTypeIsANewerFormat) {
  for (const int type : {0, 8, 17, 33, 255}) {
    std::string bytes = Encoded(TsLimit{1});
    bytes[0] = static_cast<char>(type);
    const auto decoded = Decode(bytes);
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().reason(), Reason::kNewerFormat);
    EXPECT_NE(decoded.error().message().find(std::to_string(type)), std::string::npos);
  }
}

TEST(Records, AnUnknownKindOfOperationIsANewerFormat) {
  Commit commit{.id = {}, .timestamp = 1, .operations = {}};
  commit.operations.push_back(
      {.tablet = 1, .range = false, .entry = {.key = "k"}, .range_end = {}});
  std::string bytes = Encoded(commit);
  const size_t kind = bytes.size() - 6;  // kind, type, expiry, key (2), value (1)
  ASSERT_EQ(bytes[kind], static_cast<char>(entry::Kind::kPut));
  for (const int unknown : {0, 4, 0x81}) {
    bytes[kind] = static_cast<char>(unknown);
    const auto decoded = Decode(bytes);
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().reason(), Reason::kNewerFormat);
  }
}

}  // namespace
}  // namespace luna::group
