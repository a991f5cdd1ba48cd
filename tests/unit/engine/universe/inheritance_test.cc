#include "engine/universe/inheritance.h"

#include "unit/engine/universe/followed_place.h"

namespace luna::universe {
namespace {

class InheritanceTest : public FollowedPlace {
 protected:
  // What is left of a universe with one database beside the system's.
  std::unique_ptr<Inheritance> Inherit() {
    Lead();
    EXPECT_TRUE(Make()->Put("k", "v").ok());
    Follow();
    return follower_->Stop();
  }
};

TEST_F(InheritanceTest, ManifestsAreMadeReadyToBeWritten) {
  auto inherited = Inherit();
  ASSERT_NE(inherited, nullptr);
  led_.universe.reset();
  const Status begun = inherited->BeginWriting(*runtime_);
  ASSERT_TRUE(begun.ok()) << begun.error().ToString();
  EXPECT_TRUE(inherited->metadata.system.writable);
  ASSERT_EQ(inherited->metadata.databases.size(), 1u);
  EXPECT_TRUE(inherited->metadata.databases.begin()->second.writable);
  EXPECT_TRUE(inherited->BeginWriting(*runtime_).ok());  // it is done
  Lead(std::move(inherited));
  EXPECT_EQ(Read(*Open(leader()), "k"), "v");
  EXPECT_TRUE(leader().CreateDatabase("e").ok());
}

TEST_F(InheritanceTest, ManifestsAreTakenForTheEpochToCome) {
  auto inherited = Inherit();
  ASSERT_NE(inherited, nullptr);
  const journal::Epoch epoch = group().epoch() + 1;
  led_.universe.reset();
  EXPECT_TRUE(inherited->TakeLead(*runtime_, epoch).ok());  // nothing is ready
  EXPECT_LT(inherited->metadata.system.state->leads().EpochOf(catalog::kFirstGroup), epoch);
  ASSERT_TRUE(inherited->BeginWriting(*runtime_).ok());
  ASSERT_TRUE(inherited->TakeLead(*runtime_, epoch).ok());
  EXPECT_EQ(inherited->metadata.system.state->leads().EpochOf(catalog::kFirstGroup), epoch);
  const auto& database = inherited->metadata.databases.begin()->second;
  EXPECT_EQ(database.state->leads().EpochOf(catalog::kFirstGroup), epoch);
  EXPECT_EQ(inherited->TakeLead(*runtime_, epoch - 1).error().reason(), Reason::kFenced);
  Lead(std::move(inherited));
  EXPECT_EQ(group().epoch(), epoch);
  EXPECT_TRUE(leader().CreateDatabase("e").ok());
}

// Another server may win the fence that these were taken for.
TEST_F(InheritanceTest, WhoeverLeadsUnderThatEpochLeads) {
  auto inherited = Inherit();
  ASSERT_NE(inherited, nullptr);
  const journal::Epoch epoch = group().epoch() + 1;
  led_.universe.reset();
  ASSERT_TRUE(inherited->BeginWriting(*runtime_).ok());
  ASSERT_TRUE(inherited->TakeLead(*runtime_, epoch).ok());
  inherited.reset();
  Lead();
  EXPECT_EQ(group().epoch(), epoch);
  EXPECT_TRUE(leader().CreateDatabase("e").ok());
  EXPECT_EQ(Read(*Open(leader()), "k"), "v");
}

// The Kernel in memory lets one at a time have a stream.
TEST_F(InheritanceTest, WhatDoesNotWorkIsTriedAgainByTheLeader) {
  auto inherited = Inherit();
  ASSERT_NE(inherited, nullptr);
  EXPECT_EQ(inherited->BeginWriting(*runtime_).error().reason(), Reason::kStreamExists);
  EXPECT_FALSE(inherited->metadata.system.writable);
  led_.universe.reset();
  Lead(std::move(inherited));
  EXPECT_EQ(Read(*Open(leader()), "k"), "v");
}

}  // namespace
}  // namespace luna::universe
