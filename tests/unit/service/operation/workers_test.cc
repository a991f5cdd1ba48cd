#include "service/operation/workers.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "service_support/test_gate.h"
#include "unit/service/operation/small_commands.h"

namespace luna::operation {

namespace {

using service_support::TestHost;

TEST(WriteWorker, RunsWhatIsPushedAndHandsItBack) {
  const auto rows = SmallCommands();
  TestHost host(rows);
  OperationQueue queue(host.runtime(), 100);
  WriteWorker worker(host.runtime(), host, queue);
  Prepared one(host, {"set a 41"});
  Prepared other(host, {"bump a"});
  const std::array<Operation*, 2> operations = {&one, &other};
  EXPECT_EQ(queue.Push(operations), 2u);
  one.Wait();
  other.Wait();
  EXPECT_EQ(one->replies, "+OK\r\n");
  EXPECT_EQ(other->replies, ":42\r\n");
  EXPECT_GE(worker.rounds().committed(), 1u);
  queue.Close();
}

TEST(WriteWorker, AnswersWhatIsLeftAfterClose) {
  const auto rows = SmallCommands();
  TestHost host(rows);
  OperationQueue queue(host.runtime(), 100);
  Prepared one(host, {"set a 1"});
  EXPECT_TRUE(queue.Push(*one));
  queue.Close();
  {
    const WriteWorker worker(host.runtime(), host, queue);
  }
  EXPECT_EQ(one->replies, "+OK\r\n");
}

TEST(WriteWorker, WhoeverPushedMayTakeItsTurn) {
  const auto rows = SmallCommands();
  TestHost host(rows);
  OperationQueue queue(host.runtime(), 100);
  WriteWorker worker(host.runtime(), host, queue);
  Prepared one(host, {"set a 41"});
  one->light = true;
  const std::array<Operation*, 1> light = {&one};
  EXPECT_EQ(queue.Add(light), 1u);
  // The worker was not woken; either this thread runs it, or the worker was still at its first
  // look.
  worker.Help(nullptr);
  one.Wait();
  EXPECT_EQ(one->replies, "+OK\r\n");
  Prepared heavy(host, {"bump a"});
  const std::array<Operation*, 1> rest = {&heavy};
  EXPECT_EQ(queue.Add(rest), 1u);
  EXPECT_FALSE(worker.Help(nullptr));  // which wakes the worker for it
  heavy.Wait();
  EXPECT_EQ(heavy->replies, ":42\r\n");
  queue.Close();
}

TEST(WriteWorker, RoundsOfAllWhoHelpComeOneAfterAnother) {
  constexpr int kThreads = 4;
  constexpr int kEach = 300;
  const auto rows = SmallCommands();
  TestHost host(rows);
  OperationQueue queue(host.runtime(), 100);
  WriteWorker worker(host.runtime(), host, queue);
  std::vector<std::unique_ptr<runtime::Thread>> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.push_back(host.runtime().Spawn("pusher", runtime::ThreadClass::kForeground, [&, i] {
      for (int j = 0; j < kEach; ++j) {
        Prepared bump(host, {"bump n"});
        bump->light = (i + j) % 7 != 0;
        Operation* const operation = &*bump;
        if (j % 3 == 0) {
          EXPECT_TRUE(queue.Push(*bump));
        } else {
          EXPECT_EQ(queue.Add(std::span(&operation, 1)), 1u);
          worker.Help(nullptr);
        }
        bump.Wait();
      }
    }));
  }
  for (const auto& thread : threads) {
    thread->Join();
  }
  Prepared read(host, {"bump n"});
  EXPECT_TRUE(queue.Push(*read));
  read.Wait();
  EXPECT_EQ(read->replies, ":" + std::to_string(kThreads * kEach + 1) + "\r\n");
  queue.Close();
}

TEST(ReadWorkers, ShareTheQueue) {
  const auto rows = SmallCommands();
  TestHost host(rows);
  OperationQueue queue(host.runtime(), 100);
  Prepared set(host, {"set a 1"});
  std::deque<Prepared> reads;
  for (int i = 0; i < 20; ++i) {
    reads.emplace_back(host).Add("get a");
    reads.back().Add("get b");
    EXPECT_TRUE(queue.Push(*reads.back()));
  }
  EXPECT_TRUE(reads.front().session().collection->Put("a", "1").ok());
  queue.Close();
  {
    const ReadWorkers workers(host.runtime(), host, queue, 3);
  }
  for (Prepared& read : reads) {
    EXPECT_EQ(read->replies, "$1\r\n1\r\n$-1\r\n");
  }
}

// A worker may wait, so a gate that needs to is waited for.
TEST(ReadWorkers, AskTheGateAroundEachRead) {
  const auto rows = SmallCommands();
  service_support::TestGate gate;
  TestHost host(rows);
  OperationQueue queue(host.runtime(), 100);
  gate.set(service_support::TestGate::Says::kWait);
  host.gate = &gate;
  const ReadWorkers workers(host.runtime(), host, queue, 1);
  Prepared one(host, {"get a", "get b"});
  EXPECT_TRUE(queue.Push(*one));
  one.Wait();
  EXPECT_EQ(one->replies, "$-1\r\n$-1\r\n");
  EXPECT_EQ(gate.Asked(), "2/2");
  gate.at_end = service_support::TestGate::Says::kFenced;
  Prepared other(host, {"get a"});
  EXPECT_TRUE(queue.Push(*other));
  other.Wait();
  EXPECT_EQ(other->replies, service_support::kFencedReply);
  EXPECT_EQ(other->failures, 1u);
  queue.Close();
}

}  // namespace

}  // namespace luna::operation
