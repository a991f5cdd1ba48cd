#include "group/linearizability.h"

#include <gtest/gtest.h>

#include <vector>

namespace luna::test {
namespace {

RegisterOperation Write(uint64_t began, uint64_t ended, uint64_t value) {
  return {.began = began, .ended = ended, .write = value};
}
RegisterOperation Read(uint64_t began, uint64_t ended, uint64_t value) {
  return {.began = began, .ended = ended, .read = value};
}
RegisterOperation OpenWrite(uint64_t began, uint64_t value) {
  return {.began = began, .open = true, .write = value};
}
RegisterOperation Exchange(uint64_t began, uint64_t ended, uint64_t read, uint64_t value) {
  return {.began = began, .ended = ended, .read = read, .write = value};
}

TEST(Linearizability, AcceptsWhatOneOrderExplains) {
  EXPECT_EQ(JudgeRegister({}), "");
  EXPECT_EQ(JudgeRegister({Read(1, 2, 0), Write(3, 4, 7), Read(5, 6, 7)}), "");
  // Two writes at a time, seen in either order by who reads while they are under way.
  EXPECT_EQ(JudgeRegister({Write(1, 10, 1), Write(2, 9, 2), Read(3, 4, 2), Read(5, 6, 1)}), "");
  EXPECT_EQ(JudgeRegister({Exchange(1, 5, 0, 1), Exchange(2, 6, 1, 2), Read(7, 8, 2)}), "");
}

TEST(Linearizability, NoticesAStaleRead) {
  EXPECT_NE(JudgeRegister({Write(1, 2, 7), Read(3, 4, 0)}), "");
  EXPECT_NE(JudgeRegister({Write(1, 2, 1), Write(3, 4, 2), Read(5, 6, 1)}), "");
  // The second reader is behind the first one.
  EXPECT_NE(JudgeRegister({Write(1, 10, 1), Read(2, 3, 1), Read(4, 5, 0)}), "");
}

TEST(Linearizability, NoticesALostWrite) {
  EXPECT_NE(JudgeRegister({Write(1, 2, 1), Exchange(3, 4, 0, 2)}), "");
  EXPECT_NE(JudgeRegister({Exchange(1, 9, 0, 1), Exchange(2, 8, 0, 2)}), "");
}

TEST(Linearizability, NoticesAValueThatNobodyWrote) {
  EXPECT_NE(JudgeRegister({Write(1, 2, 1), Read(3, 4, 5)}), "");
}

TEST(Linearizability, NoticesAReadBeforeItsWriteBegan) {
  EXPECT_NE(JudgeRegister({Read(1, 2, 7), Write(3, 4, 7)}), "");
}

TEST(Linearizability, AnOpenWriteHappensLateOrNever) {
  EXPECT_EQ(JudgeRegister({OpenWrite(1, 7), Read(2, 3, 0), Read(4, 5, 7)}), "");
  EXPECT_EQ(JudgeRegister({OpenWrite(1, 7), Read(2, 3, 0), Read(4, 5, 0)}), "");
  EXPECT_NE(JudgeRegister({OpenWrite(1, 7), Read(2, 3, 7), Read(4, 5, 0)}), "");
  // Seen by an open one only, which was seen itself.
  EXPECT_EQ(
      JudgeRegister(
          {OpenWrite(1, 7), {.began = 2, .open = true, .read = 7, .write = 8}, Read(3, 4, 8)}),
      "");
  EXPECT_NE(JudgeRegister({{.began = 2, .open = true, .read = 7, .write = 8}, Read(3, 4, 8)}), "");
}

TEST(Linearizability, GivesUpRatherThanBlame) {
  std::vector<RegisterOperation> operations;
  for (uint64_t i = 1; i <= 40; ++i) {
    operations.push_back(Write(i, 1000 + i, i));
  }
  operations.push_back(Read(2000, 2001, 20));
  EXPECT_EQ(JudgeRegister(operations), "");
}

TEST(RegisterHistory, JudgesEachKeyByItself) {
  RegisterHistory history;
  history.Add("a", Write(1, 2, 1));
  history.Add("b", Read(3, 4, 0));
  EXPECT_EQ(history.Judge(), "");
  history.Add("a", Read(5, 6, 0));
  EXPECT_NE(history.Judge().find("key a: not linearizable"), std::string::npos);
}

}  // namespace
}  // namespace luna::test
