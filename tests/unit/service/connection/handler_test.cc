#include "service/connection/handler.h"

#include <gtest/gtest.h>

#include "unit/service/connection/small_service.h"

namespace luna::connection {

namespace {

TEST(Handler, SlotsAreUsedAgainAndTagsAreNot) {
  const auto rows = ServiceCommands();
  service_support::TestHost host(rows);
  const auto network = memory::NewMemoryNetwork(host.runtime());
  const auto listener = network->Listen("a:1").value();
  operation::OperationQueue queue(host.runtime(), 10);
  Surroundings all;
  all.runtime = &host.runtime();
  all.network = network.get();
  all.host = &host;
  all.table = &host.commands();
  all.reads = &queue;
  all.writes = &queue;
  Handler handler(all, 3);
  const auto thread =
      host.runtime().Spawn("handler", runtime::ThreadClass::kForeground, [&] { handler.Run(); });
  std::vector<uint64_t> tags;
  for (int i = 0; i < 2; ++i) {
    const auto client = network->Connect("a:1", 0).value();
    all.open.fetch_add(1);
    handler.Give({.client = listener->Accept().value()});
    while (all.Cards().empty()) {
      host.runtime().Yield();
    }
    EXPECT_EQ(all.Cards()[0]->handler, 3u);
    tags.push_back(all.Cards()[0]->tag);
    handler.Close(tags.front() + 1);  // of nobody
    handler.Close(tags.back());
    while (all.open.load() > 0) {
      host.runtime().Yield();
    }
    std::array<char, 1> buffer;
    EXPECT_TRUE(client->Read(buffer).value().ended);
  }
  EXPECT_EQ(static_cast<uint32_t>(tags[0]), static_cast<uint32_t>(tags[1]));
  EXPECT_NE(tags[0], tags[1]);
  handler.Stop(1);
  thread->Join();
  EXPECT_TRUE(all.Cards().empty());
}

}  // namespace

}  // namespace luna::connection
