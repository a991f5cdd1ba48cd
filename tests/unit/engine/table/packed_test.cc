#include "engine/table/packed.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/table/padded_buffer.h"

namespace luna::table {
namespace {

std::string Column(const std::vector<uint64_t>& values) {
  std::string out;
  PutPackedColumn(out, values.size(), [&](size_t row) { return values[row]; });
  return out;
}

std::string Slices(const std::vector<std::string>& values) {
  std::string out;
  PutPackedSlices(out, values.size(), [&](size_t row) { return std::string_view(values[row]); });
  return out;
}

TEST(Packed, WidthIsTheBytesNeeded) {
  EXPECT_EQ(WidthOf(0), 0u);
  EXPECT_EQ(WidthOf(1), 1u);
  EXPECT_EQ(WidthOf(255), 1u);
  EXPECT_EQ(WidthOf(256), 2u);
  EXPECT_EQ(WidthOf(~uint64_t{0}), 8u);
}

TEST(Packed, ColumnsOfEveryWidthRoundTrip) {
  for (int bits = 0; bits < 64; ++bits) {
    const std::vector<uint64_t> values = {17, 17 + (uint64_t{1} << bits), 17, 18};
    const PaddedBuffer bytes{Column(values)};
    base::ByteReader reader(bytes.view());
    PackedColumn column;
    ASSERT_TRUE(column.Parse(reader, values.size()));
    EXPECT_TRUE(reader.empty());
    for (size_t row = 0; row < values.size(); ++row) {
      EXPECT_EQ(column[row], values[row]);
    }
  }
}

TEST(Packed, AConstantColumnCostsNothingARow) {
  EXPECT_EQ(Column(std::vector<uint64_t>(1000, 5)).size(), 9u);
}

TEST(Packed, SlicesRoundTrip) {
  for (const std::vector<std::string>& values :
       std::vector<std::vector<std::string>>{{},
                                             {""},
                                             {"", "", ""},
                                             {"a"},
                                             {"abc", "", "de"},
                                             {"xy", "zw"},
                                             {"xy", std::string(70000, 'q')}}) {
    const PaddedBuffer bytes{Slices(values)};
    base::ByteReader reader(bytes.view());
    PackedSlices slices;
    ASSERT_TRUE(slices.Parse(reader, values.size()));
    EXPECT_TRUE(reader.empty());
    for (size_t row = 0; row < values.size(); ++row) {
      EXPECT_EQ(slices[row], values[row]);
    }
  }
}

TEST(Packed, SlicesOfOneLengthNeedNoOffsets) {
  EXPECT_EQ(Slices(std::vector<std::string>(100, "abcd")).size(), 13u + 400);
}

TEST(Packed, WhatDoesNotFitIsRefused) {
  const std::string column = Column({1, 2, 300});
  const std::string slices = Slices({"abc", "", "de"});
  for (size_t cut = 0; cut < column.size(); ++cut) {
    const PaddedBuffer bytes{std::string_view(column).substr(0, cut)};
    base::ByteReader reader(bytes.view());
    EXPECT_FALSE(PackedColumn().Parse(reader, 3)) << cut;
  }
  for (size_t cut = 0; cut < slices.size(); ++cut) {
    const PaddedBuffer bytes{std::string_view(slices).substr(0, cut)};
    base::ByteReader reader(bytes.view());
    EXPECT_FALSE(PackedSlices().Parse(reader, 3)) << cut;
  }
}

TEST(Packed, SlicesThatLeaveTheHeapAreRefused) {
  const std::string good = Slices({"abc", "", "de"});
  for (size_t place = 13; place < 13 + 4; ++place) {  // the four offsets
    std::string bad = good;
    bad[place] = 9;
    const PaddedBuffer bytes{bad};
    base::ByteReader reader(bytes.view());
    EXPECT_FALSE(PackedSlices().Parse(reader, 3)) << place;
  }
  std::string wide = good;
  wide[0] = 9;
  const PaddedBuffer bytes{wide};
  base::ByteReader reader(bytes.view());
  EXPECT_FALSE(PackedSlices().Parse(reader, 3));
}

}  // namespace
}  // namespace luna::table
