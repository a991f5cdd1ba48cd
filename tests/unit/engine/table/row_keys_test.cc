#include "engine/table/row_keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "engine/table/padded_buffer.h"

namespace luna::table {
namespace {

PaddedBuffer Encoded(const std::vector<std::string>& keys) {
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  std::string bitmap((keys.size() + 7) / 8, '\0');
  for (size_t row = 1; row < keys.size(); ++row) {
    if (keys[row] == keys[row - 1]) {
      bitmap[row / 8] = static_cast<char>(static_cast<uint8_t>(bitmap[row / 8]) | 1u << (row % 8));
    }
  }
  std::string out;
  PutRowKeys(out, views, bitmap);
  return PaddedBuffer(out);
}

void ExpectRoundTrip(const std::vector<std::string>& keys) {
  const PaddedBuffer bytes = Encoded(keys);
  base::ByteReader reader(bytes.view());
  RowKeys parsed;
  ASSERT_TRUE(parsed.Parse(reader));
  ASSERT_TRUE(reader.empty());
  ASSERT_EQ(parsed.rows(), keys.size());
  std::string room(parsed.copy_bytes(), '?');
  parsed.prefix().copy(room.data(), parsed.prefix().size());
  for (size_t row = 0; row < keys.size(); ++row) {
    EXPECT_EQ(parsed.Key(row), keys[row]);
    const size_t length = parsed.CopyBehindPrefix(row, room.data());
    EXPECT_EQ(room.substr(0, length), keys[row]);
    EXPECT_EQ(parsed.SameAsPrevious(row), row > 0 && keys[row] == keys[row - 1]);
    const std::string_view rest = std::string_view(keys[row]).substr(parsed.prefix().size());
    EXPECT_TRUE(parsed.Equals(row, rest, base::KeyHead(rest)));
  }
  std::vector<std::string> probes = keys;
  for (const std::string& key : keys) {
    probes.push_back(key + '\0');
    probes.push_back(key + "\xff");
    probes.push_back(key.substr(0, key.size() / 2));
    probes.push_back(key.substr(0, key.size() - std::min<size_t>(1, key.size())));
  }
  probes.insert(probes.end(), {"", "\xff\xff\xff\xff\xff\xff\xff\xff\xff", "m"});
  for (const std::string& probe : probes) {
    const auto [begin, end] = std::equal_range(keys.begin(), keys.end(), probe);
    const RowKeys::Range found = parsed.Find(probe);
    EXPECT_EQ(found.begin, static_cast<size_t>(begin - keys.begin()));
    EXPECT_EQ(found.end, static_cast<size_t>(end - keys.begin()));
  }
}

TEST(RowKeys, ChosenShapesRoundTrip) {
  ExpectRoundTrip({});
  ExpectRoundTrip({""});
  ExpectRoundTrip({"", ""});
  ExpectRoundTrip({"", "a", "ab"});
  ExpectRoundTrip({"same", "same", "same"});
  ExpectRoundTrip({"user01", "user02", "user03"});
  ExpectRoundTrip({std::string("a\0", 2), std::string("a\0\0", 3), "a\x01"});
  ExpectRoundTrip({"prefix12345678tail", "prefix12345678tailor", "prefix12345679"});
  ExpectRoundTrip({std::string(9, '\xff'), std::string(10, '\xff'), std::string(65536, '\xff')});
  ExpectRoundTrip({std::string(65535, 'k') + "a", std::string(65535, 'k') + "b"});
}

TEST(RowKeys, RandomKeysRoundTrip) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    const std::string shared(random() % 20, 's');
    std::vector<std::string> keys(1 + random() % 60);
    const uint64_t letters = 1 + random() % 4;
    for (std::string& key : keys) {
      key = shared;
      for (size_t left = random() % 14; left > 0; --left) {
        key.push_back(static_cast<char>((random() % letters) * 85));
      }
    }
    std::sort(keys.begin(), keys.end());
    ExpectRoundTrip(keys);
  }
}

TEST(RowKeys, KeysOfOneLengthCostTheHeadAndTheRest) {
  std::vector<std::string> keys;
  for (int i = 100; i < 200; ++i) {
    keys.push_back("collection/object/" + std::to_string(i));
  }
  // Two bytes after the prefix lie in the head; no offsets, no slices.
  EXPECT_EQ(Encoded(keys).size(), 8u + 100 * 8 + 1 + 19 + 13 + 13);
}

TEST(RowKeys, TruncatedBytesAreRefused) {
  const PaddedBuffer whole = Encoded({"abc", "abd", "abdefghijklmnop"});
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    const PaddedBuffer bytes(whole.view().substr(0, cut));
    base::ByteReader reader(bytes.view());
    EXPECT_FALSE(RowKeys().Parse(reader)) << cut;
  }
}

TEST(RowKeys, CommonPrefixCountsBytes) {
  EXPECT_EQ(CommonPrefix("", "abc"), 0u);
  EXPECT_EQ(CommonPrefix("abcdefghijkl", "abcdefghijkm"), 11u);
  EXPECT_EQ(CommonPrefix("abcdefgX", "abcdefgY"), 7u);
  EXPECT_EQ(CommonPrefix("abcdefgh", "abcdefghi"), 8u);
  EXPECT_EQ(CommonPrefix("x", "y"), 0u);
}

}  // namespace
}  // namespace luna::table
