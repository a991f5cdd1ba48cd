#include "engine/catalog/leads.h"

#include <gtest/gtest.h>

namespace luna::catalog {
namespace {

// Says yes to everything and counts what it was asked.
class LeadsTest : public testing::Test {
 protected:
  bool Judge(const Edit& edit) {
    return leads_
        .Judge(Encode(edit),
               [this](const Edit& judged) {
                 judged_.push_back(ToString(judged));
                 return true;
               })
        .value();
  }
  Leads leads_;
  std::vector<std::string> judged_;
};
using Lines = std::vector<std::string>;

TEST_F(LeadsTest, WithoutALeaderEveryEditCounts) {
  EXPECT_TRUE(leads_.empty());
  EXPECT_TRUE(Judge(SafePoint{3}));
  EXPECT_EQ(judged_, Lines{"SafePoint 3"});
  EXPECT_FALSE(Judge(Led{1, 0, Encode(SafePoint{4})}));
  EXPECT_FALSE(Judge(Led{1, 1, Encode(SafePoint{4})}));
  EXPECT_EQ(judged_.size(), 1u);
}

TEST_F(LeadsTest, TheLeadIsTakenByALargerEpoch) {
  EXPECT_FALSE(Judge(TakeLead{1, 0}));
  EXPECT_TRUE(leads_.empty());
  EXPECT_TRUE(Judge(TakeLead{1, 5}));
  EXPECT_FALSE(Judge(TakeLead{1, 5}));
  EXPECT_FALSE(Judge(TakeLead{1, 4}));
  EXPECT_TRUE(Judge(TakeLead{1, 9}));
  EXPECT_TRUE(Judge(TakeLead{2, 3}));  // of another group
  EXPECT_EQ(leads_.EpochOf(1), 9u);
  EXPECT_EQ(leads_.EpochOf(2), 3u);
  EXPECT_EQ(leads_.EpochOf(3), 0u);
  EXPECT_TRUE(leads_.Hold({.group = 1, .epoch = 9}));
  EXPECT_FALSE(leads_.Hold({.group = 1, .epoch = 5}));
  EXPECT_FALSE(leads_.Hold({.group = 3, .epoch = 0}));
  EXPECT_TRUE(judged_.empty());
}

TEST_F(LeadsTest, OnlyTheLeadersEditsCount) {
  ASSERT_TRUE(Judge(TakeLead{1, 5}));
  ASSERT_TRUE(Judge(TakeLead{2, 7}));
  EXPECT_FALSE(Judge(SafePoint{1}));  // by nobody
  EXPECT_FALSE(Judge(Led{1, 4, Encode(SafePoint{2})}));
  EXPECT_FALSE(Judge(Led{1, 7, Encode(SafePoint{3})}));
  EXPECT_FALSE(Judge(Led{3, 5, Encode(SafePoint{4})}));
  EXPECT_TRUE(Judge(Led{1, 5, Encode(SafePoint{5})}));
  EXPECT_TRUE(Judge(Led{2, 7, Encode(SafePoint{6})}));
  EXPECT_EQ(judged_, (Lines{"SafePoint 5", "SafePoint 6"}));
}

TEST_F(LeadsTest, WhatIsNoEditIsAnErrorWhoeverWroteIt) {
  ASSERT_TRUE(Judge(TakeLead{1, 5}));
  const auto never = [](const Edit&) { return true; };
  EXPECT_EQ(leads_.Judge("", never).error().reason(), Reason::kBadFormat);
  EXPECT_EQ(leads_.Judge(Encode(Led{1, 5, "\x63"}), never).error().reason(), Reason::kNewerFormat);
  EXPECT_EQ(leads_.Judge(Encode(Led{1, 4, "\x63"}), never).error().reason(), Reason::kNewerFormat);
}

TEST_F(LeadsTest, AreSavedAndLoadedInOrder) {
  ASSERT_TRUE(Judge(TakeLead{7, 300}));
  ASSERT_TRUE(Judge(TakeLead{1, 5}));
  std::string saved;
  leads_.Save(saved);
  EXPECT_EQ(saved, "\x02\x01\x05\x07\xac\x02");
  Leads loaded;
  base::ByteReader reader(saved);
  EXPECT_TRUE(loaded.Load(reader));
  EXPECT_TRUE(reader.ok() && reader.empty());
  EXPECT_EQ(loaded.EpochOf(7), 300u);
  for (const std::string& damaged :
       {std::string("\x02\x01\x05\x01\x06", 5), std::string("\x01\x01\x00", 3)}) {
    base::ByteReader bad(damaged);
    EXPECT_FALSE(loaded.Load(bad));
  }
  base::ByteReader cut(std::string_view(saved).substr(0, 3));
  (void)loaded.Load(cut);
  EXPECT_FALSE(cut.ok());
}

}  // namespace
}  // namespace luna::catalog
