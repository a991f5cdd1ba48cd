#include "protocols/explorer.h"

#include <gtest/gtest.h>

namespace luna::protocols {
namespace {

// Two jugs of 3 and 5 litres: fill, empty, pour.
struct Jugs {
  struct State {
    uint8_t small = 0;
    uint8_t large = 0;
  };
  int forbidden = -1;  // litres in the large jug that count as a violation

  State Initial() const { return {}; }
  std::string_view Violation(const State& s) const {
    return s.large == forbidden ? "the large jug holds the forbidden amount" : "";
  }
  void Next(const State& s, Steps<State>& steps) const {
    steps.Add('s', "fill", {3, s.large});
    steps.Add('l', "fill", {s.small, 5});
    steps.Add('s', "empty", {0, s.large});
    steps.Add('l', "empty", {s.small, 0});
    const auto up = static_cast<uint8_t>(std::min<int>(s.small, 5 - s.large));
    const auto down = static_cast<uint8_t>(std::min<int>(s.large, 3 - s.small));
    steps.Add('s', "pour",
              {static_cast<uint8_t>(s.small - up), static_cast<uint8_t>(s.large + up)});
    steps.Add('l', "pour",
              {static_cast<uint8_t>(s.small + down), static_cast<uint8_t>(s.large - down)});
  }
};

// A walk up to ten that may fall into a pit at seven.
struct Walk {
  struct State {
    uint8_t at = 0;
    uint8_t in_pit = 0;
  };
  bool pit = false;

  State Initial() const { return {}; }
  std::string_view Violation(const State&) const { return ""; }
  bool Good(const State& s) const { return s.at == 10; }
  void Next(const State& s, Steps<State>& steps) const {
    if (s.in_pit == 1 || s.at == 10) return;
    steps.Add('w', "step", {static_cast<uint8_t>(s.at + 1), 0});
    if (pit && s.at == 7) steps.Add('w', "fall", {7, 1});
  }
};

TEST(Explorer, VisitsEveryReachableStateOnce) {
  const Report report = Explore(Jugs{});
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.states, 16u);  // one of the jugs is always full or empty: the border of 4 × 6
  EXPECT_TRUE(report.violation.empty());
  EXPECT_TRUE(report.Reached("pour"));
  EXPECT_FALSE(report.Reached("spill"));
  EXPECT_EQ(report.taken.at("fill"), 32u);
}

TEST(Explorer, FindsTheShortestWayToAViolation) {
  const Report report = Explore(Jugs{.forbidden = 4});
  EXPECT_FALSE(report.complete);
  EXPECT_EQ(report.violation, "the large jug holds the forbidden amount");
  const std::vector<std::string> expected = {"l: fill", "l: pour", "s: empty",
                                             "l: pour", "l: fill", "l: pour"};
  EXPECT_EQ(report.trace, expected) << report.TraceText();
}

TEST(Explorer, TheFirstStateIsCheckedToo) {
  const Report report = Explore(Jugs{.forbidden = 0});
  EXPECT_FALSE(report.violation.empty());
  EXPECT_TRUE(report.trace.empty());
}

TEST(Explorer, CountsTheStatesThatCannotReachAGoodOne) {
  EXPECT_EQ(Explore(Walk{}).stuck, 0u);
  const Report report = Explore(Walk{.pit = true});
  EXPECT_EQ(report.stuck, 1u);
  ASSERT_EQ(report.trace.size(), 8u);
  EXPECT_EQ(report.trace.back(), "w: fall");
}

TEST(Explorer, ALimitOnStatesMakesTheRunIncomplete) {
  const Jugs jugs;
  EXPECT_FALSE(Explorer<Jugs>(jugs, 5).Run().complete);
}

}  // namespace
}  // namespace luna::protocols
