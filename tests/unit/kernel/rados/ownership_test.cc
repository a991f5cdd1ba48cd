#include "kernel/rados/ownership.h"

#include <gtest/gtest.h>

#include "conformance/rados/rados_ground.h"

namespace luna::rados {

namespace {

using conformance::RadosGround;

class OwnershipTest : public testing::Test {
 protected:
  RadosGround ground_;
  const std::shared_ptr<Space> space_ = ground_.OpenSpace();
};

TEST_F(OwnershipTest, LookTellsWhatIsThere) {
  EXPECT_TRUE(Look(*space_).value().empty);
  ASSERT_TRUE(MakeUniverse(*space_, "", false).ok());
  EXPECT_TRUE(Look(*space_).value().exists);
  EXPECT_FALSE(Look(*space_).value().empty);
  ASSERT_TRUE(MakeUniverse(*space_, "first", false).ok());  // there is one: left as it is
  EXPECT_EQ(Look(*space_).value().identity, "");
  ASSERT_TRUE(MakeUniverse(*space_, "second", true).ok());
  EXPECT_EQ(Look(*space_).value().identity, "second");
  const auto other = ground_.OpenSpace("-other");
  ASSERT_EQ(other->Write("x", [](WriteOperation& operation) { operation.WriteAll("x"); }), 0);
  EXPECT_FALSE(Look(*other).value().exists);
  EXPECT_FALSE(Look(*other).value().empty);
}

TEST_F(OwnershipTest, AUniverseIsFinishedByWhoBeganItLast) {
  const std::string first = BeginUniverse(*space_).value();
  EXPECT_TRUE(Look(*space_).value().exists);
  EXPECT_EQ(Look(*space_).value().identity, "");
  const std::string second = BeginUniverse(*space_).value();
  EXPECT_EQ(FinishUniverse(*space_, first, "mine").error().reason(), Reason::kBackPressure);
  EXPECT_EQ(Look(*space_).value().identity, "");
  ASSERT_TRUE(FinishUniverse(*space_, second, "mine").ok());
  EXPECT_EQ(Look(*space_).value().identity, "mine");
  EXPECT_EQ(BeginUniverse(*space_).error().reason(), Reason::kForeignDirectory);
  EXPECT_EQ(Look(*space_).value().identity, "mine");
  EXPECT_TRUE(Ownership::Take(space_).ok());
}

TEST_F(OwnershipTest, OneAtATime) {
  ASSERT_TRUE(MakeUniverse(*space_, "id", false).ok());
  auto owner = Ownership::Take(space_).value();
  const auto second = Ownership::Take(ground_.OpenSpace());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().reason(), Reason::kUniverseLocked);
  EXPECT_NE(second.error().message().find(space_->client().Addresses().value()), std::string::npos);
  owner.reset();
  EXPECT_TRUE(Ownership::Take(ground_.OpenSpace()).ok());
}

TEST_F(OwnershipTest, ManyShareIt) {
  ASSERT_TRUE(MakeUniverse(*space_, "id", false).ok());
  auto first = Ownership::Take(space_, true).value();
  const auto second = Ownership::Take(ground_.OpenSpace(), true);
  ASSERT_TRUE(second.ok()) << second.error().ToString();
  first.reset();  // the second has it still
  const auto alone = Ownership::Take(ground_.OpenSpace());
  ASSERT_FALSE(alone.ok());
  EXPECT_EQ(alone.error().reason(), Reason::kUniverseLocked);
  EXPECT_TRUE(Ownership::Take(ground_.OpenSpace(), true).ok());
}

TEST_F(OwnershipTest, NobodySharesWhatOneHasAlone) {
  ASSERT_TRUE(MakeUniverse(*space_, "id", false).ok());
  auto owner = Ownership::Take(space_).value();
  const auto shared = Ownership::Take(ground_.OpenSpace(), true);
  ASSERT_FALSE(shared.ok());
  EXPECT_EQ(shared.error().reason(), Reason::kUniverseLocked);
  owner.reset();
  EXPECT_TRUE(Ownership::Take(ground_.OpenSpace(), true).ok());
}

TEST_F(OwnershipTest, WhoSharedItInSilenceGivesWay) {
  ASSERT_TRUE(MakeUniverse(*space_, "id", false).ok());
  {
    const auto shared = Ownership::Take(ground_.OpenSpace(), true).value();
  }
  auto owner = Ownership::Take(space_);
  ASSERT_TRUE(owner.ok()) << owner.error().ToString();
  EXPECT_EQ(Ownership::Take(ground_.OpenSpace(), true).error().reason(), Reason::kUniverseLocked);
}

TEST_F(OwnershipTest, WhatIsNoUniverseCannotBeTaken) {
  EXPECT_EQ(Ownership::Take(space_).error().reason(), Reason::kObjectMissing);
  ASSERT_EQ(space_->Write(std::string(kUniverseObject),
                          [](WriteOperation& operation) { operation.WriteAll("x"); }),
            0);
  EXPECT_EQ(Ownership::Take(space_).error().reason(), Reason::kBadFormat);
}

}  // namespace

}  // namespace luna::rados
