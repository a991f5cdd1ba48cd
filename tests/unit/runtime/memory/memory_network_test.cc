#include "runtime/memory/memory_network.h"

#include <gtest/gtest.h>

#include "runtime/posix/posix_runtime.h"

namespace luna::memory {

namespace {

TEST(MemoryNetwork, StreamsHoldWhatTheyWereMadeFor) {
  const auto runtime = posix::NewPosixRuntime();
  const auto network = NewMemoryNetwork(*runtime, 10);
  const auto listener = network->Listen("a:1").value();
  const auto client = network->Connect("a:1", 0).value();
  const std::string_view bytes = "fifteen letters";
  EXPECT_EQ(client->Write(std::span(&bytes, 1)).value().bytes, 10u);
  EXPECT_EQ(client->Write(std::span(&bytes, 1)).value().bytes, 0u);
}

TEST(MemoryNetwork, FreePortsAreNotTakenTwice) {
  const auto runtime = posix::NewPosixRuntime();
  const auto network = NewMemoryNetwork(*runtime);
  const auto first = network->Listen("127.0.0.1:0").value();
  const auto second = network->Listen("localhost:0").value();
  EXPECT_NE(first->address(), second->address());
  EXPECT_TRUE(second->address().starts_with("127.0.0.1:"));
}

TEST(MemoryNetwork, NetworksDoNotSeeEachOther) {
  const auto runtime = posix::NewPosixRuntime();
  const auto one = NewMemoryNetwork(*runtime);
  const auto other = NewMemoryNetwork(*runtime);
  const auto listener = one->Listen("a:1").value();
  EXPECT_EQ(other->Connect("a:1", 0).error().reason(), Reason::kUnreachable);
  EXPECT_TRUE(one->Connect("a:1", 0).ok());
}

TEST(MemoryNetwork, SocketsOutliveTheNetwork) {
  const auto runtime = posix::NewPosixRuntime();
  auto network = NewMemoryNetwork(*runtime);
  const auto listener = network->Listen("a:1").value();
  const auto client = network->Connect("a:1", 0).value();
  const auto server = listener->Accept().value();
  network.reset();
  const std::string_view bytes = "x";
  EXPECT_EQ(client->Write(std::span(&bytes, 1)).value().bytes, 1u);
  std::array<char, 2> buffer;
  EXPECT_EQ(server->Read(buffer).value().bytes, 1u);
}

}  // namespace

}  // namespace luna::memory
