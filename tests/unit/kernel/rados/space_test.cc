#include "kernel/rados/space.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "conformance/rados/rados_ground.h"

namespace luna::rados {

namespace {

using conformance::RadosGround;
using Names = std::vector<std::string>;

class SpaceTest : public testing::Test {
 protected:
  RadosGround ground_;
  const std::shared_ptr<Space> space_ = ground_.OpenSpace();
};

TEST_F(SpaceTest, AWriteIsAppliedWholeOrNotAtAll) {
  EXPECT_EQ(space_->Write("x",
                          [](WriteOperation& operation) {
                            operation.Create().Set("a", "1").WriteAll("bytes");
                          }),
            0);
  EXPECT_EQ(space_->Write("x", [](WriteOperation& operation) { operation.Create(); }), -EEXIST);
  const auto guarded = [](const char* value) {
    return [value](WriteOperation& operation) {
      operation.Write(5, "more").Compare("a", value).Set("a", "2");
    };
  };
  EXPECT_EQ(space_->Write("x", guarded("0")), -ECANCELED);
  Found found;
  ASSERT_EQ(space_->Read("x", 0, 100, found), 0);
  EXPECT_EQ(found.bytes, "bytes");
  EXPECT_EQ(found.attributes.at("a"), "1");
  EXPECT_EQ(space_->Write("x", guarded("1")), 0);
  ASSERT_EQ(space_->Read("x", 3, 4, found), 0);
  EXPECT_EQ(found.bytes, "esmo");
  EXPECT_EQ(found.size, 9u);
  EXPECT_EQ(found.attributes.at("a"), "2");
  EXPECT_EQ(space_->Write("absent", guarded("1")), -ENOENT);
  EXPECT_EQ(space_->Read("absent", 0, 0, found), -ENOENT);
}

TEST_F(SpaceTest, ReadsStraightIntoMemory) {
  ASSERT_EQ(space_->Write("x", [](WriteOperation& operation) { operation.WriteAll("0123456789"); }),
            0);
  char bytes[4] = {};
  EXPECT_EQ(space_->ReadInto("x", 3, 4, bytes), 4);
  EXPECT_EQ(std::string_view(bytes, 4), "3456");
  EXPECT_EQ(space_->ReadInto("x", 8, 4, bytes), 2);
  EXPECT_EQ(space_->ReadInto("absent", 0, 4, bytes), -ENOENT);
}

TEST_F(SpaceTest, ListsByPrefixAndItsOwnNamespaceOnly) {
  const auto other = ground_.OpenSpace("-other");
  for (const char* name : {"b/2", "b/1", "a/1", "b"}) {
    ASSERT_EQ(space_->Write(name, [](WriteOperation& operation) { operation.WriteAll("x"); }), 0);
  }
  EXPECT_EQ(space_->List("b/").value(), (Names{"1", "2"}));
  EXPECT_EQ(space_->List("").value(), (Names{"a/1", "b", "b/1", "b/2"}));
  EXPECT_TRUE(other->List("").value().empty());
  ASSERT_TRUE(space_->Remove("b/1").ok());
  ASSERT_TRUE(space_->Remove("b/1").ok());
  EXPECT_EQ(space_->List("b/").value(), Names{"2"});
  EXPECT_NE(space_->Where("b").find("luna/test-"), std::string::npos);
}

}  // namespace

}  // namespace luna::rados
