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
  const Status begun = inherited->BeginWriting([] { return false; });
  ASSERT_TRUE(begun.ok()) << begun.error().ToString();
  EXPECT_TRUE(inherited->metadata.system.writable);
  ASSERT_EQ(inherited->metadata.databases.size(), 1u);
  EXPECT_TRUE(inherited->metadata.databases.begin()->second.writable);
  EXPECT_TRUE(inherited->BeginWriting([] { return false; }).ok());  // it is done
  Lead(std::move(inherited));
  EXPECT_EQ(Read(*Open(leader()), "k"), "v");
  EXPECT_TRUE(leader().CreateDatabase("e").ok());
}

TEST_F(InheritanceTest, AStopLeavesTheRestToTheLeader) {
  auto inherited = Inherit();
  ASSERT_NE(inherited, nullptr);
  led_.universe.reset();
  EXPECT_TRUE(inherited->BeginWriting([] { return true; }).ok());
  EXPECT_FALSE(inherited->metadata.databases.begin()->second.writable);
  Lead(std::move(inherited));
  EXPECT_EQ(Read(*Open(leader()), "k"), "v");
}

// The Kernel in memory lets one at a time have a stream.
TEST_F(InheritanceTest, WhatDoesNotWorkIsTriedAgainByTheLeader) {
  auto inherited = Inherit();
  ASSERT_NE(inherited, nullptr);
  EXPECT_EQ(inherited->BeginWriting([] { return false; }).error().reason(), Reason::kStreamExists);
  EXPECT_FALSE(inherited->metadata.system.writable);
  led_.universe.reset();
  Lead(std::move(inherited));
  EXPECT_EQ(Read(*Open(leader()), "k"), "v");
}

}  // namespace
}  // namespace luna::universe
