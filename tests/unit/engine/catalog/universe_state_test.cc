#include "engine/catalog/universe_state.h"

#include <gtest/gtest.h>

#include "base/coding.h"

namespace luna::catalog {
namespace {

TEST(UniverseState, NamesAreUniqueAndIdsArePositions) {
  UniverseState state;
  EXPECT_EQ(state.Find("a"), 0u);
  EXPECT_TRUE(state.Apply(3, Encode(CreateDatabase{"a"})).value());
  EXPECT_FALSE(state.Apply(4, Encode(CreateDatabase{"a"})).value());
  EXPECT_TRUE(state.Apply(5, Encode(CreateDatabase{"b"})).value());
  EXPECT_EQ(state.Find("a"), 3u);
  EXPECT_EQ(state.Find("b"), 5u);
  EXPECT_TRUE(state.Apply(6, Encode(DropDatabase{3})).value());
  EXPECT_FALSE(state.Apply(7, Encode(DropDatabase{3})).value());
  EXPECT_TRUE(state.Apply(8, Encode(CreateDatabase{"a"})).value());
  EXPECT_EQ(state.databases(), (std::map<DatabaseId, std::string>{{5, "b"}, {8, "a"}}));
}

TEST(UniverseState, EditsOfADatabaseAreVoid) {
  UniverseState state;
  EXPECT_FALSE(state.Apply(1, Encode(CreateCollection{"c"})).value());
  EXPECT_FALSE(state.Apply(2, Encode(SafePoint{9})).value());
  EXPECT_EQ(state.Apply(3, "").error().reason(), Reason::kBadFormat);
  EXPECT_EQ(state.Apply(3, "\x7f").error().reason(), Reason::kNewerFormat);
  EXPECT_TRUE(state.databases().empty());
}

TEST(UniverseState, WhatADeposedLeaderWritesIsVoid) {
  UniverseState state;
  ASSERT_TRUE(state.Apply(1, Encode(CreateDatabase{"a"})).value());
  ASSERT_TRUE(state.Apply(2, Encode(TakeLead{1, 4})).value());
  EXPECT_FALSE(state.Apply(3, Encode(CreateDatabase{"b"})).value());  // by nobody
  EXPECT_TRUE(state.Apply(4, Encode(Led{1, 4, Encode(CreateDatabase{"b"})})).value());
  ASSERT_TRUE(state.Apply(5, Encode(TakeLead{1, 6})).value());
  EXPECT_FALSE(state.Apply(6, Encode(Led{1, 4, Encode(CreateDatabase{"c"})})).value());
  EXPECT_FALSE(state.Apply(7, Encode(Led{1, 4, Encode(DropDatabase{4})})).value());
  EXPECT_TRUE(state.Apply(8, Encode(Led{1, 6, Encode(DropDatabase{1})})).value());
  EXPECT_EQ(state.databases(), (std::map<DatabaseId, std::string>{{4, "b"}}));
  const std::string saved = state.Save();
  UniverseState loaded;
  ASSERT_TRUE(loaded.Load(saved).ok());
  EXPECT_EQ(loaded.Save(), saved);
  EXPECT_EQ(loaded.leads().EpochOf(1), 6u);
  EXPECT_EQ(loaded.databases(), state.databases());
  for (size_t cut = 0; cut < saved.size(); ++cut) {
    EXPECT_EQ(loaded.Load(std::string_view(saved).substr(0, cut)).error().reason(),
              Reason::kBadFormat);
  }
  EXPECT_EQ(loaded.Load(std::string("\x02\x00\x00", 3)).error().reason(), Reason::kBadFormat);
}

TEST(UniverseState, SavesAndLoads) {
  UniverseState state;
  ASSERT_TRUE(state.Apply(3, Encode(CreateDatabase{"default"})).value());
  ASSERT_TRUE(state.Apply(300, Encode(CreateDatabase{std::string("\xff\0", 2)})).value());
  const std::string saved = state.Save();
  UniverseState loaded;
  ASSERT_TRUE(loaded.Apply(9, Encode(CreateDatabase{"replaced"})).value());
  ASSERT_TRUE(loaded.Load(saved).ok());
  EXPECT_EQ(loaded.databases(), state.databases());
  EXPECT_EQ(loaded.Save(), saved);
  for (size_t cut = 0; cut < saved.size(); ++cut) {
    EXPECT_EQ(loaded.Load(std::string_view(saved).substr(0, cut)).error().reason(),
              Reason::kBadFormat);
  }
  EXPECT_EQ(loaded.Load(saved + "x").error().reason(), Reason::kBadFormat);
  std::string newer = saved;
  newer[0] = 3;
  EXPECT_EQ(loaded.Load(newer).error().reason(), Reason::kNewerFormat);
  for (const auto& [first, second] : {std::pair{3, 3}, std::pair{4, 3}}) {
    std::string twice("\x01\x02", 2);
    for (const int id : {first, second}) {
      base::PutVarint(twice, static_cast<uint64_t>(id));
      base::PutString(twice, "name");
    }
    EXPECT_EQ(loaded.Load(twice).error().reason(), Reason::kBadFormat);
  }
  EXPECT_EQ(loaded.databases(), state.databases());  // what it had stays
}

}  // namespace
}  // namespace luna::catalog
