#include "engine/table/tail.h"

#include <gtest/gtest.h>

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
  EXPECT_NE(properties->creator, "");
  EXPECT_EQ(properties->options.block_bytes, 8192u);
  EXPECT_EQ(properties->options.codec, Codec::kLz4);
  EXPECT_EQ(properties->row.object, "");
  EXPECT_EQ(properties->row.entries, 1u);
  EXPECT_EQ(properties->row.tail_offset, kTailOffset);
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

}  // namespace
}  // namespace luna::table
