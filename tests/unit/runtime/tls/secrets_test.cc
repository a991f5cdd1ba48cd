#include "runtime/tls/secrets.h"

#include <gtest/gtest.h>

namespace luna::tls {

namespace {

TEST(Secrets, DigestsAreThePublishedOnes) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Secrets, OnlyEqualBytesAreTheSame) {
  EXPECT_TRUE(IsSameSecret("", ""));
  EXPECT_TRUE(IsSameSecret("word", "word"));
  EXPECT_FALSE(IsSameSecret("word", "ward"));
  EXPECT_FALSE(IsSameSecret("word", "words"));
  EXPECT_FALSE(IsSameSecret("word", ""));
}

TEST(Secrets, RandomDigitsDiffer) {
  for (const size_t digits : {1u, 2u, 63u, 64u}) {
    const std::string text = RandomHex(digits);
    EXPECT_EQ(text.size(), digits);
    EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos);
  }
  EXPECT_NE(RandomHex(64), RandomHex(64));
  EXPECT_EQ(RandomHex(0), "");
}

}  // namespace

}  // namespace luna::tls
