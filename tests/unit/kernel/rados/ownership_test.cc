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

TEST_F(OwnershipTest, WhatIsNoUniverseCannotBeTaken) {
  EXPECT_EQ(Ownership::Take(space_).error().reason(), Reason::kObjectMissing);
  ASSERT_EQ(space_->Write(std::string(kUniverseObject),
                          [](WriteOperation& operation) { operation.WriteAll("x"); }),
            0);
  EXPECT_EQ(Ownership::Take(space_).error().reason(), Reason::kBadFormat);
}

}  // namespace

}  // namespace luna::rados
