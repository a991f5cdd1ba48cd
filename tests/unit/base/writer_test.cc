#include "base/writer.h"

#include <gtest/gtest.h>

namespace luna::base {
namespace {

TEST(Writer, IsNamedByItsVersion) {
  EXPECT_EQ(WriterName(WriterNumber(0, 1, 0)), "luna 0.1.0");
  EXPECT_EQ(WriterName(WriterNumber(65535, 65535, 4294967295)), "luna 65535.65535.4294967295");
  EXPECT_EQ(WriterName(), WriterName(kWriter));
  EXPECT_EQ(WriterName(), "luna " + std::string(kVersion));
}

TEST(Writer, NumbersAreInTheOrderOfVersions) {
  EXPECT_LT(WriterNumber(0, 1, 4294967295), WriterNumber(0, 2, 0));
  EXPECT_LT(WriterNumber(0, 65535, 9), WriterNumber(1, 0, 0));
  EXPECT_LT(WriterNumber(1, 2, 3), WriterNumber(1, 2, 4));
}

}  // namespace
}  // namespace luna::base
