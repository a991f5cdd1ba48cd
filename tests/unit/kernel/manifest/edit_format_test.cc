#include "kernel/manifest/edit_format.h"

#include <gtest/gtest.h>

namespace luna::manifest {
namespace {

TEST(EditFormat, ARecordComesBack) {
  const base::Id128 nonce{.high = 1, .low = 2};
  const std::string bytes = EncodeRecord(nonce, RecordKind::kEdit, "the edit");
  EXPECT_EQ(bytes.size(), 16 + 1 + 8u);
  const StoredRecord record = DecodeRecord(bytes, "here").value();
  EXPECT_EQ(record.nonce, nonce);
  EXPECT_EQ(record.kind, RecordKind::kEdit);
  EXPECT_EQ(record.bytes, "the edit");
}

TEST(EditFormat, AnEmptyEditIsAnEdit) {
  const std::string bytes = EncodeRecord({}, RecordKind::kEdit, "");
  EXPECT_EQ(DecodeRecord(bytes, "here").value().bytes, "");
}

TEST(EditFormat, ShortAndUnknownRecordsAreNamedErrors) {
  const std::string bytes = EncodeRecord({}, RecordKind::kEdit, "");
  const auto cut = DecodeRecord(std::string_view(bytes).substr(0, 16), "place 7");
  ASSERT_FALSE(cut.ok());
  EXPECT_EQ(cut.error().reason(), Reason::kBadFormat);
  EXPECT_NE(cut.error().message().find("place 7"), std::string::npos);
  std::string newer = bytes;
  newer[16] = 3;
  EXPECT_EQ(DecodeRecord(newer, "").error().reason(), Reason::kNewerFormat);
  newer[16] = 0;
  EXPECT_EQ(DecodeRecord(newer, "").error().reason(), Reason::kBadFormat);
}

TEST(EditFormat, AMarkComesBackWholeOrNotAtAll) {
  const SnapshotMark mark{.covered = 7,
                          .salt = {.high = 1, .low = 2},
                          .checksum = 3,
                          .object_bytes = 4,
                          .object = "m.0000000000000007"};
  const std::string bytes = EncodeMark(mark);
  const SnapshotMark back = DecodeMark(bytes, "here").value();
  EXPECT_EQ(back.covered, mark.covered);
  EXPECT_EQ(back.salt, mark.salt);
  EXPECT_EQ(back.checksum, mark.checksum);
  EXPECT_EQ(back.object_bytes, mark.object_bytes);
  EXPECT_EQ(back.object, mark.object);
  for (size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = DecodeMark(std::string_view(bytes).substr(0, size), "here");
    ASSERT_FALSE(cut.ok()) << size;
    EXPECT_EQ(cut.error().reason(), Reason::kBadFormat);
  }
  EXPECT_EQ(DecodeMark(bytes + "x", "here").error().reason(), Reason::kBadFormat);
}

TEST(NonceWindow, RemembersTheLastOnes) {
  NonceWindow window;
  for (uint64_t i = 0; i < NonceWindow::kNonces + 2; ++i) {
    EXPECT_FALSE(window.Contains({.high = 0, .low = i}));
    window.Add({.high = 0, .low = i});
  }
  EXPECT_EQ(window.nonces().size(), NonceWindow::kNonces);
  EXPECT_FALSE(window.Contains({.high = 0, .low = 1}));
  EXPECT_TRUE(window.Contains({.high = 0, .low = 2}));
  EXPECT_FALSE(window.Contains({.high = 2, .low = 0}));
}

}  // namespace
}  // namespace luna::manifest
