#include "service/connection/acceptor.h"

#include <gtest/gtest.h>

#include "unit/service/connection/small_service.h"

namespace luna::connection {

namespace {

TEST(Acceptor, GivesToTheHandlersInTurn) {
  const auto rows = ServiceCommands();
  service_support::TestHost host(rows);
  const auto network = memory::NewMemoryNetwork(host.runtime());
  Surroundings all;
  all.runtime = &host.runtime();
  all.network = network.get();
  all.host = &host;
  all.max_clients = 100;
  std::vector<std::unique_ptr<Handler>> handlers;
  std::vector<std::unique_ptr<runtime::Thread>> threads;
  for (size_t i = 0; i < 2; ++i) {
    handlers.push_back(std::make_unique<Handler>(all, i));
  }
  Acceptor acceptor(all, handlers);
  ASSERT_TRUE(acceptor.Listen("a:0").ok());
  ASSERT_TRUE(acceptor.Listen("b:7").ok());
  EXPECT_EQ(acceptor.Listen("b:7").error().reason(), Reason::kAddressInUse);
  const auto addresses = acceptor.addresses();
  ASSERT_EQ(addresses.size(), 2u);
  EXPECT_EQ(addresses[1], "b:7");
  constexpr auto kClass = runtime::ThreadClass::kForeground;
  for (const auto& handler : handlers) {
    threads.push_back(host.runtime().Spawn("handler", kClass, [&] { handler->Run(); }));
  }
  threads.push_back(host.runtime().Spawn("acceptor", kClass, [&] { acceptor.Run(); }));
  std::vector<std::unique_ptr<runtime::Socket>> clients;
  for (size_t i = 0; i < 4; ++i) {
    clients.push_back(network->Connect(addresses[i % 2], 0).value());
  }
  while (all.Cards().size() < 4) {
    host.runtime().Yield();
  }
  size_t at_second = 0;
  for (const auto& card : all.Cards()) {
    at_second += card->handler;
  }
  EXPECT_EQ(at_second, 2u);
  acceptor.Stop();
  threads.back()->Join();
  threads.pop_back();
  EXPECT_FALSE(network->Connect("b:7", 0).ok());
  for (const auto& handler : handlers) {
    handler->Stop(1);
  }
  for (const auto& thread : threads) {
    thread->Join();
  }
  EXPECT_EQ(all.open.load(), 0u);
}

}  // namespace

}  // namespace luna::connection
