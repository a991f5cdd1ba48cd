#include "kernel/identity.h"

#include <gtest/gtest.h>

#include "base/coding.h"
#include "base/crc32c.h"

namespace luna::kernel {
namespace {

const Identity kExample{.universe = {.high = 0x1122334455667788, .low = 7},
                        .created_wall_millis = 1'700'000'000'000};

std::string WithVersion(uint32_t version) {
  std::string bytes = EncodeIdentity(kExample);
  base::StoreFixed32(bytes.data() + 8, version);
  base::StoreFixed32(bytes.data() + 60, base::Crc32c(std::string_view(bytes).substr(0, 60)));
  return bytes;
}

TEST(Identity, ComesBack) {
  const std::string bytes = EncodeIdentity(kExample);
  EXPECT_EQ(bytes.size(), 64u);
  const Identity back = DecodeIdentity(bytes, "LUNA").value();
  EXPECT_EQ(back.universe, kExample.universe);
  EXPECT_EQ(back.created_wall_millis, kExample.created_wall_millis);
}

TEST(Identity, EveryFlippedBitIsNoticed) {
  const std::string bytes = EncodeIdentity(kExample);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string bad = bytes;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const auto decoded = DecodeIdentity(bad, "/u/LUNA");
    ASSERT_FALSE(decoded.ok()) << bit;
    EXPECT_EQ(decoded.error().reason(), bit < 64 ? Reason::kBadFormat : Reason::kBadChecksum);
    EXPECT_NE(decoded.error().message().find("/u/LUNA"), std::string::npos);
  }
}

TEST(Identity, NewerFormatsAreRefusedAlsoWhenLonger) {
  EXPECT_EQ(DecodeIdentity(WithVersion(2), "").error().reason(), Reason::kNewerFormat);
  EXPECT_EQ(DecodeIdentity(WithVersion(9) + "more", "").error().reason(), Reason::kNewerFormat);
}

TEST(Identity, WrongLengthsAndVersionsAreBadFormat) {
  const std::string bytes = EncodeIdentity(kExample);
  EXPECT_EQ(DecodeIdentity("", "").error().reason(), Reason::kBadFormat);
  EXPECT_EQ(DecodeIdentity(bytes.substr(0, 63), "").error().reason(), Reason::kBadFormat);
  EXPECT_EQ(DecodeIdentity(bytes + "x", "").error().reason(), Reason::kBadFormat);
  EXPECT_EQ(DecodeIdentity(WithVersion(0), "").error().reason(), Reason::kBadFormat);
}

}  // namespace
}  // namespace luna::kernel
