#include "service/operation/workers.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>

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

}  // namespace

}  // namespace luna::operation
