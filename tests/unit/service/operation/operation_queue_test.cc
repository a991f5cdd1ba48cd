#include "service/operation/operation_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "runtime/posix/posix_runtime.h"

namespace luna::operation {

namespace {

class Queues : public testing::Test {
 protected:
  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  std::vector<Operation> operations_ = std::vector<Operation>(5);
  std::vector<Operation*> taken_;

  std::vector<Operation*> All() {
    std::vector<Operation*> all;
    for (Operation& operation : operations_) {
      all.push_back(&operation);
    }
    return all;
  }
};

TEST_F(Queues, OperationsComeInOrder) {
  OperationQueue queue(*runtime_, 100);
  const auto all = All();
  EXPECT_EQ(queue.Push(all), 5u);
  EXPECT_EQ(queue.size(), 5u);
  queue.Take(2, taken_);
  EXPECT_EQ(taken_, (std::vector<Operation*>{all[0], all[1]}));
  EXPECT_TRUE(queue.Push(*all[0]));
  queue.Take(100, taken_);
  EXPECT_EQ(taken_, (std::vector<Operation*>{all[2], all[3], all[4], all[0]}));
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(queue.wait_micros().count(), 6u);
}

TEST_F(Queues, FullQueuesTakeTheFirst) {
  OperationQueue queue(*runtime_, 3);
  EXPECT_EQ(queue.Push(All()), 3u);
  EXPECT_FALSE(queue.Push(operations_[4]));
  queue.Take(1, taken_);
  EXPECT_TRUE(queue.Push(operations_[4]));
}

TEST_F(Queues, ClosedQueuesGiveWhatIsLeftAndThenNothing) {
  OperationQueue queue(*runtime_, 10);
  EXPECT_TRUE(queue.Push(operations_[0]));
  queue.Close();
  EXPECT_FALSE(queue.Push(operations_[1]));
  queue.Take(10, taken_);
  EXPECT_EQ(taken_.size(), 1u);
  queue.Take(10, taken_);
  EXPECT_TRUE(taken_.empty());
}

TEST_F(Queues, ManyTakersShareWhatManyPush) {
  OperationQueue queue(*runtime_, 1000);
  constexpr size_t kEach = 2000;
  std::array<std::vector<Operation>, 2> pushed = {std::vector<Operation>(kEach),
                                                  std::vector<Operation>(kEach)};
  std::atomic<size_t> taken = 0;
  std::vector<std::jthread> takers;
  for (int i = 0; i < 2; ++i) {
    takers.emplace_back([&] {
      std::vector<Operation*> mine;
      for (queue.Take(3, mine); !mine.empty(); queue.Take(3, mine)) {
        taken += mine.size();
      }
    });
  }
  {
    std::vector<std::jthread> pushers;
    for (size_t i = 0; i < 2; ++i) {
      pushers.emplace_back([&queue, &own = pushed[i]] {
        for (size_t j = 0; j < own.size();) {
          j += queue.Push(own[j]) ? 1 : 0;
        }
      });
    }
  }
  queue.Close();
  takers.clear();
  EXPECT_EQ(taken, 2 * kEach);
}

TEST(OperationQueue, LightOnesAreTakenUpToTheFirstThatIsNot) {
  const auto runtime = posix::NewPosixRuntime();
  OperationQueue queue(*runtime, 3);
  std::array<Operation, 4> operations;
  operations[0].light = operations[1].light = operations[3].light = true;
  const std::array<Operation*, 4> all = {&operations[0], &operations[1], &operations[2],
                                         &operations[3]};
  EXPECT_EQ(queue.Add(all), 3u);  // no room for the last
  std::vector<Operation*> taken;
  EXPECT_FALSE(queue.TakeLight(taken));
  EXPECT_EQ(taken, (std::vector<Operation*>{&operations[0], &operations[1]}));
  EXPECT_FALSE(queue.TakeLight(taken));
  EXPECT_TRUE(taken.empty());
  queue.Take(1, taken);
  EXPECT_EQ(taken, (std::vector<Operation*>{&operations[2]}));
  EXPECT_TRUE(queue.TakeLight(taken));
  EXPECT_TRUE(taken.empty());
}

}  // namespace

}  // namespace luna::operation
