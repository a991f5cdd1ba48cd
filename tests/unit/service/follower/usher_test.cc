#include "service/follower/usher.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/service/follower/line_leader.h"
#include "unit/service/follower/tls_world.h"

namespace luna::follower {

namespace {

enum class Road : uint8_t { kOpen, kSilent, kClosed, kCircle };

// A connection that gets nowhere while its road is silent.
class RoadSocket final : public runtime::Socket {
 public:
  RoadSocket(std::unique_ptr<runtime::Socket> carrier, const std::atomic<Road>& road,
             std::atomic<int>& open, std::atomic<int>& most_open)
      : carrier_(std::move(carrier)), road_(road), open_(open), most_open_(most_open) {
    most_open_ = std::max(most_open_.load(), ++open_);
  }
  ~RoadSocket() override { --open_; }
  Result<runtime::Transfer> Read(std::span<char> into) override {
    return established() ? carrier_->Read(into) : runtime::Transfer{};
  }
  Result<runtime::Transfer> Write(std::span<const std::string_view> parts) override {
    return established() ? carrier_->Write(parts) : runtime::Transfer{};
  }
  void FinishWrites() override { carrier_->FinishWrites(); }
  const std::string& peer() const override { return carrier_->peer(); }
  const std::string& local() const override {
    return road_ == Road::kCircle ? carrier_->peer() : carrier_->local();
  }
  runtime::Socket& carrier() override { return *carrier_; }
  bool established() const override { return road_ != Road::kSilent; }

 private:
  const std::unique_ptr<runtime::Socket> carrier_;
  const std::atomic<Road>& road_;
  std::atomic<int>& open_;
  std::atomic<int>& most_open_;
};

class RoadPoller final : public runtime::Poller {
 public:
  explicit RoadPoller(std::unique_ptr<runtime::Poller> below) : below_(std::move(below)) {}
  Status Add(runtime::Socket& socket, uint64_t tag) override {
    return below_->Add(socket.carrier(), tag);
  }
  Status Add(runtime::Listener& listener, uint64_t tag) override {
    return below_->Add(listener, tag);
  }
  void Remove(runtime::Socket& socket) override { below_->Remove(socket.carrier()); }
  void Remove(runtime::Listener& listener) override { below_->Remove(listener); }
  size_t Wait(std::span<runtime::Ready> ready, uint64_t nanos) override {
    return below_->Wait(ready, nanos);
  }
  void Wake() override { below_->Wake(); }

 private:
  const std::unique_ptr<runtime::Poller> below_;
};

// The network below, where the way to whoever is dialed is as the test wants it, and is counted.
class RoadNetwork final : public runtime::Network {
 public:
  explicit RoadNetwork(runtime::Network& below) : below_(below) {}
  Result<std::unique_ptr<runtime::Listener>> Listen(std::string_view address) override {
    return below_.Listen(address);
  }
  Result<std::unique_ptr<runtime::Socket>> Connect(std::string_view address,
                                                   uint64_t nanos) override {
    return below_.Connect(address, nanos);
  }
  Result<std::unique_ptr<runtime::Socket>> Dial(std::string_view address) override {
    ++dials;
    if (road == Road::kClosed) {
      return Error(Reason::kUnreachable, "the road is closed");
    }
    auto socket = below_.Dial(address);
    if (!socket.ok()) {
      return socket;
    }
    return std::unique_ptr<runtime::Socket>(
        std::make_unique<RoadSocket>(std::move(socket).value(), road, open, most_open));
  }
  Result<std::string> Resolve(std::string_view address) override { return below_.Resolve(address); }
  std::unique_ptr<runtime::Poller> NewPoller() override {
    return std::make_unique<RoadPoller>(below_.NewPoller());
  }

  std::atomic<Road> road = Road::kOpen;
  std::atomic<int> dials = 0;
  std::atomic<int> open = 0;  // dialed and not closed
  std::atomic<int> most_open = 0;

 private:
  runtime::Network& below_;
};

class UsherTest : public testing::Test {
 protected:
  ~UsherTest() override { Stop(); }

  void Start(uint64_t wait_nanos = kPatienceNanos) {
    auto dial_tls = std::move(settings_.dial_tls);  // the test's
    settings_ = world_.Settings();
    settings_.dial_tls = std::move(dial_tls);
    settings_.wait_nanos = wait_nanos;
    usher_ = std::make_unique<Usher>(world_.runtime(), network_, settings_, tallies_, resolver_);
    usher_->Listen().value();
    thread_ = world_.runtime().Spawn("usher", runtime::ThreadClass::kForeground,
                                     [this] { usher_->Run(); });
    address_ = usher_->addresses().front();
  }
  void Stop() {
    if (thread_ != nullptr) {
      usher_->Stop();
      thread_->Join();
      thread_ = nullptr;
    }
  }
  std::vector<Client> Ask(size_t clients) {
    std::vector<Client> all;
    for (size_t i = 0; i < clients; ++i) {
      all.emplace_back(network_, address_);
      EXPECT_EQ(all.back().Send("hello"), 5u);
    }
    return all;
  }

  World world_{Kind::kSimulated};
  RoadNetwork network_{world_.network()};
  Resolver resolver_{world_.runtime(), network_};
  FollowerSettings settings_;
  Tallies tallies_;
  std::unique_ptr<Usher> usher_;
  std::unique_ptr<runtime::Thread> thread_;
  std::string address_;
};

TEST_F(UsherTest, ALeaderThatRefusesIsNotRunOver) {
  world_.SetLeader("127.0.0.1:1");
  network_.road = Road::kClosed;
  Start(300 * kMilli);
  auto clients = Ask(400);
  for (Client& client : clients) {
    const std::string reply = client.ReadAll();
    EXPECT_TRUE(
        reply.starts_with("-TRYAGAIN 127.0.0.1:1 leads the group but is not reached: the "
                          "road is closed; "))
        << reply;
  }
  EXPECT_EQ(tallies_.unled, 400u);
  EXPECT_GE(network_.dials, 2);
  EXPECT_LE(network_.dials, 200);  // one each 2 ms, not one each client
}

TEST_F(UsherTest, DialsOnTheirWayAreBounded) {
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  network_.road = Road::kSilent;
  Start();
  auto clients = Ask(600);
  EXPECT_TRUE(world_.Becomes([&] { return network_.open == 256; }));
  network_.road = Road::kOpen;
  for (Client& client : clients) {
    EXPECT_EQ(client.Read(5), "hello");
  }
  EXPECT_EQ(tallies_.forwarded, 600u);
}

TEST_F(UsherTest, DialsThatGetNoAnswerAreTriedAgain) {
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  network_.road = Road::kSilent;
  Start();
  auto clients = Ask(1);
  EXPECT_TRUE(world_.Becomes([&] { return network_.dials >= 2; }));
  network_.road = Road::kOpen;
  EXPECT_EQ(clients[0].Read(5), "hello");
}

TEST_F(UsherTest, SilentDialsEndInTime) {
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  network_.road = Road::kSilent;
  Start(100 * kMilli);
  auto clients = Ask(1);
  EXPECT_EQ(clients[0].ReadAll(), "-TRYAGAIN " + leader->address() +
                                      " leads the group but is not reached: no answer within the "
                                      "time; try again later\r\n");
  EXPECT_TRUE(world_.Becomes([&] { return network_.open == 0; }));
}

TEST_F(UsherTest, DialsToAFormerLeaderAreGivenUp) {
  const auto former = world_.NewLeader();
  const auto next = world_.NewLeader();
  world_.SetLeader(former->address());
  network_.road = Road::kSilent;
  Start();
  auto clients = Ask(3);
  EXPECT_TRUE(world_.Becomes([&] { return network_.open == 3; }));
  world_.SetLeader(next->address());
  EXPECT_TRUE(world_.Becomes([&] { return network_.dials >= 6; }));
  network_.road = Road::kOpen;
  for (Client& client : clients) {
    EXPECT_EQ(client.Read(5), "hello");
  }
  EXPECT_EQ(next->received_bytes(), 3 * (5 + kGreetingBytes));
  EXPECT_EQ(former->received_bytes(), 0u);
}

TEST_F(UsherTest, AConnectionToItselfIsNone) {
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  network_.road = Road::kCircle;
  Start(100 * kMilli);
  auto clients = Ask(1);
  const std::string reply = clients[0].ReadAll();
  EXPECT_NE(reply.find("nobody listens at " + leader->address()), std::string::npos) << reply;
  EXPECT_EQ(leader->received_bytes(), 0u);
}

// Before a byte of what clients say is on its way.
TEST_F(UsherTest, WhoSpeaksNoTlsPassesNobodyOnToALeaderThatDoes) {
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address(), true);
  Start(100 * kMilli);
  auto clients = Ask(3);
  for (Client& client : clients) {
    const std::string reply = client.ReadAll();
    EXPECT_TRUE(reply.starts_with("-TRYAGAIN " + leader->address() +
                                  " leads the group but is not reached: it speaks TLS and this "
                                  "server does not; set tls-listen"))
        << reply;
  }
  EXPECT_EQ(network_.dials, 0);
}

TEST_F(UsherTest, WhoSpeaksTlsPassesNobodyOnToALeaderThatDoesNot) {
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  std::atomic<int> dials = 0;
  settings_.dial_tls = [&](const std::string& address, const std::string&) {
    ++dials;
    return network_.Dial(address);
  };
  Start(100 * kMilli);
  auto clients = Ask(1);
  const std::string reply = clients[0].ReadAll();
  EXPECT_NE(reply.find("it speaks no TLS and this server does"), std::string::npos) << reply;
  Stop();
  EXPECT_EQ(dials, 0);
  EXPECT_EQ(network_.dials, 0);
}

TEST_F(UsherTest, ALeaderWithANameIsDialedByItsNumberAndJudgedByItsName) {
  const auto leader = world_.NewLeader();
  const std::string port = leader->address().substr(leader->address().rfind(':'));
  world_.SetLeader("localhost" + port, true);
  base::Mutex mutex;
  std::string asked;
  settings_.dial_tls = [&](const std::string& address, const std::string& host) {
    {
      const base::MutexLock lock(mutex);
      asked = address + " of " + host;
    }
    return network_.Dial(address);
  };
  Start();
  auto clients = Ask(1);
  EXPECT_EQ(clients[0].Read(5), "hello");
  Stop();
  const base::MutexLock lock(mutex);
  EXPECT_EQ(asked, "127.0.0.1" + port + " of localhost");
}

TEST_F(UsherTest, PlacesOfThoseThatLeftAreTakenByOthers) {
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  Start();
  for (int i = 0; i < 50; ++i) {
    auto clients = Ask(3);
    for (Client& client : clients) {
      EXPECT_EQ(client.Read(5), "hello");
    }
  }
  EXPECT_TRUE(world_.Becomes([&] { return tallies_.open == 0; }));
  EXPECT_EQ(tallies_.accepted, 150u);
  EXPECT_TRUE(world_.Becomes([&] { return network_.open == 0; }));
}

// --- Clients that wait, and are others' later ---

class UsherOn : public testing::TestWithParam<Kind> {
 protected:
  World world_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Memory, UsherOn, testing::Values(Kind::kMemory));
INSTANTIATE_TEST_SUITE_P(Loopback, UsherOn, testing::Values(Kind::kLoopback));

TEST_P(UsherOn, WhoWaitsIsOfferedWhenSomebodyReads) {
  Reader reader;
  reader.SetTaking(false);
  std::atomic<bool> takes = false;
  FollowerSettings settings = world_.Settings();
  settings.take = [&](command::Departing& client) { return reader.Take(client); };
  settings.takes = [&] { return takes.load(); };
  FollowerPort& port = world_.Open(std::move(settings));
  Client silent = world_.NewClient();
  Client asking = world_.NewClient();
  asking.Send("first ");
  ASSERT_TRUE(world_.Becomes([&] { return port.counts().open == 2; }));
  takes = true;  // and yet it does not
  ASSERT_TRUE(world_.Becomes([&] { return reader.refused() > 2; }));
  EXPECT_TRUE(world_.Becomes([&] { return port.counts().open == 2; }));
  reader.SetTaking(true);
  ASSERT_TRUE(world_.Becomes([&] { return port.counts().open == 0; }));
  EXPECT_EQ(port.counts().accepted, 2u);
  command::Departing one = reader.TakenWhole();
  command::Departing other = reader.TakenWhole();
  EXPECT_EQ(one.bytes + other.bytes, "first ");
  // One that comes back for the leader is not offered again.
  command::Departing& back = one.bytes.empty() ? other : one;
  back.for_leader = true;
  EXPECT_TRUE(port.PassOn(back));
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  EXPECT_EQ(asking.Ask("second", 12), "first second");
}

// What a stopped port leaves, the next one passes on; or whoever leads here answers it.
TEST_P(UsherOn, ClientsOfWhichNothingWasPassedOnOutliveIt) {
  FollowerPort& port = world_.Open();
  const auto leader = world_.NewLeader();
  world_.SetLeader(leader->address());
  Client passed = world_.NewClient();
  EXPECT_EQ(passed.Ask("hello", 5), "hello");
  world_.SetLeader("");
  ASSERT_TRUE(world_.Becomes([&] { return world_.asked(); }));
  Client silent = world_.NewClient();
  Client asking = world_.NewClient();
  asking.Send("first ");
  ASSERT_TRUE(world_.Becomes([&] { return port.counts().open == 3; }));
  std::vector<command::Departing> left = port.Stop();
  EXPECT_EQ(passed.ReadAll(), "");
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(port.counts().open, 0u);
  asking.Send("second ");
  port.Start().value();
  for (command::Departing& client : left) {
    EXPECT_TRUE(port.PassOn(client));
  }
  world_.SetLeader(leader->address());
  EXPECT_EQ(asking.Ask("third", 18), "first second third");
  EXPECT_EQ(silent.Ask("me too", 6), "me too");
}

// The session goes along, with what of a record nobody read yet.
TEST_P(UsherOn, ClientsUnderTlsOutliveIt) {
  TlsWorld secret(GetParam());
  FollowerPort& port = secret.world.Open(secret.Settings());
  Client silent = secret.NewClient();
  Client asking = secret.NewClient();
  asking.Send("first ");
  ASSERT_TRUE(secret.world.Becomes([&] { return port.counts().open == 2; }));
  std::vector<command::Departing> left = port.Stop();
  ASSERT_EQ(left.size(), 2u);
  asking.Send("second ");
  port.Start().value();
  for (command::Departing& client : left) {
    EXPECT_TRUE(port.PassOn(client));
  }
  const auto leader = secret.NewLeader();
  EXPECT_EQ(asking.Ask("third", 18), "first second third");
  EXPECT_EQ(silent.Ask("me too", 6), "me too");
}

// --- Clients that are given back ---

std::string Lines(std::string_view before, size_t from, size_t to) {
  std::string lines;
  for (size_t i = from; i < to; ++i) {
    lines += std::string(before) + std::to_string(i) + "\r\n";
  }
  return lines;
}

// The lead goes from one leader to the next, of which each begins a part of what was asked.
void GiveAwayAndTake(World& world, runtime::Network& leaders, FollowerSettings settings,
                     const std::function<Client()>& new_client, bool tls) {
  FollowerSettings of_others = settings;
  settings.new_mark = {};
  FollowerPort& port = world.Open(std::move(settings));
  auto first = std::make_unique<LineLeader>(world.runtime(), leaders, "127.0.0.1:0", 40);
  world.SetLeader(first->address(), tls);
  Client client = new_client();
  EXPECT_EQ(client.Send(Lines("", 0, 100)), Lines("", 0, 100).size());
  ASSERT_TRUE(world.Becomes([&] { return first->answered() == 40; }));
  std::vector<command::Departing> left = first->HandOn();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_TRUE(command::IsMark(left[0].mark)) << left[0].mark;
  (tls ? of_others.tls_addresses : of_others.addresses) = {first->address()};
  FollowerPort former(world.runtime(), world.network(), of_others);
  ASSERT_TRUE(former.Start().ok());
  EXPECT_TRUE(former.PassOn(left[0]));
  ASSERT_TRUE(world.Becomes([&] { return port.counts().returned == 1; }));
  EXPECT_EQ(client.Send("100\r\n"), 5u);
  LineLeader second(world.runtime(), leaders);
  world.SetLeader(second.address(), tls);
  EXPECT_EQ(client.Read(Lines("+", 0, 101).size()), Lines("+", 0, 101));
  EXPECT_EQ(client.Ask("and on\r\n", 9), "+and on\r\n");
  EXPECT_EQ(port.counts().lost, 0u);
  EXPECT_EQ(port.counts().forwarded, 2u);
  EXPECT_TRUE(world.Becomes([&] { return former.counts().open == 0; }));
  EXPECT_EQ(former.counts().lost + former.counts().forwarded, 0u);
  left = second.HandOn();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(second.lines().size(), 62u);
  EXPECT_EQ(second.lines().front(), "40");
  client.Close();
  world.Close();
}

TEST_P(UsherOn, ClientsNoticeNothingWhenTheirLeaderGivesItsLeadAway) {
  GiveAwayAndTake(
      world_, world_.network(), world_.Settings(), [&] { return world_.NewClient(); }, false);
}

TEST_P(UsherOn, ClientsUnderTlsNoticeNothingWhenTheirLeaderGivesItsLeadAway) {
  TlsWorld secret(GetParam());
  GiveAwayAndTake(
      secret.world, secret.network, secret.Settings(), [&] { return secret.NewClient(); }, true);
}

// Whoever leads next may be the server that it is passed on by.
TEST_P(UsherOn, WhoIsGivenBackSoonAfterTheStopIsHandedOn) {
  base::Mutex mutex;
  std::vector<command::Departing> handed;
  FollowerSettings settings = world_.Settings();
  FollowerSettings of_former = settings;
  settings.new_mark = {};
  settings.hand_on = [&](command::Departing client) {
    const base::MutexLock lock(mutex);
    handed.push_back(std::move(client));
  };
  FollowerPort& port = world_.Open(std::move(settings));
  auto leader = std::make_unique<LineLeader>(world_.runtime(), world_.network(), "127.0.0.1:0", 40);
  world_.SetLeader(leader->address());
  Client client = world_.NewClient();
  EXPECT_EQ(client.Send(Lines("", 0, 100)), Lines("", 0, 100).size());
  ASSERT_TRUE(world_.Becomes([&] { return leader->answered() == 40; }));
  std::vector<command::Departing> left = leader->HandOn();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(port.Stop().size(), 0u);  // it is passed on still
  EXPECT_TRUE(port.addresses().empty());
  of_former.addresses = {leader->address()};
  FollowerPort former(world_.runtime(), world_.network(), of_former);
  ASSERT_TRUE(former.Start().ok());
  EXPECT_TRUE(former.PassOn(left[0]));
  ASSERT_TRUE(world_.Becomes([&] {
    const base::MutexLock lock(mutex);
    return handed.size() == 1;
  }));
  EXPECT_EQ(handed[0].bytes, Lines("", 40, 100));
  EXPECT_EQ(handed[0].introduction, kIntroduction);
  EXPECT_EQ(client.Read(Lines("+", 0, 40).size()), Lines("+", 0, 40));
  EXPECT_TRUE(world_.Becomes([&] { return port.counts().open == 0; }));
  // Who is not given back is closed, at once where the port is to begin anew.
  LineLeader deaf(world_.runtime(), world_.network());
  world_.SetLeader(deaf.address());
  port.Start().value();
  Client lost(world_.network(), port.addresses().front());
  EXPECT_EQ(lost.Ask("a\r\n", 4), "+a\r\n");
  EXPECT_EQ(port.Stop().size(), 0u);
  EXPECT_EQ(port.counts().open, 1u);
  port.Start().value();
  EXPECT_EQ(lost.ReadAll(), "");
  EXPECT_EQ(port.counts().open, 0u);
}

// What the network reports but once may be reported in the same breath as the stop.
TEST_P(UsherOn, WhoIsGivenBackInTheMomentOfTheStopIsHandedOn) {
  runtime::Runtime& runtime = world_.runtime();
  std::atomic<bool> holds = false;
  std::atomic<bool> held = false;
  std::atomic<int> handed = 0;
  FollowerSettings settings = world_.Settings();
  FollowerSettings of_former = settings;
  settings.leader = [&, asked = settings.leader] {
    while (holds) {
      held = true;
      runtime.Sleep(kMilli);
    }
    return asked();
  };
  settings.hand_on = [&](const command::Departing&) { ++handed; };
  Tallies tallies;
  Resolver resolver(runtime, world_.network());
  Usher usher(runtime, world_.network(), settings, tallies, resolver);
  usher.Listen().value();
  const auto thread =
      runtime.Spawn("usher", runtime::ThreadClass::kForeground, [&] { usher.Run(); });
  auto leader = std::make_unique<LineLeader>(runtime, world_.network());
  world_.SetLeader(leader->address());
  Client client(world_.network(), usher.addresses().front());
  EXPECT_EQ(client.Ask("a\r\n", 4), "+a\r\n");
  holds = true;
  ASSERT_TRUE(world_.Becomes([&] { return held.load(); }));
  std::vector<command::Departing> left = leader->HandOn();
  ASSERT_EQ(left.size(), 1u);
  of_former.addresses = {leader->address()};
  FollowerPort former(runtime, world_.network(), of_former);
  former.Start().value();
  EXPECT_TRUE(former.PassOn(left[0]));
  ASSERT_TRUE(world_.Becomes([&] { return former.counts().open == 1; }));
  runtime.Sleep(10 * kMilli);  // until its mark is there
  usher.Stop();
  holds = false;
  EXPECT_EQ(usher.TakeLeft().size(), 0u);
  thread->Join();
  EXPECT_EQ(handed, 1);
  EXPECT_EQ(tallies.returned, 1u);
}

// A port that stops before it came to give somebody back leaves that to its owner.
TEST_P(UsherOn, WhoWasNotGivenBackYetIsGivenBackByTheNextOne) {
  const auto listener = world_.network().Listen("127.0.0.1:0").value();
  Client passing(world_.network(), listener->address());
  std::unique_ptr<runtime::Socket> socket;
  ASSERT_TRUE(world_.Becomes([&] { return (socket = listener->Accept().value()) != nullptr; }));
  FollowerSettings settings = world_.Settings();
  const std::string mark(command::kMarkDigits, 'a');
  Tallies tallies;
  Resolver resolver(world_.runtime(), world_.network());
  Usher usher(world_.runtime(), world_.network(), settings, tallies, resolver);
  usher.Give({.client = std::move(socket), .bytes = "asked", .mark = mark});
  EXPECT_EQ(tallies.returning, 1u);
  usher.Stop();
  usher.Run();
  std::vector<command::Departing> left = usher.TakeLeft();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].mark, mark);
  EXPECT_EQ(left[0].bytes, "asked");
  EXPECT_EQ(tallies.returning, 0u);
  EXPECT_TRUE(world_.Open(std::move(settings)).PassOn(left[0]));
  EXPECT_EQ(world_.port().counts().returning, 1u);
  EXPECT_EQ(passing.Read(mark.size()), mark);
  passing.Close();
  EXPECT_TRUE(world_.Becomes([&] { return world_.port().counts().returning == 0; }));
}

// What a client hears while the lead moves to and fro; true: each reply, in order.
bool TalkLines(World& world, const std::string& name) {
  runtime::Random& random = world.runtime().random();
  Client client(world.network(), world.port().addresses().front());
  for (int round = 0; round < 25; ++round) {
    const std::string before = name + "." + std::to_string(round) + ".";
    const size_t lines = 1 + random.Next() % 40;
    const std::string replies = Lines("+" + before, 0, lines);
    if (client.Ask(Lines(before, 0, lines), replies.size()) != replies) {
      return false;
    }
    world.runtime().Sleep(random.Next() % (20 * kMilli));
  }
  return true;
}

// One that leads for a while, and then the port where it led, which gives its clients back.
struct Term {
  explicit Term(World& world_in)
      : world(world_in), leader(world.runtime(), world.network()), port(NewPort(world)) {
    port.Start().value();
  }
  static FollowerPort NewPort(World& world) {
    FollowerSettings settings = world.Settings();
    settings.addresses = {};
    settings.buffer_bytes = 1 + world.runtime().random().Next() % 3000;
    return {world.runtime(), world.network(), std::move(settings)};
  }
  void End() {
    for (command::Departing& client : leader.HandOn()) {
      world.runtime().Sleep(world.runtime().random().Next() % (5 * kMilli));
      EXPECT_TRUE(port.PassOn(client));
    }
  }

  World& world;
  LineLeader leader;
  FollowerPort port;
};

TEST(UsherSimulated, EverythingIsDoneOnceAndInOrderWhileTheLeadMoves) {
  uint64_t returned = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(Kind::kSimulated, seed);
    runtime::Random& random = world.runtime().random();
    FollowerSettings settings = world.Settings();
    settings.buffer_bytes = 1 + random.Next() % 3000;
    world.Open(std::move(settings));
    std::vector<std::unique_ptr<Term>> terms;
    terms.push_back(std::make_unique<Term>(world));
    world.SetLeader(terms.back()->leader.address());
    std::atomic<int> right = 0;
    std::vector<std::unique_ptr<runtime::Thread>> threads;
    for (int i = 0; i < 4; ++i) {
      threads.push_back(world.runtime().Spawn("client", runtime::ThreadClass::kForeground, [&, i] {
        right += TalkLines(world, std::to_string(i)) ? 1 : 0;
      }));
    }
    for (int moves = 0; moves < 6; ++moves) {
      world.runtime().Sleep(random.Next() % (60 * kMilli));
      Term& former = *terms.back();
      terms.push_back(std::make_unique<Term>(world));
      const bool known_before = random.Next() % 2 == 0;
      if (known_before) {
        world.SetLeader(terms.back()->leader.address());
        world.runtime().Sleep(random.Next() % (100 * kMilli));
      }
      former.End();
      if (!known_before) {
        world.runtime().Sleep(random.Next() % (100 * kMilli));
        world.SetLeader(terms.back()->leader.address());
      }
    }
    for (const auto& thread : threads) {
      thread->Join();
    }
    EXPECT_EQ(right, 4);
    EXPECT_EQ(world.port().counts().lost, 0u);
    returned += world.port().counts().returned;
    std::vector<std::string> lines;
    for (const auto& term : terms) {
      term->leader.HandOn();
      lines.insert(lines.end(), term->leader.lines().begin(), term->leader.lines().end());
    }
    std::ranges::sort(lines);
    EXPECT_EQ(std::ranges::adjacent_find(lines), lines.end()) << "nothing is done twice";
    terms.clear();
    world.Close();
  }
  EXPECT_GT(returned, 300u);
}

}  // namespace

}  // namespace luna::follower
