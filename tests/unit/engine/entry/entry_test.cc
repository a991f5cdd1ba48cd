#include "engine/entry/entry.h"

#include <gtest/gtest.h>

namespace luna::entry {
namespace {

TEST(Entry, OrderIsKeyUpThenTimestampDown) {
  EXPECT_TRUE(Compare("a", 1, "b", 9) < 0);
  EXPECT_TRUE(Compare("a", 9, "a", 1) < 0);
  EXPECT_TRUE(Compare("a", 1, "a", 9) > 0);
  EXPECT_TRUE(Compare("a", 5, "a", 5) == 0);
  EXPECT_TRUE(Compare("a", 5, std::string_view("a\0", 2), 5) < 0);
  EXPECT_TRUE(Compare("\x7f", 5, "\x80", 5) < 0);  // bytes are unsigned
}

TEST(Entry, DeletionsAndExpiredValuesAreNotLive) {
  Entry entry{.key = "k", .timestamp = FirstAt(10)};
  EXPECT_TRUE(IsLive(entry, FirstAt(10)));
  entry.expiry_millis = 20;
  EXPECT_TRUE(IsLive(entry, FirstAt(20) - 1));
  EXPECT_FALSE(IsLive(entry, FirstAt(20)));
  entry.expiry_millis = 0;
  entry.kind = Kind::kDelete;
  EXPECT_FALSE(IsLive(entry, FirstAt(10)));
}

TEST(KeyRange, EmptyEndIsUnbounded) {
  const KeyRange range{"b", ""};
  EXPECT_FALSE(range.Contains("a"));
  EXPECT_TRUE(range.Contains("b"));
  EXPECT_TRUE(range.Contains("\xff\xff"));
  EXPECT_FALSE(range.empty());
  EXPECT_TRUE((KeyRange{"b", "b"}).empty());
  EXPECT_TRUE((KeyRange{"b", "c"}).Overlaps("a", "b"));
  EXPECT_FALSE((KeyRange{"b", "c"}).Overlaps("c", "d"));
  EXPECT_FALSE((KeyRange{"b", "c"}).Overlaps("a", "az"));
}

TEST(BlobReference, SurvivesEncoding) {
  const BlobReference reference{"7.12.9", (uint64_t{1} << 28) + 5, 0xfedcba9876543210};
  const Result<BlobReference> decoded = DecodeBlobReference(EncodeBlobReference(reference));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->name, reference.name);
  EXPECT_EQ(decoded->size, reference.size);
  EXPECT_EQ(decoded->checksum, reference.checksum);
}

TEST(BlobReference, DamageIsRefused) {
  const std::string good = EncodeBlobReference({"1.2.3", 100000, 42});
  for (size_t size = 0; size < good.size(); ++size) {
    const Result<BlobReference> decoded = DecodeBlobReference(good.substr(0, size));
    ASSERT_FALSE(decoded.ok()) << size;
    EXPECT_EQ(decoded.error().reason(), Reason::kBadFormat);
  }
  EXPECT_FALSE(DecodeBlobReference(good + "x").ok());
  EXPECT_FALSE(DecodeBlobReference(EncodeBlobReference({"", 100000, 42})).ok());
  EXPECT_FALSE(DecodeBlobReference(EncodeBlobReference({"n", kMaxValueBytes + 1, 42})).ok());
}

TEST(BlobReference, PartsCoverTheSize) {
  EXPECT_EQ(BlobParts(1), 1u);
  EXPECT_EQ(BlobParts(kBlobPartBytes), 1u);
  EXPECT_EQ(BlobParts(kBlobPartBytes + 1), 2u);
  EXPECT_EQ(BlobPartName({"1.2.3", 1, 0}, 11), "1.2.3.11");
}

TEST(PrefixEnd, IsAboveEveryExtension) {
  EXPECT_EQ(PrefixEnd("ab"), "ac");
  EXPECT_EQ(PrefixEnd("a\xff\xff"), "b");
  EXPECT_EQ(PrefixEnd("\x7f"), "\x80");
  EXPECT_EQ(PrefixEnd("\xff\xff"), "");
  EXPECT_EQ(PrefixEnd(""), "");
}

}  // namespace
}  // namespace luna::entry
