#include "kernel/background/job_queue.h"

#include <gtest/gtest.h>

#include <vector>

namespace luna::background {
namespace {

Job Make(std::string kind, std::string payload, Priority priority = Priority::kNormal) {
  return {.kind = std::move(kind), .payload = std::move(payload), .priority = priority};
}

std::vector<std::string> PopAll(JobQueue& queue) {
  std::vector<std::string> order;
  while (const auto job = queue.Pop()) {
    order.push_back(job->kind + job->payload);
  }
  return order;
}

TEST(JobQueue, PopsByPriorityThenInOrderOfArrival) {
  JobQueue queue;
  queue.Push(Make("s", "1", Priority::kSweep));
  queue.Push(Make("n", "1"));
  queue.Push(Make("u", "1", Priority::kUrgent));
  queue.Push(Make("n", "2"));
  queue.Push(Make("u", "2", Priority::kUrgent));
  EXPECT_EQ(queue.size(), 5u);
  EXPECT_EQ(PopAll(queue), (std::vector<std::string>{"u1", "u2", "n1", "n2", "s1"}));
  EXPECT_EQ(queue.size(), 0u);
}

TEST(JobQueue, AnEqualJobIsThereOnceAndKeepsTheMoreUrgentPriority) {
  JobQueue queue;
  queue.Push(Make("a", "1", Priority::kSweep));
  queue.Push(Make("b", "1"));
  queue.Push(Make("a", "1", Priority::kUrgent));
  queue.Push(Make("b", "1", Priority::kSweep));
  queue.Push(Make("a", "2"));
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_EQ(PopAll(queue), (std::vector<std::string>{"a1", "b1", "a2"}));
}

TEST(JobQueue, APoppedJobMayComeAgain) {
  JobQueue queue;
  queue.Push(Make("a", ""));
  EXPECT_TRUE(queue.Contains(Make("a", "")));
  ASSERT_TRUE(queue.Pop().has_value());
  EXPECT_FALSE(queue.Contains(Make("a", "")));
  queue.Push(Make("a", ""));
  EXPECT_EQ(queue.size(), 1u);
}

TEST(JobQueue, RemovesByKindAndPayloadWhateverThePriority) {
  JobQueue queue;
  queue.Push(Make("a", "1", Priority::kSweep));
  queue.Push(Make("a", "2"));
  queue.Remove(Make("a", "1"));
  queue.Remove(Make("a", "1"));
  EXPECT_EQ(PopAll(queue), std::vector<std::string>{"a2"});
  queue.Push(Make("a", "3"));
  queue.Clear();
  EXPECT_FALSE(queue.Pop().has_value());
}

}  // namespace
}  // namespace luna::background
