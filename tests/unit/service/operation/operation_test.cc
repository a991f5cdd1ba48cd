#include "service/operation/operation.h"

#include <gtest/gtest.h>

namespace luna::operation {

namespace {

TEST(Operation, ClearedOnesKeepTheirRoom) {
  const command::Command command;
  Operation operation;
  std::vector<std::string_view> arguments = {"set", "key", "value"};
  operation.Add(command, arguments);
  EXPECT_TRUE(arguments.empty());
  ASSERT_EQ(operation.requests().size(), 1u);
  EXPECT_EQ(operation.requests()[0].arguments[2], "value");
  EXPECT_EQ(operation.requests()[0].command, &command);
  operation.replies = "+OK\r\n";
  operation.failures = 1;
  operation.Clear();
  EXPECT_TRUE(operation.empty());
  EXPECT_TRUE(operation.replies.empty());
  EXPECT_EQ(operation.failures, 0u);
  arguments = {"get", "key"};
  operation.Add(command, arguments);
  EXPECT_GE(arguments.capacity(), 3u);  // those of the request before: room for the next
  operation.Clear();
  operation.Release();
  EXPECT_TRUE(operation.requests().empty());
}

TEST(Operation, NeighboursOfOneHomeAreFinishedWithMore) {
  static std::vector<bool> seen;
  seen.clear();
  std::vector<Operation> operations(4);
  std::vector<Operation*> pointers;
  int first = 0;
  int second = 0;
  for (Operation& operation : operations) {
    operation.home = pointers.size() < 3 ? &first : &second;
    operation.done = [](Operation&, bool more) { seen.push_back(more); };
    pointers.push_back(&operation);
  }
  Finish(pointers);
  EXPECT_EQ(seen, (std::vector<bool>{true, true, false, false}));
}

}  // namespace

}  // namespace luna::operation
