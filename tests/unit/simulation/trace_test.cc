#include "simulation/trace.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace luna::simulation {
namespace {

TEST(Trace, SameThingsInTheSameOrderGiveTheSameHash) {
  Trace one;
  Trace same;
  Trace other_order;
  one.Add("a");
  one.Add("write", {1, 2}, "path");
  same.Add("a");
  same.Add("write", {1, 2}, "path");
  other_order.Add("write", {1, 2}, "path");
  other_order.Add("a");
  EXPECT_EQ(one.hash(), same.hash());
  EXPECT_NE(one.hash(), other_order.hash());
  EXPECT_EQ(one.size(), 2u);
}

TEST(Trace, EveryPartCounts) {
  const auto hash_of = [](std::string_view kind, uint64_t number, std::string_view text) {
    Trace trace;
    trace.Add(kind, {number}, text);
    return trace.hash();
  };
  const uint64_t base = hash_of("kind", 1, "text");
  EXPECT_NE(base, hash_of("kinds", 1, "text"));
  EXPECT_NE(base, hash_of("kind", 1ull << 63, "text"));
  EXPECT_NE(base, hash_of("kind", 1, "texts"));
}

TEST(Trace, SinkGetsLinesAndDoesNotChangeTheHash) {
  std::vector<std::string> lines;
  Trace told([&](std::string_view line) { lines.emplace_back(line); });
  Trace silent;
  for (Trace* trace : {&told, &silent}) {
    trace->Add("hello");
    trace->Add("write", {512, 7}, "a/b");
  }
  EXPECT_EQ(lines, (std::vector<std::string>{"hello", "write 512 7 a/b"}));
  EXPECT_EQ(told.hash(), silent.hash());
}

}  // namespace
}  // namespace luna::simulation
