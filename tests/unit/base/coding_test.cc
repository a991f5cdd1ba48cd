#include "base/coding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "base/text.h"

namespace luna::base {
namespace {

using std::string_literals::operator""s;

constexpr uint64_t kMax64 = std::numeric_limits<uint64_t>::max();

std::string Varint(uint64_t value) {
  std::string out;
  PutVarint(out, value);
  return out;
}

TEST(Coding, FixedFieldsAreLittleEndian) {
  std::string out;
  PutFixed16(out, 0x0102);
  PutFixed32(out, 0x03040506);
  PutFixed64(out, 0x0708090a0b0c0d0e);
  EXPECT_EQ(Hex(out), "0201" "06050403" "0e0d0c0b0a090807");
}

TEST(Coding, LoadsGiveBackWhatStoresWroteAtAnyAddress) {
  char bytes[13] = {};
  StoreFixed32(bytes + 1, 0xdeadbeef);
  StoreFixed64(bytes + 5, 0x0123456789abcdef);
  EXPECT_EQ(LoadFixed32(bytes + 1), 0xdeadbeefu);
  EXPECT_EQ(LoadFixed64(bytes + 5), 0x0123456789abcdefu);
  EXPECT_EQ(bytes[1], '\xef');
}

TEST(Coding, VarintsAreLeb128) {
  EXPECT_EQ(Hex(Varint(0)), "00");
  EXPECT_EQ(Hex(Varint(127)), "7f");
  EXPECT_EQ(Hex(Varint(128)), "8001");
  EXPECT_EQ(Hex(Varint(300)), "ac02");
  EXPECT_EQ(Hex(Varint(kMax64)), "ffffffffffffffffff01");
}

TEST(Coding, VarintsOfEveryLengthComeBack) {
  std::string out;
  std::vector<uint64_t> numbers;
  for (unsigned bit = 0; bit < 64; ++bit) {
    const uint64_t power = uint64_t{1} << bit;
    numbers.insert(numbers.end(), {power - 1, power, power + 1});
  }
  numbers.push_back(kMax64);
  for (const uint64_t number : numbers) {
    PutVarint(out, number);
  }
  ByteReader reader(out);
  for (const uint64_t number : numbers) {
    EXPECT_EQ(reader.Varint(), number);
  }
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.empty());
}

TEST(Coding, KeyHeadsAreOrderedAsTheKeys) {
  const std::vector<std::string> keys = {"",     "\0"s,      "\0\1"s,     "a",       "a\1",
                                         "ab",   "abcdefgh", "abcdefgi",  "b",       "\x7f",
                                         "\x80", "\xff",     "\xff\xfe", "\xff\xff"};
  ASSERT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  for (size_t i = 1; i < keys.size(); ++i) {
    EXPECT_LE(KeyHead(keys[i - 1]), KeyHead(keys[i])) << Printable(keys[i]);
  }
  EXPECT_EQ(KeyHead("abcdefgh"), 0x6162636465666768u);
  EXPECT_EQ(KeyHead("abcdefghZ"), KeyHead("abcdefgh"));
  EXPECT_EQ(KeyHead("a"), KeyHead("a\0"s));
  EXPECT_EQ(KeyHead({}), 0u);
}

TEST(ByteReader, TakesFieldsInOrder) {
  std::string out = "\x2a";
  PutFixed16(out, 16);
  PutFixed32(out, 32);
  PutFixed64(out, 64);
  PutVarint(out, 1000);
  PutString(out, "name");
  PutString(out, "");
  out += "tail";
  ByteReader reader(out);
  EXPECT_EQ(reader.Byte(), 0x2a);
  EXPECT_EQ(reader.Fixed16(), 16);
  EXPECT_EQ(reader.Fixed32(), 32u);
  EXPECT_EQ(reader.Fixed64(), 64u);
  EXPECT_EQ(reader.Varint(), 1000u);
  EXPECT_EQ(reader.String(), "name");
  EXPECT_EQ(reader.String(), "");
  EXPECT_EQ(reader.Bytes(2), "ta");
  EXPECT_EQ(reader.rest(), "il");
  EXPECT_TRUE(reader.ok());
  EXPECT_FALSE(reader.empty());
}

TEST(ByteReader, ViewsPointIntoTheInput) {
  std::string out;
  PutString(out, "abc");
  ByteReader reader(out);
  EXPECT_EQ(reader.String().data(), out.data() + 1);
}

TEST(ByteReader, AFieldPastTheEndFailsEveryFurtherField) {
  const std::string three("\x05\x05\x05", 3);
  ByteReader reader(three);
  EXPECT_EQ(reader.Fixed32(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_TRUE(reader.empty());
  EXPECT_EQ(reader.Byte(), 0);
  EXPECT_EQ(reader.Fixed16(), 0);
  EXPECT_EQ(reader.Fixed64(), 0u);
  EXPECT_EQ(reader.Varint(), 0u);
  EXPECT_EQ(reader.String(), "");
  EXPECT_EQ(reader.Bytes(1), "");
  EXPECT_EQ(reader.Bytes(0), "");
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, EveryCutOfARecordFailsAndNeverReadsOn) {
  std::string record;
  PutFixed16(record, 7);
  PutFixed64(record, 8);
  PutVarint(record, 1u << 20);
  PutString(record, "value");
  for (size_t cut = 0; cut < record.size(); ++cut) {
    const std::vector<char> exact(record.begin(), record.begin() + static_cast<ptrdiff_t>(cut));
    ByteReader reader(std::string_view(exact.data(), exact.size()));
    reader.Fixed16();
    reader.Fixed64();
    reader.Varint();
    EXPECT_EQ(reader.String(), "") << cut;
    EXPECT_FALSE(reader.ok()) << cut;
  }
}

TEST(ByteReader, AStringLongerThanTheInputFailsHoweverLongItClaimsToBe) {
  for (const uint64_t claimed : {uint64_t{4}, uint64_t{1} << 32, kMax64}) {
    const std::string input = Varint(claimed) + "abc";
    ByteReader reader(input);
    EXPECT_EQ(reader.String(), "");
    EXPECT_FALSE(reader.ok()) << claimed;
  }
}

TEST(ByteReader, VarintsThatOverflowOrArePaddedFail) {
  const std::vector<std::string> wrong = {
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",      // 65 bits
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01",  // eleven bytes
      "\x80\x00"s,                                     // zero in two bytes
      "\xff\x80\x00"s,
      "\x80",                                          // cut
      ""};
  for (const std::string& bytes : wrong) {
    ByteReader reader(bytes);
    EXPECT_EQ(reader.Varint(), 0u) << Hex(bytes);
    EXPECT_FALSE(reader.ok()) << Hex(bytes);
    EXPECT_TRUE(reader.rest().empty()) << Hex(bytes);
  }
}

TEST(ByteReader, TakingNothingFromNothingIsFine) {
  ByteReader reader({});
  EXPECT_EQ(reader.Bytes(0), "");
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.empty());
}

}  // namespace
}  // namespace luna::base
