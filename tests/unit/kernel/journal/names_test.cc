#include "kernel/journal/names.h"

#include <gtest/gtest.h>

namespace luna::journal {
namespace {

TEST(StreamNames, LowerCaseLettersDigitsDotsAndDashes) {
  for (const std::string& name :
       {std::string("a"), std::string("group-1"), std::string("0.9-z"), std::string(200, 'x')}) {
    EXPECT_TRUE(CheckName(name).ok()) << name;
  }
}

TEST(StreamNames, OthersAreRefused) {
  for (const std::string& name :
       {std::string(), std::string("."), std::string("..."), std::string("A"), std::string("a/b"),
        std::string("a_b"), std::string("a\0", 2), std::string(201, 'x')}) {
    const Status status = CheckName(name);
    ASSERT_FALSE(status.ok()) << name;
    EXPECT_EQ(status.error().reason(), Reason::kBadName);
    EXPECT_NE(status.error().message().find("\"" + name + "\""), std::string::npos);
  }
}

}  // namespace
}  // namespace luna::journal
