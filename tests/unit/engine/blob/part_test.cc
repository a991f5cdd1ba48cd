#include "engine/blob/part.h"

#include <gtest/gtest.h>

#include "base/coding.h"
#include "engine/entry/entry.h"

namespace luna::blob {
namespace {

const Trailer kTrailer{
    .part = 0, .salt = {.high = 7, .low = 9}, .whole_bytes = 5, .payload_bytes = 5, .writer = 77};

std::string Object() {
  return "value" + EncodeTrailer(kTrailer, "value");
}

TEST(Part, ComesBackAsItWas) {
  const Trailer trailer = CheckPart(Object(), "db-1/b-1.1.1.0").value();
  EXPECT_EQ(trailer.part, 0U);
  EXPECT_EQ(trailer.salt, kTrailer.salt);
  EXPECT_EQ(trailer.whole_bytes, 5U);
  EXPECT_EQ(trailer.payload_bytes, 5U);
  EXPECT_EQ(trailer.writer, 77U);
  EXPECT_EQ(Object().size(), 5 + kTrailerBytes);
}

TEST(Part, EveryFlippedBitIsFound) {
  const std::string good = Object();
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    const auto checked = CheckPart(bad, "db-1/x");
    ASSERT_FALSE(checked.ok()) << bit;
    EXPECT_EQ(checked.error().code(), ErrorCode::kCorruption) << bit;
    EXPECT_NE(checked.error().message().find("db-1/x"), std::string::npos);
  }
}

TEST(Part, TooShortIsLostData) {
  const auto checked = CheckPart(std::string(63, 'x'), "db-1/x");
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().reason(), Reason::kLostData);
}

TEST(Part, LaterVersionIsNamed) {
  std::string trailer = EncodeTrailer(kTrailer, "value");
  base::StoreFixed32(trailer.data() + 8, 2);
  const uint64_t checksum =
      base::Hash("value", base::Hash(std::string_view(trailer).substr(0, 56)));
  base::StoreFixed64(trailer.data() + 56, checksum);
  EXPECT_EQ(CheckPart("value" + trailer, "x").error().reason(), Reason::kNewerFormat);
}

TEST(Part, SizesThatContradictTheObjectAreBadFormat) {
  Trailer wrong = kTrailer;
  wrong.whole_bytes = 6;
  EXPECT_EQ(CheckPart("value" + EncodeTrailer(wrong, "value"), "x").error().reason(),
            Reason::kBadFormat);
  wrong.payload_bytes = 6;
  EXPECT_EQ(CheckPart("value" + EncodeTrailer(wrong, "value"), "x").error().reason(),
            Reason::kBadFormat);
}

TEST(Part, SizesThatNoValueHasAreBadFormat) {
  Trailer empty = kTrailer;
  empty.whole_bytes = 0;
  empty.payload_bytes = 0;
  EXPECT_EQ(CheckPart(EncodeTrailer(empty, ""), "x").error().reason(), Reason::kBadFormat);
  const std::string payload(entry::kBlobPartBytes, 'v');
  Trailer large = kTrailer;
  large.payload_bytes = payload.size();
  for (const uint64_t whole : {uint64_t{entry::kMaxValueBytes}, ~uint64_t{0}}) {
    large.whole_bytes = whole;
    EXPECT_EQ(CheckPart(payload + EncodeTrailer(large, payload), "x").ok(),
              whole == entry::kMaxValueBytes);
  }
}

TEST(Part, EmptyPartBehindTheWholesEndIsBadFormat) {
  Trailer behind = kTrailer;
  behind.part = 1;
  behind.payload_bytes = 0;
  EXPECT_EQ(CheckPart(EncodeTrailer(behind, ""), "x").error().reason(), Reason::kBadFormat);
}

TEST(Part, PayloadsAddUpToTheWhole) {
  for (const uint64_t whole :
       {uint64_t{1}, uint64_t{entry::kBlobPartBytes}, uint64_t{entry::kBlobPartBytes} + 1,
        uint64_t{entry::kMaxValueBytes}}) {
    uint64_t sum = 0;
    for (uint64_t part = 0; part < entry::BlobParts(whole); ++part) {
      EXPECT_GT(PayloadBytes(whole, part), 0U);
      sum += PayloadBytes(whole, part);
    }
    EXPECT_EQ(sum, whole);
    EXPECT_EQ(PayloadBytes(whole, entry::BlobParts(whole)), 0U);
  }
}

}  // namespace
}  // namespace luna::blob
