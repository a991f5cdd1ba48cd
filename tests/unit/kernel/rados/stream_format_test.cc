#include "kernel/rados/stream_format.h"

#include <gtest/gtest.h>

#include "base/coding.h"
#include "base/crc32c.h"
#include "kernel/journal/batch.h"

namespace luna::rados {

namespace {

using Attributes = std::map<std::string, std::string>;

TEST(StreamFormat, NumbersHaveOneForm) {
  EXPECT_EQ(Digits(0), "00000000000000000000");
  EXPECT_EQ(Digits(UINT64_MAX), "18446744073709551615");
  EXPECT_EQ(ParseDigits(Digits(42)), 42u);
  for (const char* text : {"", "42", "0000000000000000004x", "-0000000000000000042",
                           "99999999999999999999", "000000000000000000042"}) {
    EXPECT_FALSE(ParseDigits(text).has_value()) << text;
  }
  EXPECT_EQ(Hex({.high = 1, .low = 0xabcdef}), "00000000000000010000000000abcdef");
}

TEST(StreamFormat, AHeadComesBack) {
  const Head head{.removed = true,
                  .first = 7,
                  .segment = "segment/s/x",
                  .dropping = {"segment/s/a", "segment/s/b"},
                  .version = 9};
  const Head decoded = DecodeHead(EncodeHead(head), {{"version", Digits(9)}}, "here").value();
  EXPECT_TRUE(decoded.removed);
  EXPECT_EQ(decoded.first, 7u);
  EXPECT_EQ(decoded.segment, head.segment);
  EXPECT_EQ(decoded.dropping, head.dropping);
  EXPECT_EQ(decoded.version, 9u);
}

TEST(StreamFormat, ADamagedHeadIsNamed) {
  const std::string bytes = EncodeHead({.segment = "segment/s/x"});
  const Attributes attributes = {{"version", Digits(1)}};
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    const auto head = DecodeHead(damaged, attributes, "here");
    ASSERT_FALSE(head.ok()) << i;
    EXPECT_EQ(head.error().code(), ErrorCode::kCorruption);
    EXPECT_TRUE(head.error().message().starts_with("here: "));
    EXPECT_FALSE(DecodeHead(bytes.substr(0, i), attributes, "here").ok());
  }
  EXPECT_EQ(DecodeHead(bytes, {}, "here").error().reason(), Reason::kBadFormat);
  std::string newer = bytes.substr(0, bytes.size() - 4);
  newer[8] = 2;
  base::PutFixed32(newer, base::Crc32c(newer));
  EXPECT_EQ(DecodeHead(newer, attributes, "here").error().reason(), Reason::kNewerFormat);
}

TEST(StreamFormat, ASegmentIsItsAttributes) {
  const Attributes open = {{"epoch", Digits(3)},
                           {"place", Digits(12) + "." + Digits(4096)},
                           {"turn", "t"},
                           {"first", Digits(10)}};
  const Segment segment = DecodeSegment("n", open, "here").value();
  EXPECT_EQ(segment.name, "n");
  EXPECT_EQ(segment.epoch, 3u);
  EXPECT_FALSE(segment.sealed);
  EXPECT_EQ(segment.tail, 12u);
  EXPECT_EQ(segment.length, 4096u);
  EXPECT_EQ(segment.first, 10u);
  EXPECT_EQ(segment.place(), open.at("place"));

  Attributes sealed = open;
  sealed["epoch"] = "sealed";
  EXPECT_FALSE(DecodeSegment("n", sealed, "here").ok());  // and then what?
  sealed["next"] = "m";
  EXPECT_TRUE(DecodeSegment("n", sealed, "here").value().sealed);
  for (const char* attribute : {"epoch", "place", "first"}) {
    Attributes bad = open;
    bad[attribute] = "x";
    EXPECT_EQ(DecodeSegment("n", bad, "here").error().reason(), Reason::kBadFormat) << attribute;
    bad.erase(attribute);
    EXPECT_EQ(DecodeSegment("n", bad, "here").error().reason(), Reason::kBadFormat) << attribute;
  }
}

TEST(StreamFormat, AFrameComesBackOrAsksForMore) {
  const std::string_view records[] = {"one", "", "three"};
  const std::string frame = EncodeFrame({.high = 1, .low = 2}, 5, 10, records);
  EXPECT_EQ(frame.size(), FrameBytes(records));
  uint64_t needed = 0;
  for (size_t length = 0; length < frame.size(); ++length) {
    EXPECT_FALSE(DecodeFrame(frame.substr(0, length), "here", needed).value().has_value());
    EXPECT_EQ(needed, length < kFrameHeadBytes ? kFrameHeadBytes : frame.size());
  }
  const auto payload = DecodeFrame(frame + "behind", "here", needed).value();
  ASSERT_TRUE(payload.has_value());
  EXPECT_EQ(needed, frame.size());
  auto batch = journal::BatchReader::Open(*payload);
  ASSERT_TRUE(batch.has_value());
  EXPECT_EQ(batch->epoch(), 5u);
  EXPECT_EQ(batch->next_sequence(), 10u);
  EXPECT_EQ(batch->end_sequence(), 13u);
}

TEST(StreamFormat, ADamagedFrameIsNamed) {
  const std::string_view records[] = {"one"};
  const std::string frame = EncodeFrame({.high = 1, .low = 2}, 5, 10, records);
  for (size_t i = 4; i < frame.size(); ++i) {
    std::string damaged = frame;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    uint64_t needed = 0;
    const auto payload = DecodeFrame(damaged, "here", needed);
    ASSERT_FALSE(payload.ok()) << i;
    EXPECT_EQ(payload.error().reason(), Reason::kBadChecksum);
  }
}

}  // namespace

}  // namespace luna::rados
