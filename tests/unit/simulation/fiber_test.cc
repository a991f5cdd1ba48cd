#include "simulation/fiber.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace luna::simulation {
namespace {

constexpr size_t kStackBytes = 64 << 10;

TEST(Fiber, RunsInTurnsWithItsCaller) {
  StackPool stacks(kStackBytes);
  std::string order;
  Fiber home;
  {
    std::unique_ptr<Fiber> fiber;
    fiber = std::make_unique<Fiber>(stacks, [&] {
      order += "b";
      fiber->SwitchTo(home);
      order += "d";
      fiber->SwitchTo(home, /*for_good=*/true);
    });
    order += "a";
    home.SwitchTo(*fiber);
    order += "c";
    home.SwitchTo(*fiber);
    order += "e";
  }
  EXPECT_EQ(order, "abcde");
}

TEST(Fiber, KeepsItsLocalVariables) {
  StackPool stacks(kStackBytes);
  Fiber home;
  uint64_t sum = 0;
  std::unique_ptr<Fiber> one;
  std::unique_ptr<Fiber> two;
  one = std::make_unique<Fiber>(stacks, [&] {
    uint64_t local = 1;
    one->SwitchTo(*two);
    sum += local;
    one->SwitchTo(*two, /*for_good=*/true);
  });
  two = std::make_unique<Fiber>(stacks, [&] {
    uint64_t local = 10;
    two->SwitchTo(*one);
    sum += local;
    two->SwitchTo(home, /*for_good=*/true);
  });
  home.SwitchTo(*one);
  EXPECT_EQ(sum, 11u);
}

TEST(Fiber, StacksAreUsedAgain) {
  StackPool stacks(kStackBytes);
  Fiber home;
  int runs = 0;
  for (int i = 0; i < 100; ++i) {
    std::unique_ptr<Fiber> fiber;
    fiber = std::make_unique<Fiber>(stacks, [&] {
      ++runs;
      fiber->SwitchTo(home, /*for_good=*/true);
    });
    home.SwitchTo(*fiber);
  }
  EXPECT_EQ(runs, 100);
  EXPECT_EQ(stacks.mapped(), 1u);
}

TEST(Fiber, StackHasAtLeastTheBytesAskedFor) {
  StackPool stacks(1);
  EXPECT_GE(stacks.bytes(), 4096u);
  char* stack = stacks.Take();
  stack[0] = 'x';
  stack[stacks.bytes() - 1] = 'y';
  EXPECT_EQ(stack[0], 'x');
  stacks.Give(stack);
}

TEST(Fiber, RunningOverTheEndOfTheStackStopsTheProcess) {
  StackPool stacks(kStackBytes);
  char* stack = stacks.Take();
  EXPECT_DEATH(*static_cast<volatile char*>(stack - 1) = 'x', "");
  stacks.Give(stack);
}

}  // namespace
}  // namespace luna::simulation
