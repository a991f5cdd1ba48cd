#include "engine/table/block.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/table/block_builder.h"
#include "engine/table/tag_search.h"
#include "unit/engine/table/map_storage.h"

namespace luna::table {
namespace {

std::string Encoded(const std::vector<OwnedEntry>& entries) {
  BlockBuilder builder;
  for (size_t i = 0; i < entries.size(); ++i) {
    builder.Add(entries[i].View(), TagOf(base::Hash(entries[i].key)),
                i > 0 && entries[i].key == entries[i - 1].key);
  }
  std::string out;
  builder.Finish(out);
  return out;
}

std::vector<OwnedEntry> RandomEntries(std::mt19937_64& random) {
  std::vector<OwnedEntry> entries(1 + random() % 100);
  for (OwnedEntry& entry : entries) {
    entry.key = "k" + std::to_string(random() % 40);
    entry.timestamp = 1 + random() % 50;
    entry.kind = static_cast<entry::Kind>(1 + random() % 2);
    entry.type = static_cast<uint8_t>(random() % 2);
    entry.expiry_millis = random() % 2 == 0 ? 0 : random() % 1'000'000;
    entry.value = std::string(random() % 30, static_cast<char>(random()));
  }
  std::sort(entries.begin(), entries.end(), Before);
  const auto same_place = [](const OwnedEntry& a, const OwnedEntry& b) {
    return a.key == b.key && a.timestamp == b.timestamp;
  };
  entries.erase(std::unique(entries.begin(), entries.end(), same_place), entries.end());
  return entries;
}

TEST(Block, SearchesAgreeWithAModel) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 100; ++round) {
    const std::vector<OwnedEntry> entries = RandomEntries(random);
    const std::shared_ptr<const Block> block = Block::Parse(PaddedBuffer(Encoded(entries)), 0);
    ASSERT_NE(block, nullptr);
    ASSERT_EQ(block->rows(), entries.size());
    for (size_t row = 0; row < entries.size(); ++row) {
      const std::string key = block->keys().Key(row);
      entry::Entry entry{.key = key};
      block->Fill(row, entry);
      EXPECT_EQ(Owned(entry), entries[row]);
    }
    block->PrefetchTags();
    for (int probe = 0; probe < 200; ++probe) {
      block->PrefetchRows(random());
      const OwnedEntry target{.key = "k" + std::to_string(random() % 41),
                              .timestamp = random() % 52};
      const auto lower = std::lower_bound(entries.begin(), entries.end(), target, Before);
      const auto upper = std::upper_bound(entries.begin(), entries.end(), target, Before);
      EXPECT_EQ(block->LowerBound(target.key, target.timestamp), lower - entries.begin());
      EXPECT_EQ(block->UpperBound(target.key, target.timestamp), upper - entries.begin());
      const std::optional<size_t> found =
          block->Find(target.key, base::Hash(target.key), target.timestamp);
      const bool present = lower != entries.end() && lower->key == target.key;
      ASSERT_EQ(found.has_value(), present);
      EXPECT_TRUE(!present || *found == static_cast<size_t>(lower - entries.begin()));
    }
  }
}

TEST(Block, TagsAreFoundAlikeByBothCodes) {
  std::mt19937_64 random(5);
  std::string tags(64, '\0');
  for (char& tag : tags) {
    tag = static_cast<char>(random() % 4);
  }
  for (size_t at = 0; at < 32; ++at) {
    for (uint8_t tag = 0; tag < 5; ++tag) {
      EXPECT_EQ(MatchTags(tags.data() + at, tag), MatchTagsPortable(tags.data() + at, tag));
    }
  }
}

TEST(Block, ConstantColumnsCostNothingARow) {
  const std::string few = Encoded(NumberedEntries(1, 100));
  std::vector<OwnedEntry> entries = NumberedEntries(51, 100);
  for (OwnedEntry& entry : entries) {
    entry.timestamp = 1000;
  }
  const size_t a_row = (Encoded(entries).size() - few.size()) / 50;
  EXPECT_LE(a_row, 8u + 1 + 100 + 1);  // head, tag, value, rounding
}

TEST(Block, SpoiledBytesAreRefusedOrStayInside) {
  std::mt19937_64 random(9);
  const std::string good = Encoded(RandomEntries(random));
  for (size_t cut = 0; cut < good.size(); ++cut) {
    EXPECT_EQ(Block::Parse(PaddedBuffer(std::string_view(good).substr(0, cut)), 0), nullptr);
  }
  EXPECT_EQ(Block::Parse(PaddedBuffer(good + "x"), 0), nullptr);
  size_t refused = 0;
  for (size_t place = 0; place < good.size(); ++place) {
    std::string bad = good;
    bad[place] = static_cast<char>(~bad[place]);
    const std::shared_ptr<const Block> block = Block::Parse(PaddedBuffer(bad), 0);
    if (block == nullptr) {
      ++refused;
      continue;
    }
    // The sanitizers watch that reading it stays inside.
    EXPECT_LE(block->LowerBound("k20", 10), block->rows());
    size_t bytes = 0;
    for (size_t row = 0; row < block->rows(); ++row) {
      entry::Entry entry;
      block->Fill(row, entry);
      bytes += block->keys().Key(row).size() + entry.value.size();
    }
    EXPECT_LE(bytes, bad.size() + block->rows() * (block->keys().prefix().size() + 8));
  }
  EXPECT_GT(refused, 20u);
}

TEST(Block, SaysHowMuchMemoryItTakes) {
  const std::string encoded = Encoded(NumberedEntries(10, 100));
  EXPECT_GE(Block::Parse(PaddedBuffer(encoded), 0)->bytes(), encoded.size());
}

}  // namespace
}  // namespace luna::table
