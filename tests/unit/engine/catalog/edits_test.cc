#include "engine/catalog/edits.h"

#include <gtest/gtest.h>

#include <set>

namespace luna::catalog {
namespace {

levels::Row NewRow(std::string object) {
  table::TableRow row;
  row.object = std::move(object);
  row.salt = {.high = 3, .low = 4};
  row.size = 12345;
  row.tail_offset = 12000;
  row.tail_checksum = 0xfeed;
  row.smallest = "a";
  row.largest = "k";
  row.largest_exclusive = true;
  row.assigned_timestamp = 77;
  row.entries = 9;
  row.max_timestamp = 77;
  row.blobs = {"b1", "b2"};
  row.blob_bytes = 1 << 20;
  return std::make_shared<const table::TableRow>(std::move(row));
}

std::vector<Edit> OneOfEach() {
  return {CreateDatabase{"default"},
          DropDatabase{17},
          CreateCollection{"0", 5},
          DropCollection{300},
          RenameCollection{300, "new name"},
          Flush{3, 1, 10, 17, {NewRow("1.1.1"), NewRow("1.1.2")}, 999},
          Ingest{3, 1, 18, {NewRow("1.1.3")}},
          JobStart{3, {"1.1.1", "1.1.2"}, 1000},
          JobCommit{40, {{0, NewRow("j.1")}, {6, NewRow("j.2")}}},
          JobAbort{41},
          SafePoint{12345678901234},
          AttachTables{3, {{2, NewRow("x")}}},
          TakeLead{1, 300},
          Led{1, 300, Encode(Flush{3, 1, 10, 17, {NewRow("1.1.4")}, 999})}};
}

std::string Lines(const std::vector<Edit>& edits) {
  std::string text;
  for (const Edit& edit : edits) {
    text += ToString(edit) + "\n";
  }
  return text;
}

TEST(Edits, PrintAsOneLineEach) {
  EXPECT_EQ(Lines(OneOfEach()),
            "CreateDatabase default\n"
            "DropDatabase 17\n"
            "CreateCollection 0\n"
            "DropCollection 300\n"
            "RenameCollection 300 to new name\n"
            "Flush tablet 3 (10, 17] to 2 tables\n"
            "Ingest tablet 3 at 18: 1 table\n"
            "JobStart collection 3 with 2 tables, safe 1000\n"
            "JobCommit 40 to 2 tables\n"
            "JobAbort 41\n"
            "SafePoint 12345678901234\n"
            "AttachTables collection 3: 1 table\n"
            "TakeLead group 1, epoch 300\n"
            "Led group 1, epoch 300: Flush tablet 3 (10, 17] to 1 table\n");
}

TEST(Edits, RoundTripInOneForm) {
  for (const Edit& edit : OneOfEach()) {
    const std::string bytes = Encode(edit);
    const Result<Edit> read = Decode(bytes);
    ASSERT_TRUE(read.ok()) << ToString(edit);
    EXPECT_EQ(read->index(), edit.index());
    EXPECT_EQ(Encode(*read), bytes) << ToString(edit);
    EXPECT_EQ(ToString(*read), ToString(edit));
  }
}

TEST(Edits, FieldsComeBackInTheirPlaces) {
  const Edit flush = Decode(Encode(Flush{3, 1, 10, 17, {NewRow("t")}, 999})).value();
  const auto& read = std::get<Flush>(flush);
  EXPECT_EQ(read.tablet, 3u);
  EXPECT_EQ(read.tenure, 1u);
  EXPECT_EQ(read.from, 10u);
  EXPECT_EQ(read.upto, 17u);
  ASSERT_EQ(read.tables.size(), 1u);
  EXPECT_EQ(*read.tables[0], *NewRow("t"));
  EXPECT_EQ(read.safe_timestamp, 999u);
  const Edit rename = Decode(Encode(RenameCollection{300, std::string("n\0", 2)})).value();
  EXPECT_EQ(std::get<RenameCollection>(rename).collection, 300u);
  EXPECT_EQ(std::get<RenameCollection>(rename).name, std::string("n\0", 2));
  const Edit create = Decode(Encode(CreateCollection{"c", 5})).value();
  EXPECT_EQ(std::get<CreateCollection>(create).group, 5u);
  const Edit ingest = Decode(Encode(Ingest{3, 2, 18, {}})).value();
  EXPECT_EQ(std::get<Ingest>(ingest).tablet, 3u);
  EXPECT_EQ(std::get<Ingest>(ingest).tenure, 2u);
  EXPECT_EQ(std::get<Ingest>(ingest).sequence, 18u);
  const Edit start = Decode(Encode(JobStart{3, {"b", "a"}, 8})).value();
  EXPECT_EQ(std::get<JobStart>(start).collection, 3u);
  EXPECT_EQ(std::get<JobStart>(start).inputs, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(std::get<JobStart>(start).safe_timestamp, 8u);
  const Edit commit = Decode(Encode(JobCommit{40, {{6, NewRow("j")}}})).value();
  EXPECT_EQ(std::get<JobCommit>(commit).job, 40u);
  EXPECT_EQ(std::get<JobCommit>(commit).outputs[0].first, 6);
  EXPECT_EQ(*std::get<JobCommit>(commit).outputs[0].second, *NewRow("j"));
  const Edit take = Decode(Encode(TakeLead{4, 9})).value();
  EXPECT_EQ(std::get<TakeLead>(take).group, 4u);
  EXPECT_EQ(std::get<TakeLead>(take).epoch, 9u);
  const Edit led = Decode(Encode(Led{4, 9, Encode(SafePoint{7})})).value();
  EXPECT_EQ(std::get<Led>(led).group, 4u);
  EXPECT_EQ(std::get<Led>(led).epoch, 9u);
  EXPECT_EQ(std::get<Led>(led).edit, Encode(SafePoint{7}));
}

// Stored in every manifest: these bytes never change.
TEST(Edits, BytesAreThoseOfTheFormat) {
  EXPECT_EQ(Encode(CreateDatabase{"db"}),
            "\x01\x02"
            "db");
  EXPECT_EQ(Encode(DropDatabase{300}), "\x02\xac\x02");
  EXPECT_EQ(Encode(CreateCollection{"c"}),
            "\x03\x01"
            "c\x01");
  EXPECT_EQ(Encode(DropCollection{5}), "\x04\x05");
  EXPECT_EQ(Encode(RenameCollection{5, "d"}),
            "\x05\x05\x01"
            "d");
  EXPECT_EQ(Encode(Flush{1, 2, 3, 4, {}, 5}), std::string("\x06\x01\x02\x03\x04\x00\x05", 7));
  EXPECT_EQ(Encode(Ingest{1, 2, 3, {}}), std::string("\x07\x01\x02\x03\x00", 5));
  EXPECT_EQ(Encode(JobStart{1, {"t"}, 2}),
            "\x08\x01\x01\x01"
            "t\x02");
  EXPECT_EQ(Encode(JobCommit{1, {}}), std::string("\x09\x01\x00", 3));
  EXPECT_EQ(Encode(JobAbort{1}), "\x0a\x01");
  EXPECT_EQ(Encode(SafePoint{1}), "\x0b\x01");
  EXPECT_EQ(Encode(AttachTables{1, {}}), std::string("\x0c\x01\x00", 3));
  EXPECT_EQ(Encode(TakeLead{1, 300}), "\x0d\x01\xac\x02");
  EXPECT_EQ(Encode(Led{1, 5, Encode(JobAbort{1})}), "\x0e\x01\x05\x02\x0a\x01");
}

TEST(Edits, TruncationAndTrailingBytesAreBadFormat) {
  for (const Edit& edit : OneOfEach()) {
    const std::string bytes = Encode(edit);
    for (size_t cut = 0; cut < bytes.size(); ++cut) {
      const Result<Edit> result = Decode(std::string_view(bytes).substr(0, cut));
      ASSERT_FALSE(result.ok()) << ToString(edit) << " cut at " << cut;
      EXPECT_EQ(result.error().reason(), Reason::kBadFormat);
    }
    EXPECT_EQ(Decode(bytes + '\0').error().reason(), Reason::kBadFormat);
  }
}

TEST(Edits, WhatALeaderWritesIsAnEditThatIsNoLeadership) {
  for (const std::string& within :
       {Encode(TakeLead{1, 6}), Encode(Led{1, 5, Encode(SafePoint{7})}), std::string(),
        Encode(SafePoint{7}) + "x", std::string("\x0b")}) {
    const Result<Edit> result = Decode(Encode(Led{1, 5, within}));
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().reason(), Reason::kBadFormat);
  }
  EXPECT_EQ(Decode(Encode(Led{1, 5, "\x63"})).error().reason(), Reason::kNewerFormat);
}

TEST(Edits, KindsOfNewerBuildsAreNamed) {
  for (int kind : {0, 15, 32, 40, 255}) {
    const Result<Edit> result = Decode(std::string(1, static_cast<char>(kind)) + "rest");
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().reason(), Reason::kNewerFormat);
    EXPECT_NE(result.error().message().find(" " + std::to_string(kind) + " "), std::string::npos);
  }
}

}  // namespace
}  // namespace luna::catalog
