#include "engine/table/stored_block.h"

#include <gtest/gtest.h>

#include "engine/table/block_builder.h"
#include "unit/engine/table/map_storage.h"

namespace luna::table {
namespace {

std::string Decoded(size_t rows = 50) {
  BlockBuilder builder;
  for (const OwnedEntry& entry : NumberedEntries(rows, 100)) {
    builder.Add(entry.View(), 1, false);
  }
  std::string out;
  builder.Finish(out);
  return out;
}

std::string Stored(std::string_view decoded, Codec codec, uint64_t offset = 0) {
  std::string out;
  const size_t length = BlockCompressor(codec).Put(out, decoded, kTestSalt, offset);
  EXPECT_EQ(length, out.size());
  return out;
}

Reason ReasonOf(std::string_view stored) {
  const auto block = DecodeStored(PaddedBuffer(stored), "b/t at offset 5");
  EXPECT_FALSE(block.ok());
  EXPECT_NE(block.error().message().find("b/t at offset 5"), std::string::npos);
  return block.error().reason();
}

TEST(StoredBlock, EveryCodecRoundTrips) {
  for (const Codec codec : {Codec::kNone, Codec::kLz4, Codec::kZstd}) {
    const std::string stored = Stored(Decoded(), codec);
    EXPECT_EQ(stored[1], static_cast<char>(codec));
    EXPECT_EQ(stored.size() < Decoded().size(), codec != Codec::kNone);
    ASSERT_TRUE(StoredChecksumMatches(stored, kTestSalt, 0));
    const auto block = DecodeStored(PaddedBuffer(stored), "here");
    ASSERT_TRUE(block.ok()) << block.error().message();
    EXPECT_EQ((*block)->rows(), 50u);
    EXPECT_EQ((*block)->keys().Key(49), NumberedKey(49));
  }
}

// A block of one value that no codec makes shorter.
std::string Noise() {
  std::mt19937_64 random(1);
  BlockBuilder builder;
  std::string value;
  for (int i = 0; i < 4000; ++i) {
    value.push_back(static_cast<char>(random()));
  }
  builder.Add(OwnedEntry{.key = "k", .timestamp = 1, .value = value}.View(), 1, false);
  std::string decoded;
  builder.Finish(decoded);
  return decoded;
}

TEST(StoredBlock, WhatDoesNotShrinkIsStoredAsItIs) {
  const std::string decoded = Noise();
  for (const Codec codec : {Codec::kLz4, Codec::kZstd}) {
    const std::string stored = Stored(decoded, codec);
    EXPECT_EQ(stored[1], static_cast<char>(Codec::kNone));
    EXPECT_EQ(stored.size(), decoded.size() + kStoredOverhead);
    EXPECT_TRUE(DecodeStored(PaddedBuffer(stored), "here").ok());
  }
}

TEST(StoredBlock, WhereNothingShrinksOneOfEightIsTried) {
  constexpr size_t kRow = BlockCompressor::kTriedInVain;
  for (const Codec codec : {Codec::kLz4, Codec::kZstd}) {
    BlockCompressor compressor(codec);
    const auto shrinks = [&](const std::string& decoded) {
      std::string out;
      compressor.Put(out, decoded, kTestSalt, 0);
      EXPECT_TRUE(DecodeStored(PaddedBuffer(out), "here").ok());
      return out[1] == static_cast<char>(codec);
    };
    const std::string noise = Noise();
    for (size_t i = 0; i < kRow - 1; ++i) {
      EXPECT_FALSE(shrinks(noise));
    }
    EXPECT_TRUE(shrinks(Decoded()));  // one fewer than a row: all are tried
    for (size_t i = 0; i < kRow + 1; ++i) {
      EXPECT_FALSE(shrinks(noise));
    }
    for (size_t i = 0; i < kRow - 1; ++i) {
      EXPECT_FALSE(shrinks(Decoded())) << i;
    }
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_TRUE(shrinks(Decoded())) << i;  // one was tried, and all after it
    }
  }
}

TEST(StoredBlock, ChecksumKnowsObjectAndOffset) {
  const std::string stored = Stored(Decoded(), Codec::kLz4, 4096);
  EXPECT_TRUE(StoredChecksumMatches(stored, kTestSalt, 4096));
  EXPECT_FALSE(StoredChecksumMatches(stored, kTestSalt, 8192));
  EXPECT_FALSE(StoredChecksumMatches(stored, base::Id128{.high = 1, .low = 2}, 4096));
  EXPECT_FALSE(StoredChecksumMatches("short", kTestSalt, 0));
  for (size_t place = 0; place < stored.size(); ++place) {
    std::string bad = stored;
    bad[place] = static_cast<char>(bad[place] ^ 1);
    EXPECT_FALSE(StoredChecksumMatches(bad, kTestSalt, 4096)) << place;
  }
}

TEST(StoredBlock, FaultyContentsAreNamed) {
  const std::string lz4 = Stored(Decoded(), Codec::kLz4);
  const std::string zstd = Stored(Decoded(), Codec::kZstd);
  const auto with = [](std::string bytes, size_t place, char value) {
    bytes[place] = value;
    return bytes;
  };
  EXPECT_EQ(ReasonOf(with(lz4, 0, 2)), Reason::kNewerFormat);
  EXPECT_EQ(ReasonOf(with(lz4, 1, 3)), Reason::kBadFormat);                              // codec
  EXPECT_EQ(ReasonOf(with(lz4, 2, 1)), Reason::kBadFormat);                              // zero
  EXPECT_EQ(ReasonOf(with(lz4, 4, static_cast<char>(lz4[4] + 1))), Reason::kBadFormat);  // length
  EXPECT_EQ(ReasonOf(with(zstd, 4, static_cast<char>(zstd[4] + 1))), Reason::kBadFormat);
  EXPECT_EQ(ReasonOf(with(lz4, 7, 0x7f)), Reason::kBadFormat);  // two gigabytes: not even tried
  EXPECT_EQ(ReasonOf(with(lz4, 1, 0)), Reason::kBadFormat);     // lengths differ
  EXPECT_EQ(ReasonOf("short"), Reason::kBadFormat);
  EXPECT_EQ(ReasonOf(Stored(std::string(1000, 'x'), Codec::kLz4)), Reason::kBadFormat);
}

}  // namespace
}  // namespace luna::table
