#include "cluster/board/edits.h"

#include <gtest/gtest.h>

#include <vector>

namespace luna::board {
namespace {

const std::vector<Edit>& Every() {
  static const std::vector<Edit> edits = {
      TakeBoard{.epoch = 3},
      Offer{.epoch = 3, .payload = "merge"},
      Claim{.job = 2, .worker = "w1", .run = 77},
      Beat{.job = 2, .run = 77},
      GiveUp{.job = 2, .run = 77},
      Done{.job = 2, .run = 77, .result = "tables"},
      Withdraw{.job = 2},
      Collect{.job = 2},
  };
  return edits;
}

TEST(BoardEdits, ComeBackFromTheirBytes) {
  for (const Edit& edit : Every()) {
    const std::string bytes = Encode(edit);
    const auto decoded = Decode(bytes);
    ASSERT_TRUE(decoded.ok()) << ToString(edit);
    EXPECT_EQ(decoded->index(), edit.index());
    EXPECT_EQ(Encode(*decoded), bytes);
    EXPECT_EQ(ToString(*decoded), ToString(edit));
  }
}

TEST(BoardEdits, KeepTheirBytes) {
  using namespace std::string_literals;
  EXPECT_EQ(Encode(TakeBoard{.epoch = 3}), "\x01\x03");
  EXPECT_EQ(Encode(Offer{.epoch = 3, .payload = "p"}), "\x02\x03\x01p");
  EXPECT_EQ(Encode(Claim{.job = 2, .worker = "w", .run = 5}), "\x03\x02\x05\0\0\0\0\0\0\0\x01w"s);
  EXPECT_EQ(Encode(Done{.job = 2, .run = 5, .result = "r"}), "\x06\x02\x05\0\0\0\0\0\0\0\x01r"s);
  EXPECT_EQ(Encode(Collect{.job = 2}), "\x08\x02");
}

TEST(BoardEdits, OfAnotherLengthAreRefused) {
  for (const Edit& edit : Every()) {
    const std::string bytes = Encode(edit);
    for (const std::string& wrong : {bytes.substr(0, bytes.size() - 1), bytes + "x"}) {
      const auto decoded = Decode(wrong);
      ASSERT_FALSE(decoded.ok()) << ToString(edit);
      EXPECT_EQ(decoded.error().reason(), Reason::kBadFormat);
    }
  }
  EXPECT_EQ(Decode("").error().reason(), Reason::kBadFormat);
}

TEST(BoardEdits, OfAnUnknownKindAreOfANewerBuild) {
  for (const char kind : {'\0', '\x09', '\xff'}) {
    EXPECT_EQ(Decode(std::string(1, kind)).error().reason(), Reason::kNewerFormat);
  }
}

TEST(BoardEdits, SayWhatTheyAre) {
  EXPECT_EQ(ToString(Every()[2]), "Claim job 2 by w1, run 77");
  EXPECT_EQ(ToString(Every()[5]), "Done job 2, run 77, 6 B");
}

}  // namespace
}  // namespace luna::board
