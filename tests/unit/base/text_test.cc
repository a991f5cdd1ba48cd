#include "base/text.h"

#include <gtest/gtest.h>

#include <limits>

namespace luna::base {
namespace {

constexpr uint64_t kMax64 = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = kKiB * 1024;
constexpr uint64_t kGiB = kMiB * 1024;

TEST(Text, PrintableKeepsAsciiAndEscapesTheRest) {
  EXPECT_EQ(Printable(""), "");
  EXPECT_EQ(Printable("user:7 ~\"'"), "user:7 ~\"'");
  EXPECT_EQ(Printable(std::string_view("a\0\n\x7f\xff", 5)), "a\\x00\\x0a\\x7f\\xff");
}

TEST(Text, PrintableTellsAnEscapeFromTheSameCharacters) {
  EXPECT_EQ(Printable("\\x00"), "\\x5cx00");
}

TEST(Text, PrintableCutsAndSaysHowMuch) {
  EXPECT_EQ(Printable("abcdef", 6), "abcdef");
  EXPECT_EQ(Printable("abcdef", 4), "abcd…(+2 bytes)");
  EXPECT_EQ(Printable("abc", 0), "…(+3 bytes)");
  EXPECT_EQ(Printable(std::string(100, 'x')), std::string(64, 'x') + "…(+36 bytes)");
}

TEST(Text, HexGoesThereAndBack) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += static_cast<char>(i);
  }
  EXPECT_EQ(Hex("\x01\xab"), "01ab");
  EXPECT_EQ(FromHex(Hex(bytes)), bytes);
  EXPECT_EQ(FromHex("01AB"), "\x01\xab");
  EXPECT_EQ(FromHex(""), "");
}

TEST(Text, FromHexRefusesWhatIsNotHex) {
  EXPECT_EQ(FromHex("abc"), std::nullopt);
  EXPECT_EQ(FromHex("0g"), std::nullopt);
  EXPECT_EQ(FromHex("g0"), std::nullopt);
  EXPECT_EQ(FromHex("0x"), std::nullopt);
  EXPECT_EQ(FromHex(std::string_view("0\0", 2)), std::nullopt);
}

TEST(Text, FormatBytesTakesTheLargestUnitThatFits) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatBytes(kKiB), "1 KiB");
  EXPECT_EQ(FormatBytes(1536), "1.5 KiB");
  EXPECT_EQ(FormatBytes(64 * kMiB), "64 MiB");
  EXPECT_EQ(FormatBytes(kGiB + kGiB / 4), "1.3 GiB");
  EXPECT_EQ(FormatBytes(kGiB * kKiB), "1 TiB");
  EXPECT_EQ(FormatBytes(kGiB * kMiB), "1 PiB");
}

TEST(Text, FormatBytesRoundsIntoTheNextUnit) {
  EXPECT_EQ(FormatBytes(kMiB - 1), "1 MiB");
  EXPECT_EQ(FormatBytes(kGiB - 1), "1 GiB");
  EXPECT_EQ(FormatBytes(kMax64), "15.9 EiB");
}

TEST(Text, ParseBytesReadsWhatPeopleType) {
  EXPECT_EQ(ParseBytes("0"), 0u);
  EXPECT_EQ(ParseBytes("4096"), 4096u);
  EXPECT_EQ(ParseBytes("17b"), 17u);
  EXPECT_EQ(ParseBytes("10k"), 10 * kKiB);
  EXPECT_EQ(ParseBytes("10KB"), 10 * kKiB);
  EXPECT_EQ(ParseBytes("64MiB"), 64 * kMiB);
  EXPECT_EQ(ParseBytes("64  mib"), 64 * kMiB);
  EXPECT_EQ(ParseBytes("1.5 GiB"), kGiB + kGiB / 2);
  EXPECT_EQ(ParseBytes("0.25g"), kGiB / 4);
  EXPECT_EQ(ParseBytes("2.0"), 2u);
  EXPECT_EQ(ParseBytes("3T"), 3 * kGiB * kKiB);
  EXPECT_EQ(ParseBytes("3p"), 3 * kGiB * kMiB);
  EXPECT_EQ(ParseBytes("18446744073709551615"), kMax64);
}

TEST(Text, ParseBytesRefusesEverythingElse) {
  for (const std::string_view text :
       {"", " ", "k", "-1", "+1", " 1", "1 ", "1k ", "1kk", "1x", "1i", "1bi", "1kibi", "1,5k",
        "1.k", ".5k", "1..5k", "1.5", "1.5b", "0x10", "1e3", "1.1234567890k", "ten",
        "18446744073709551616", "16EiB", "16384p", "99999999999999999999k"}) {
    EXPECT_EQ(ParseBytes(text), std::nullopt) << "'" << text << "'";
  }
}

TEST(Text, FormattedSizesParseToASizeThatIsFormattedTheSame) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    const uint64_t power = uint64_t{1} << bit;
    for (const uint64_t bytes : {power, power - 1, power + power / 3, power + power / 7 * 6}) {
      const auto parsed = ParseBytes(FormatBytes(bytes));
      ASSERT_TRUE(parsed.has_value()) << FormatBytes(bytes);
      EXPECT_EQ(FormatBytes(*parsed), FormatBytes(bytes));
    }
    EXPECT_EQ(ParseBytes(FormatBytes(power)), power);
  }
}

}  // namespace
}  // namespace luna::base
