#include "service/follower/follower_port.h"

#include <gtest/gtest.h>

#include "unit/service/follower/tls_world.h"

namespace luna::follower {

namespace {

class FollowerPortOn : public testing::TestWithParam<Kind> {
 protected:
  // More than all buffers on the way hold; the system's grow to megabytes.
  static size_t Large() { return GetParam() == Kind::kLoopback ? 64 << 20 : 2 << 20; }
  World world_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Simulated, FollowerPortOn, testing::Values(Kind::kSimulated));
INSTANTIATE_TEST_SUITE_P(Memory, FollowerPortOn, testing::Values(Kind::kMemory));
INSTANTIATE_TEST_SUITE_P(Loopback, FollowerPortOn, testing::Values(Kind::kLoopback));

TEST_P(FollowerPortOn, BytesGoToTheLeaderAndBack) {
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  const FollowerPort& port = world_.Open();
  Client client = world_.NewClient();
  EXPECT_EQ(client.Ask("*1\r\n$4\r\nPING\r\n", 14), "*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(client.Ask("again", 5), "again");
  EXPECT_EQ(leader->accepted(), 1u);
  EXPECT_TRUE(world_.Becomes([&] { return port.counts().to_client_bytes == 19; }));
  EXPECT_EQ(port.counts().to_leader_bytes, 19u);
  EXPECT_EQ(port.counts().forwarded, 1u);
  EXPECT_EQ(port.counts().open, 1u);
}

TEST_P(FollowerPortOn, SlowReadersGetAllOfLargeTransfers) {
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  FollowerSettings settings = world_.Settings();
  settings.buffer_bytes = 5000;
  world_.Open(std::move(settings));
  Client client = world_.NewClient();
  const std::string bytes = Pattern(Large(), 1);
  // Nobody reads: what is on its way is bounded, far below what is to be sent.
  size_t sent = client.Send(bytes, 20);
  EXPECT_LT(sent, bytes.size());
  EXPECT_LE(leader->received_bytes(), sent);
  std::string received;
  while (received.size() < bytes.size()) {
    const std::string some = client.Read(std::min(Large() / 64, sent - received.size()));
    ASSERT_FALSE(some.empty()) << "after " << received.size() << " of " << sent;
    received += some;
    sent += client.Send(std::string_view(bytes).substr(sent), 0);
  }
  EXPECT_TRUE(received == bytes);
}

TEST_P(FollowerPortOn, TheClientsEndIsPassedOn) {
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  world_.Open();
  Client client = world_.NewClient();
  EXPECT_EQ(client.Send("last words"), 10u);
  client.Finish();
  EXPECT_EQ(client.ReadAll(), "last words");
  EXPECT_TRUE(world_.Becomes([&] { return world_.port().counts().open == 0; }));
  EXPECT_EQ(world_.port().counts().lost, 0u);
}

TEST_P(FollowerPortOn, LeadersThatAppearLateAreFound) {
  world_.Open();
  Client client = world_.NewClient();
  EXPECT_EQ(client.Send("waiting"), 7u);
  EXPECT_TRUE(world_.Becomes([&] { return world_.port().counts().accepted == 1; }));
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  EXPECT_EQ(client.Read(7), "waiting");
}

TEST_P(FollowerPortOn, LeadersThatListenLateAreReached) {
  auto first = world_.NewLeader();
  const std::string address = first->address();
  first.reset();
  world_.SetLeader(address);
  world_.Open();
  std::vector<Client> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(world_.NewClient());
    EXPECT_EQ(clients.back().Send("hello"), 5u);
  }
  EXPECT_TRUE(world_.Becomes([&] { return world_.port().counts().accepted == 5; }));
  const auto leader = world_.NewLeader(address);
  for (Client& client : clients) {
    EXPECT_EQ(client.Read(5), "hello");
  }
}

TEST_P(FollowerPortOn, NobodyToAskIsSaidAfterTheWait) {
  FollowerSettings settings = world_.Settings();
  settings.wait_nanos = 50 * kMilli;
  world_.Open(std::move(settings));
  Client client = world_.NewClient();
  EXPECT_EQ(client.Send("*1\r\n$4\r\nPING\r\n"), 14u);
  EXPECT_EQ(client.ReadAll(), "-TRYAGAIN no server leads the group just now; try again later\r\n");
  EXPECT_EQ(world_.port().counts().unled, 1u);
  client.Close();
  EXPECT_TRUE(world_.Becomes([&] { return world_.port().counts().open == 0; }));
}

TEST_P(FollowerPortOn, LeadersThatAreNotReachedAreNamed) {
  auto gone = world_.NewLeader();
  const std::string address = gone->address();
  gone.reset();
  world_.SetLeader(address);
  FollowerSettings settings = world_.Settings();
  settings.wait_nanos = 50 * kMilli;
  world_.Open(std::move(settings));
  Client client = world_.NewClient();
  const std::string reply = client.Ask("x", 1 << 20);
  EXPECT_TRUE(reply.starts_with("-TRYAGAIN " + address + " leads the group but is not reached: "))
      << reply;
  EXPECT_TRUE(reply.ends_with("; try again later\r\n")) << reply;
}

TEST_P(FollowerPortOn, ClientsOfALeaderThatDiesAreClosed) {
  auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  world_.Open();
  Client client = world_.NewClient();
  const std::string bytes = Pattern(Large(), 2);
  EXPECT_LT(client.Send(bytes, 20), bytes.size());  // replies are on their way, and stuck
  leader->Die();
  const std::string received = client.ReadAll();  // ends
  EXPECT_LT(received.size(), bytes.size());
  EXPECT_TRUE(bytes.starts_with(received));
  client.Close();
  EXPECT_TRUE(world_.Becomes([&] { return world_.port().counts().open == 0; }));
}

TEST_P(FollowerPortOn, ClientsOfALeaderThatIsNoneAnyMoreAreClosed) {
  const auto paused = world_.NewLeader();
  const auto next = world_.NewLeader();
  world_.SetLeader(paused->address());
  world_.Open();
  Client client = world_.NewClient();
  EXPECT_EQ(client.Ask("one", 3), "one");
  paused->SetDeaf(true);
  EXPECT_EQ(client.Send("two"), 3u);
  world_.SetLeader("");  // nobody known is no reason to give up
  EXPECT_TRUE(world_.Becomes([&] { return world_.asked(); }));
  Client other = world_.NewClient();
  EXPECT_EQ(other.Send("three"), 5u);
  world_.SetLeader(next->address());
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_EQ(other.Read(5), "three");
  EXPECT_EQ(world_.port().counts().lost, 1u);
  EXPECT_EQ(next->accepted(), 1u);
}

TEST_P(FollowerPortOn, AClientThatVanishesTakesItsConnectionAlong) {
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  world_.Open();
  {
    Client client = world_.NewClient();
    client.Send(Pattern(1 << 20, 3), 20);
  }
  EXPECT_TRUE(world_.Becomes([&] { return world_.port().counts().open == 0; }));
  Client client = world_.NewClient();
  EXPECT_EQ(client.Ask("next", 4), "next");
}

TEST_P(FollowerPortOn, SilentClientsReachNobodyAndAreClosed) {
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  FollowerSettings settings = world_.Settings();
  settings.idle_nanos = 30 * kMilli;
  world_.Open(std::move(settings));
  Client silent = world_.NewClient();
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_EQ(leader->accepted(), 0u);
  EXPECT_EQ(world_.port().counts().accepted, 1u);
}

TEST_P(FollowerPortOn, ItsOwnAddressIsNoLeader) {
  FollowerSettings settings = world_.Settings();
  settings.wait_nanos = 50 * kMilli;
  settings.self = "me.example:1";
  world_.Open(std::move(settings));
  for (const std::string& own : {world_.port().addresses().front(), std::string("me.example:1")}) {
    world_.SetLeader(own);
    Client client = world_.NewClient();
    EXPECT_TRUE(client.Ask("x", 1 << 20).starts_with("-TRYAGAIN no server leads")) << own;
  }
  EXPECT_EQ(world_.port().counts().accepted, 2u);
}

TEST_P(FollowerPortOn, WhoIsToLeadPassesNothingOn) {
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  const FollowerPort& port = world_.Open();
  Client client = world_.NewClient();
  EXPECT_EQ(client.Ask("x", 1), "x");
  world_.SetLeader(port.addresses().front());
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_EQ(port.counts().lost, 1u);
}

TEST_P(FollowerPortOn, LeadersMayHaveNames) {
  const auto leader = world_.NewLeader();
  const std::string port = leader->address().substr(leader->address().rfind(':'));
  world_.SetLeader("localhost" + port);
  FollowerSettings settings = world_.Settings();
  settings.wait_nanos = 2000 * kMilli;
  world_.Open(std::move(settings));
  Client client = world_.NewClient();
  EXPECT_EQ(client.Ask("named", 5), "named");
}

TEST_P(FollowerPortOn, StopClosesEveryConnection) {
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  world_.Open();
  Client passing = world_.NewClient();
  EXPECT_EQ(passing.Ask("x", 1), "x");
  Client silent = world_.NewClient();
  EXPECT_TRUE(world_.Becomes([&] { return world_.port().counts().open == 2; }));
  world_.port().Stop();
  EXPECT_EQ(passing.ReadAll(), "");
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_EQ(world_.port().counts().open, 0u);
  EXPECT_TRUE(world_.port().addresses().empty());
  world_.port().Stop();
}

// As when a server takes leadership and gives it away, with clients on both.
TEST_P(FollowerPortOn, TheAddressGoesToAnotherAndBackAtOnce) {
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  const std::string address = world_.Open().addresses().front();
  world_.port().Stop();
  FollowerSettings settings = world_.Settings();
  settings.addresses = {address};
  FollowerPort port(world_.runtime(), world_.network(), settings);
  std::vector<Client> kept;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(port.Start().ok());
    Client client(world_.network(), address);
    EXPECT_EQ(client.Ask("following", 9), "following");
    kept.push_back(std::move(client));
    port.Stop();
    const auto service = world_.NewLeader(address);
    Client direct(world_.network(), address);
    EXPECT_EQ(direct.Ask("leading", 7), "leading");
    kept.push_back(std::move(direct));
  }
  EXPECT_EQ(port.counts().forwarded, 3u);
}

TEST_P(FollowerPortOn, AddressesOfOthersAreAnError) {
  const auto other = world_.NewLeader();
  FollowerSettings settings = world_.Settings();
  settings.addresses = {"127.0.0.1:0", other->address()};
  FollowerPort port(world_.runtime(), world_.network(), settings);
  const Status started = port.Start();
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().reason(), Reason::kAddressInUse);
  EXPECT_TRUE(port.addresses().empty());
}

TEST_P(FollowerPortOn, ClientsBeyondTheLimitAreTold) {
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  FollowerSettings settings = world_.Settings();
  settings.max_clients = 1;
  world_.Open(std::move(settings));
  Client first = world_.NewClient();
  EXPECT_EQ(first.Ask("x", 1), "x");
  Client second = world_.NewClient();
  EXPECT_EQ(second.ReadAll(), "-ERR max number of clients reached\r\n");
  EXPECT_EQ(world_.port().counts().refused_clients, 1u);
  EXPECT_EQ(first.Ask("still here", 10), "still here");
}

TEST_P(FollowerPortOn, BytesOfOneClientNeverReachAnother) {
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  FollowerSettings settings = world_.Settings();
  settings.buffer_bytes = 777;
  world_.Open(std::move(settings));
  std::vector<std::unique_ptr<runtime::Thread>> threads;
  std::atomic<int> right = 0;
  for (uint32_t i = 0; i < 4; ++i) {
    threads.push_back(world_.runtime().Spawn("client", runtime::ThreadClass::kForeground, [&, i] {
      for (uint32_t round = 0; round < 10; ++round) {
        Client client(world_.network(), world_.port().addresses().front());
        const std::string bytes = Pattern(20'000 + 1000 * i + round, 100 * i + round);
        right += client.Ask(bytes, bytes.size()) == bytes ? 1 : 0;
      }
    }));
  }
  for (const auto& thread : threads) {
    thread->Join();
  }
  EXPECT_EQ(right, 40);
}

TEST_P(FollowerPortOn, RefusedCommandsNameTheLeader) {
  world_.SetLeader("10.0.0.7:6479");
  FollowerSettings settings = world_.Settings();
  settings.forward = false;
  settings.status = [] { return std::string("role:follower"); };
  world_.Open(std::move(settings));
  Client client = world_.NewClient();
  EXPECT_EQ(client.Ask("PING\r\n", 7), "+PONG\r\n");
  const std::string refusal =
      "-READONLY this server does not lead the group; ask 10.0.0.7:6479\r\n";
  EXPECT_EQ(client.Ask("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", refusal.size()), refusal);
  EXPECT_EQ(client.Ask("GROUP STATUS\r\n", 20), "$13\r\nrole:follower\r\n");
  EXPECT_EQ(client.Ask("QUIT\r\n", 1 << 20), "+OK\r\n");
  EXPECT_EQ(world_.port().counts().refused_commands, 1u);
}

TEST_P(FollowerPortOn, RefusedClientsThatTakeNothingAreBoundedAndClosed) {
  FollowerSettings settings = world_.Settings();
  settings.forward = false;
  settings.idle_nanos = 100 * kMilli;
  world_.Open(std::move(settings));
  Client client = world_.NewClient();
  const std::string get = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
  std::string many;
  while (many.size() < Large()) {
    many += get;
  }
  EXPECT_LT(client.Send(many), many.size());
  EXPECT_TRUE(world_.Becomes([&] { return world_.port().counts().open == 0; }));
  EXPECT_LT(world_.port().counts().refused_commands, many.size() / get.size());
}

TEST_P(FollowerPortOn, NonsenseEndsItsConnectionOnly) {
  FollowerSettings settings = world_.Settings();
  settings.forward = false;
  world_.Open(std::move(settings));
  Client good = world_.NewClient();
  Client bad = world_.NewClient();
  const std::string reply = bad.Ask("*1\r\n!garbage\r\n" + Pattern(100'000, 4), 1 << 20);
  EXPECT_TRUE(reply.starts_with("-ERR Protocol error: expected '$', got '!'")) << reply;
  EXPECT_EQ(good.Ask("PING\r\n", 7), "+PONG\r\n");
}

// One client of a group whose leaders come and go: what it hears is what it said, from the start
// and without gaps, or that nobody leads.
void TalkTo(World& world, const std::string& address, uint32_t seed) {
  Client client(world.network(), address);
  const std::string bytes = Pattern(200 + world.runtime().random().Next() % 40'000, seed);
  const std::string_view first = std::string_view(bytes).substr(0, 100);
  const size_t sent = client.Send(first);
  std::string heard = client.Read(sent);
  if (heard == first) {
    world.runtime().Sleep(world.runtime().random().Next() % (20 * kMilli));
    const size_t rest = client.Send(std::string_view(bytes).substr(sent), 3);
    heard += client.Read(rest);
  }
  if (!bytes.starts_with(heard)) {
    EXPECT_TRUE(heard.starts_with("-TRYAGAIN ")) << "client " << seed << " heard " << heard.size();
  }
}

TEST(FollowerPortSimulated, ClientsHearThemselvesOrTheEndWhileLeadersComeAndGo) {
  uint64_t forwarded = 0;
  uint64_t unled = 0;
  uint64_t lost = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(Kind::kSimulated, seed);
    FollowerSettings settings = world.Settings();
    settings.wait_nanos = 100 * kMilli;
    settings.buffer_bytes = 1 + world.runtime().random().Next() % 3000;
    world.Open(std::move(settings));
    std::vector<std::unique_ptr<runtime::Thread>> threads;
    for (uint32_t i = 0; i < 3; ++i) {
      threads.push_back(world.runtime().Spawn("client", runtime::ThreadClass::kForeground, [&, i] {
        for (uint32_t round = 0; round < 5; ++round) {
          TalkTo(world, world.port().addresses().front(), 10 * i + round);
          world.runtime().Sleep(world.runtime().random().Next() % (20 * kMilli));
        }
      }));
    }
    for (int term = 0; term < 6; ++term) {
      const auto leader = world.NewLeader();
      world.SetLeader(leader->address());
      world.runtime().Sleep(world.runtime().random().Next() % (20 * kMilli));
      leader->SetDeaf(term % 3 == 2);  // who was greeted waits for it
      world.runtime().Sleep(world.runtime().random().Next() % (60 * kMilli));
      if (term % 2 == 0) {
        world.SetLeader("");
        world.runtime().Sleep(world.runtime().random().Next() % (150 * kMilli));
      }
    }
    world.SetLeader("");
    for (const auto& thread : threads) {
      thread->Join();
    }
    forwarded += world.port().counts().forwarded;
    unled += world.port().counts().unled;
    lost += world.port().counts().lost;
    world.port().Stop();
    EXPECT_EQ(world.port().counts().open, 0u);
  }
  EXPECT_GT(forwarded, 100u);  // each of these happened, in some of the histories
  EXPECT_GT(unled, 10u);
  EXPECT_GT(lost, 10u);
}

// Streams within the process: ten thousand of TCP are more than a test may take of a machine.
TEST(FollowerPort, TenThousandClientsAreServedAtOnce) {
  constexpr size_t kClients = 10'000;
  World world;
  FollowerSettings settings = world.Settings();
  settings.max_clients = kClients;
  world.Open(std::move(settings));
  std::vector<std::unique_ptr<runtime::Socket>> clients;
  for (size_t i = 0; i < kClients; ++i) {
    clients.push_back(world.network().Connect(world.port().addresses().front(), 0).value());
    const std::string name = "client " + std::to_string(i);
    const std::string_view bytes = name;
    ASSERT_EQ(clients.back()->Write(std::span(&bytes, 1)).value().bytes, name.size());
  }
  const auto leader = world.NewLeader();
  world.SetLeader(leader->address());
  size_t right = 0;
  for (size_t i = 0; i < kClients; ++i) {
    const std::string name = "client " + std::to_string(i);
    std::string reply;
    std::array<char, 32> buffer;
    ASSERT_TRUE(world.Becomes([&] {
      const auto read = clients[i]->Read(buffer).value();
      reply.append(buffer.data(), read.bytes);
      return reply.size() >= name.size() || read.ended;
    }));
    right += reply == name ? 1 : 0;
  }
  EXPECT_EQ(right, kClients);
  EXPECT_EQ(world.port().counts().open, kClients);
  EXPECT_EQ(world.port().counts().unled, 0u);
}

TEST_P(FollowerPortOn, ClientsThatComeBackAreIntroducedToTheLeader) {
  Reader reader;
  FollowerSettings settings = world_.Settings();
  settings.take = [&](command::Departing& client) { return reader.Take(client); };
  FollowerPort& port = world_.Open(std::move(settings));
  Client client = world_.NewClient();
  std::unique_ptr<runtime::Socket> socket;
  ASSERT_TRUE(world_.Becomes([&] { return (socket = reader.Taken()) != nullptr; }));
  EXPECT_EQ(port.counts().accepted, 1u);
  EXPECT_EQ(port.counts().open, 0u);
  // The echo of a request is an array: the reply to it, which the client does not hear.
  command::Departing back{.client = std::move(socket),
                          .introduction = "*2\r\n$5\r\nHELLO\r\n$1\r\n2\r\n*1\r\n$4\r\nPING\r\n",
                          .unheard = 2,
                          .bytes = "first "};
  EXPECT_TRUE(port.PassOn(back));
  client.Send("second");
  ASSERT_TRUE(world_.Becomes([&] { return port.counts().open == 1; }));
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  EXPECT_EQ(client.Read(12), "first second");
  EXPECT_EQ(client.Ask("third", 5), "third");
  client.Finish();
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_TRUE(world_.Becomes([&] { return port.counts().open == 0; }));
}

TEST_P(FollowerPortOn, WhoIsNotTakenIsPassedOnAsEver) {
  Reader reader;
  reader.SetTaking(false);
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  FollowerSettings settings = world_.Settings();
  settings.take = [&](command::Departing& client) { return reader.Take(client); };
  world_.Open(std::move(settings));
  Client client = world_.NewClient();
  EXPECT_EQ(client.Ask("hello", 5), "hello");
  EXPECT_EQ(leader->accepted(), 1u);
}

TEST_P(FollowerPortOn, AnIntroductionThatNobodyUnderstandsEndsTheConnection) {
  Reader reader;
  FollowerSettings settings = world_.Settings();
  settings.take = [&](command::Departing& client) { return reader.Take(client); };
  FollowerPort& port = world_.Open(std::move(settings));
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  Client client = world_.NewClient();
  std::unique_ptr<runtime::Socket> socket;
  ASSERT_TRUE(world_.Becomes([&] { return (socket = reader.Taken()) != nullptr; }));
  command::Departing back{.client = std::move(socket),
                          .introduction = "nonsense\r\n",
                          .unheard = 1,
                          .bytes = "PING\r\n"};
  EXPECT_TRUE(port.PassOn(back));
  EXPECT_EQ(client.ReadAll(), "-ERR " + leader->address() + " speaks another protocol\r\n");
  EXPECT_EQ(leader->received_bytes(), kGreetingBytes + 10) << "nothing of the client's";
  EXPECT_EQ(port.counts().lost, 1u);
}

TEST_P(FollowerPortOn, WhoComesBackToAStoppedPortIsNotTaken) {
  Reader reader;
  FollowerSettings settings = world_.Settings();
  settings.take = [&](command::Departing& client) { return reader.Take(client); };
  FollowerPort& port = world_.Open(std::move(settings));
  Client client = world_.NewClient();
  std::unique_ptr<runtime::Socket> socket;
  ASSERT_TRUE(world_.Becomes([&] { return (socket = reader.Taken()) != nullptr; }));
  port.Stop();
  command::Departing back{.client = std::move(socket), .bytes = "hello"};
  EXPECT_FALSE(port.PassOn(back));
  EXPECT_NE(back.client, nullptr);
}

// --- TLS ---

class FollowerPortWithTls : public testing::TestWithParam<Kind> {};

INSTANTIATE_TEST_SUITE_P(Memory, FollowerPortWithTls, testing::Values(Kind::kMemory));
INSTANTIATE_TEST_SUITE_P(Loopback, FollowerPortWithTls, testing::Values(Kind::kLoopback));

TEST_P(FollowerPortWithTls, ClientsArePassedOnUnderTls) {
  TlsWorld secret(GetParam());
  const auto leader = secret.NewLeader();
  FollowerPort& port = secret.world.Open(secret.Settings());
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(secret.NewClient());
    clients.back().Send("hello " + std::to_string(i));
  }
  for (int i = 0; i < 20; ++i) {
    const std::string hello = "hello " + std::to_string(i);
    EXPECT_EQ(clients[i].Read(hello.size()), hello);
  }
  clients[7].Finish();
  EXPECT_EQ(clients[7].ReadAll(), "");
  EXPECT_TRUE(secret.world.Becomes([&] { return port.counts().open == 19; }));
  EXPECT_EQ(port.counts().forwarded, 20u);
  EXPECT_EQ(port.counts().lost, 0u);
}

TEST_P(FollowerPortWithTls, SlowReadersGetAllOfLargeTransfers) {
  TlsWorld secret(GetParam());
  const auto leader = secret.NewLeader();
  FollowerSettings settings = secret.Settings();
  settings.buffer_bytes = 5000;
  secret.world.Open(std::move(settings));
  Client client = secret.NewClient();
  const std::string bytes = Pattern(GetParam() == Kind::kLoopback ? 32 << 20 : 2 << 20, 1);
  size_t sent = client.Send(bytes, 20);
  EXPECT_LT(sent, bytes.size());
  std::string received;
  while (received.size() < bytes.size()) {
    const std::string some = client.Read(std::min(size_t{65'536}, sent - received.size()));
    ASSERT_FALSE(some.empty()) << "after " << received.size() << " of " << sent;
    received += some;
    sent += client.Send(std::string_view(bytes).substr(sent), 0);
  }
  EXPECT_TRUE(received == bytes);
}

TEST_P(FollowerPortWithTls, ClientsOfPlainAddressesArePassedOnUnderTlsToo) {
  TlsWorld secret(GetParam());
  const auto leader = secret.NewLeader();
  FollowerSettings settings = secret.Settings();
  settings.addresses = {"127.0.0.1:0"};
  secret.world.Open(std::move(settings));
  Client plain = secret.world.NewClient();
  EXPECT_EQ(plain.Ask("hello", 5), "hello");
  EXPECT_EQ(secret.NewClient().Ask("hello", 5), "hello");
  EXPECT_EQ(leader->accepted(), 2u);
}

// Whoever answers at the leader's address must be the leader, before it is told anything.
TEST_P(FollowerPortWithTls, LeadersThatNobodyVouchesForHearNothing) {
  for (const std::string host : {"127.0.0.1", "127.0.0.2"}) {
    TlsWorld secret(GetParam());
    secret.files.Write("other.pem", support::kOtherAuthority);
    tls::TlsNetwork wary(secret.files.runtime(), secret.world.network(),
                         {.ca_file = secret.files.Path("other.pem")});
    wary.ReloadClient().value();
    const bool wrong_host = host == "127.0.0.2";
    const auto leader = secret.NewLeader(host + ":0");
    FollowerSettings settings = secret.Settings(wrong_host ? secret.trusting : wary);
    settings.wait_nanos = 200 * kMilli;
    secret.world.Open(std::move(settings));
    Client client = secret.NewClient();
    const std::string reply = client.Ask("AUTH secret\r\n", 1 << 20);
    EXPECT_TRUE(reply.starts_with("-TRYAGAIN " + leader->address() + " leads")) << reply;
    EXPECT_NE(reply.find("its certificate is not trusted"), std::string::npos) << reply;
    EXPECT_NE(reply.find(wrong_host ? "mismatch" : "self-signed"), std::string::npos) << reply;
    EXPECT_EQ(leader->received_bytes(), 0u);
    secret.world.Close();
  }
}

TEST_P(FollowerPortWithTls, ALeaderThatAsksForACertificateIsShownTheServers) {
  TlsWorld secret(GetParam(), tls::ClientAuth::kRequired);
  tls::TlsNetwork showing(secret.files.runtime(), secret.world.network(), secret.files.Settings());
  showing.ReloadClient().value();
  const auto leader = secret.NewLeader();
  for (const bool shown : {false, true}) {
    FollowerSettings settings = secret.Settings(shown ? showing : secret.trusting);
    settings.addresses = {"127.0.0.1:0"};
    secret.world.Open(std::move(settings));
    Client client = secret.world.NewClient();
    const std::string reply = client.Ask("hello", shown ? 5 : 1 << 20);
    if (shown) {
      EXPECT_EQ(reply, "hello");
    } else {
      EXPECT_NE(reply.find("certificate required"), std::string::npos) << reply;
      EXPECT_EQ(leader->received_bytes(), 0u);
    }
    secret.world.Close();
  }
}

TEST_P(FollowerPortWithTls, ClientsThatDoNotAgreeOnTlsAreClosed) {
  for (const bool forward : {true, false}) {
    TlsWorld secret(GetParam());
    const auto leader = secret.NewLeader();
    FollowerSettings settings = secret.Settings();
    settings.forward = forward;
    settings.handshake_nanos = 200 * kMilli;
    FollowerPort& port = secret.world.Open(std::move(settings));
    std::vector<Client> silent;
    for (int i = 0; i < 100; ++i) {
      silent.push_back(secret.world.NewClient());
    }
    silent[0].Send("\x16\x03\x01");  // as the beginning of a handshake
    Client clear = secret.world.NewClient();
    clear.Send("AUTH secret\r\n");
    EXPECT_EQ(clear.ReadAll().find("secret"), std::string::npos);
    Client client = secret.NewClient();
    const std::string reply = client.Ask("PING\r\n", 6);
    EXPECT_EQ(reply, forward ? "PING\r\n" : "+PONG\r");
    EXPECT_TRUE(secret.world.Becomes([&] { return port.counts().open == 1; }));
    for (Client& one : silent) {
      EXPECT_EQ(one.ReadAll(), "");
    }
    EXPECT_EQ(leader->received_bytes(), forward ? kGreetingBytes + 6 : 0u);
    secret.world.Close();
  }
}

TEST_P(FollowerPortWithTls, WhoIsRefusedIsNamedTheLeaderUnderTls) {
  TlsWorld secret(GetParam());
  secret.world.SetLeader("10.0.0.7:6480", true);
  FollowerSettings settings = secret.Settings();
  settings.forward = false;
  secret.world.Open(std::move(settings));
  Client client = secret.NewClient();
  client.Send("GET a\r\nQUIT\r\n");
  EXPECT_EQ(client.ReadAll(),
            "-READONLY this server does not lead the group; ask 10.0.0.7:6480\r\n+OK\r\n");
}

// What the reader did not take of a record goes to the leader.
TEST_P(FollowerPortWithTls, ClientsThatComeBackLoseNothing) {
  TlsWorld secret(GetParam());
  Reader reader;
  FollowerSettings settings = secret.Settings();
  settings.take = [&](command::Departing& client) { return reader.Take(client); };
  FollowerPort& port = secret.world.Open(std::move(settings));
  const auto leader = secret.NewLeader();
  const auto client = secret.trusting.Begin(port.addresses().front(), kPatienceNanos).value();
  std::unique_ptr<runtime::Socket> socket;
  ASSERT_TRUE(secret.world.Becomes([&] { return (socket = reader.Taken()) != nullptr; }));
  const auto advance = [&] {
    return client->Read({}).ok() && socket->Read({}).ok() && client->established() &&
           socket->established();
  };
  ASSERT_TRUE(secret.world.Becomes(advance));
  const std::string_view said = "first second";
  ASSERT_EQ(client->Write(std::span(&said, 1)).value().bytes, said.size());
  std::string taken(5, '\0');
  ASSERT_TRUE(secret.world.Becomes([&] { return socket->Read(taken).value().bytes > 0; }));
  EXPECT_EQ(taken, "first");
  command::Departing back{.client = std::move(socket), .bytes = taken};
  EXPECT_TRUE(port.PassOn(back));
  std::string heard;
  EXPECT_TRUE(secret.world.Becomes([&] {
    std::array<char, 100> buffer;
    heard.append(buffer.data(), client->Read(buffer).value().bytes);
    return heard == said;
  })) << heard;
}

}  // namespace

}  // namespace luna::follower
