#include "kernel/storage/names.h"

#include <gtest/gtest.h>

namespace luna::storage {
namespace {

TEST(StorageNames, LettersDigitsDotsAndDashes) {
  for (const std::string& name : {std::string("a"), std::string("A-z_0.9"), std::string("new"),
                                  std::string("..."), std::string(200, 'x')}) {
    EXPECT_TRUE(CheckName("object", name).ok()) << name;
  }
}

TEST(StorageNames, OthersAreRefusedByWhatTheyName) {
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("a b"),
        std::string("\xc3\xbc"), std::string("a\0", 2), std::string("x.new"),
        std::string(201, 'x')}) {
    const Status status = CheckName("bucket", name);
    ASSERT_FALSE(status.ok()) << name;
    EXPECT_EQ(status.error().reason(), Reason::kBadName);
    EXPECT_NE(status.error().message().find("bucket name '" + name + "'"), std::string::npos);
  }
}

TEST(StorageNames, BothAreLookedAt) {
  EXPECT_TRUE(CheckNames("b", "o").ok());
  EXPECT_NE(CheckNames("/", "o").error().message().find("bucket"), std::string::npos);
  EXPECT_NE(CheckNames("b", "/").error().message().find("object"), std::string::npos);
}

}  // namespace
}  // namespace luna::storage
