#include "engine/table/tail.h"

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "engine/table/padded_buffer.h"
#include "unit/engine/table/map_storage.h"

namespace luna::table {
namespace {

constexpr uint64_t kTailOffset = 777;

std::string Encoded() {
  FilterBuilder filter(12);
  filter.Add(base::Hash("a"));
  IndexBuilder index;
  const OwnedEntry entry{.key = "a", .timestamp = 3};
  index.Begin(0, entry.key, entry.timestamp, false);
  index.Count(entry.View());
  TailContents contents;
  contents.tombstones = {{.range = {.begin = "c", .end = "d"}, .timestamp = 8},
                         {.range = {.begin = "e", .end = ""}, .timestamp = 9}};
  contents.filter = &filter;
  contents.index = &index;
  contents.properties.creator = "luna 1.2.3";
  contents.properties.row.object = "name";
  contents.properties.row.salt = kTestSalt;
  contents.properties.row.tail_offset = kTailOffset;
  contents.properties.row.entries = 1;
  return EncodeTail(contents);
}

TEST(Tail, RoundTrips) {
  const PaddedBuffer bytes{Encoded()};
  const Result<TailView> view = ParseTail(bytes.view(), kTailOffset, "here");
  ASSERT_TRUE(view.ok()) << view.error().message();
  EXPECT_EQ(view->tombstones.size(), 2u);
  EXPECT_EQ(view->tombstones[1].range.begin, "e");
  EXPECT_EQ(view->tombstones[1].timestamp, 9u);
  EXPECT_TRUE(view->filter.MayContain(base::Hash("a")));
  EXPECT_FALSE(view->filter.MayContain(base::Hash("b")));
  EXPECT_EQ(view->index.first_key(0), "a");
  EXPECT_EQ(view->footer.salt, kTestSalt);
  EXPECT_EQ(view->footer.filter_at % 64, 0u);
  EXPECT_TRUE(TailMatchesFooter(bytes.view(), view->footer));
  const Result<Properties> properties = DecodeProperties(view->properties, "here");
  ASSERT_TRUE(properties.ok());
  EXPECT_EQ(properties->creator, "luna 1.2.3");
  EXPECT_EQ(properties->options.block_bytes, 8192u);
  EXPECT_EQ(properties->options.codec, Codec::kLz4);
  EXPECT_EQ(properties->row.object, "");
  EXPECT_EQ(properties->row.entries, 1u);
  EXPECT_EQ(properties->row.tail_offset, kTailOffset);
}

// If this fails, the format of tails has changed: that needs a new format version.
TEST(Tail, GoldenBytes) {
  EXPECT_EQ(Encoded().size(), 361u);
  EXPECT_EQ(base::Hash(Encoded()), 10978590053482897563u);
}

TEST(Tail, EveryFlippedByteIsNoticedByTheFooter) {
  const std::string good = Encoded();
  for (size_t place = 0; place < good.size(); ++place) {
    std::string bad = good;
    bad[place] = static_cast<char>(bad[place] ^ 4);
    const PaddedBuffer bytes{bad};
    const Result<TailView> view = ParseTail(bytes.view(), kTailOffset, "here");
    EXPECT_TRUE(!view.ok() || !TailMatchesFooter(bytes.view(), view->footer)) << place;
  }
}

TEST(Tail, TruncationIsRefused) {
  const std::string good = Encoded();
  for (size_t cut = 0; cut < good.size(); ++cut) {
    const PaddedBuffer bytes{std::string_view(good).substr(0, cut)};
    const Result<TailView> view = ParseTail(bytes.view(), kTailOffset, "here");
    ASSERT_FALSE(view.ok()) << cut;
    EXPECT_EQ(view.error().reason(), Reason::kBadFormat);
  }
  const PaddedBuffer bytes{good};
  EXPECT_FALSE(ParseTail(bytes.view(), kTailOffset + 1, "here").ok());
  EXPECT_FALSE(TailMatchesFooter("short", Footer()));
}

TEST(Tail, AFooterWhoseTailLiesBeyondTheObjectIsRefused) {
  // Of no sections at all, so that only the offset is wrong.
  std::string footer(kFooterBytes, '\0');
  base::StoreFixed32(footer.data() + 80, kTableFormatVersion);
  base::StoreFixed64(footer.data() + 88, kTableMagic);
  EXPECT_TRUE(DecodeFooter(footer, kFooterBytes, "here").ok());
  EXPECT_EQ(DecodeFooter(footer, kFooterBytes - 1, "here").error().reason(), Reason::kBadFormat);
  for (const uint64_t tail_offset : {uint64_t{1}, uint64_t{1000}, ~uint64_t{0}}) {
    base::StoreFixed64(footer.data(), tail_offset);
    EXPECT_EQ(DecodeFooter(footer, kFooterBytes, "here").error().reason(), Reason::kBadFormat);
    MapStorage storage;
    storage.objects["b/t"] = footer;
    EXPECT_EQ(ReadTableRow(ContextOf(storage), "t").error().reason(), Reason::kBadFormat);
  }
}

TEST(Tail, ANewerVersionIsNamedAsSuch) {
  std::string bytes = Encoded();
  bytes[bytes.size() - 16] = 2;
  const Result<Footer> footer =
      DecodeFooter(std::string_view(bytes).substr(bytes.size() - kFooterBytes),
                   kTailOffset + bytes.size(), "here");
  ASSERT_FALSE(footer.ok());
  EXPECT_EQ(footer.error().reason(), Reason::kNewerFormat);
}

TEST(Tail, PropertiesHaveAChecksum) {
  const PaddedBuffer bytes{Encoded()};
  const Result<TailView> view = ParseTail(bytes.view(), kTailOffset, "here");
  ASSERT_TRUE(view.ok());
  for (size_t place = 0; place < view->properties.size(); ++place) {
    std::string bad(view->properties);
    bad[place] = static_cast<char>(bad[place] ^ 1);
    const Result<Properties> properties = DecodeProperties(bad, "here");
    ASSERT_FALSE(properties.ok());
    EXPECT_EQ(properties.error().reason(), Reason::kBadChecksum);
  }
  EXPECT_FALSE(DecodeProperties("abc", "here").ok());
}

// Properties with these settings, behind a checksum that holds.
std::string PropertiesOf(uint64_t block_bytes, uint64_t filter_bits, uint64_t codec) {
  std::string bytes;
  base::PutString(bytes, "a later build");
  for (const uint64_t setting : {block_bytes, filter_bits, codec}) {
    base::PutVarint(bytes, setting);
  }
  EncodeTableRow(TableRow(), bytes);
  base::PutFixed32(bytes, base::Crc32c(bytes));
  return bytes;
}

TEST(Tail, PropertiesThatDoNotFitAreNotCutToSize) {
  EXPECT_TRUE(DecodeProperties(PropertiesOf(0xffff'ffff, 0xffff'ffff, 2), "here").ok());
  for (const std::string& bytes :
       {PropertiesOf(uint64_t{1} << 32, 1, 0), PropertiesOf(1, uint64_t{1} << 32, 0)}) {
    EXPECT_EQ(DecodeProperties(bytes, "here").error().reason(), Reason::kBadFormat);
  }
  for (const uint64_t codec : {uint64_t{3}, uint64_t{256}}) {
    const auto later = DecodeProperties(PropertiesOf(1, 1, codec), "here");
    EXPECT_EQ(later.error().reason(), Reason::kNewerFormat);
  }
}

}  // namespace
}  // namespace luna::table
