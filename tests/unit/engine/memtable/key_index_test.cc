#include "engine/memtable/key_index.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "base/hash.h"

namespace luna::memtable {
namespace {

struct Named {
  std::string name;
  std::string_view key() const { return name; }
};

TEST(KeyIndex, FindsWhatWasAddedAndNothingElse) {
  std::deque<Named> nodes;
  KeyIndex<Named> index;
  for (int i = 0; i < 30'000; ++i) {
    const std::string key = "key" + std::to_string(i);
    ASSERT_EQ(index.Find(key, base::Hash(key)), nullptr);
    Named& node = nodes.emplace_back(key);
    index.Add(&node, base::Hash(key), 0);
    ASSERT_EQ(index.Find(key, base::Hash(key)), &node);
  }
  for (Named& node : nodes) {
    ASSERT_EQ(index.Find(node.name, base::Hash(node.name)), &node);
  }
}

TEST(KeyIndex, KeysOfOneHashAreToldApart) {
  constexpr uint64_t kHash = ~uint64_t{0};  // of the last line: the search goes on at the first
  std::deque<Named> nodes;
  KeyIndex<Named> index;
  for (int i = 0; i < 40; ++i) {
    index.Add(&nodes.emplace_back(std::to_string(i)), kHash, 0);
  }
  for (Named& node : nodes) {
    ASSERT_EQ(index.Find(node.name, kHash), &node);
  }
  EXPECT_EQ(index.Find("40", kHash), nullptr);
}

TEST(KeyIndex, AGuessOfTheNumberOfKeysSparesTables) {
  constexpr size_t kKeys = 20'000;
  std::deque<Named> nodes;
  KeyIndex<Named> guessed;
  for (size_t i = 0; i < kKeys; ++i) {
    Named& node = nodes.emplace_back(std::to_string(i));
    guessed.Add(&node, base::Hash(node.name), i < kKeys / 4 ? 0 : kKeys);
  }
  EXPECT_LT(guessed.bytes(), kKeys * 24);
  EXPECT_LT(KeyIndex<Named>().bytes(), 1024u);  // an idle collection costs little
  for (Named& node : nodes) {
    ASSERT_EQ(guessed.Find(node.name, base::Hash(node.name)), &node);
  }
}

}  // namespace
}  // namespace luna::memtable
