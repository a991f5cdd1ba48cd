#include "service/connection/connections.h"

#include <gtest/gtest.h>

#include "service/command/holdings.h"
#include "unit/service/connection/small_service.h"

namespace luna::connection {

namespace {

void ExpectAnswer(Client& client, std::string_view request, std::string_view reply) {
  EXPECT_EQ(client.Ask(request, reply), reply) << request;
}

TEST(Connections, CommandsOfEveryPlaceAnswer) {
  for (const bool on_handlers : {true, false}) {
    SmallService service({.reads_on_handlers = on_handlers});
    Client client(service);
    ExpectAnswer(client, "PING\r\n", "+PONG\r\n");
    ExpectAnswer(client, "*3\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\n1\r\n", "+OK\r\n");
    ExpectAnswer(client, "GET a\r\n", "$1\r\n1\r\n");
    ExpectAnswer(client, "LOOK a\r\n", "$1\r\n1\r\n");
    ExpectAnswer(client, "VERIFY\r\n", "+SOUND\r\n");
    ExpectAnswer(client, "nonsense\r\n", "-ERR unknown command 'nonsense'");
  }
}

TEST(Connections, AnswersThatWaitHoldUpNobodyElse) {
  SmallService service;
  Client client(service);
  Client other(service);
  runtime::Clock& clock = service.host().runtime().clock();
  const uint64_t begun = clock.MonotonicNanos();
  client.Send("ping\r\nlater\r\nping\r\nlater\r\n");
  ExpectAnswer(other, "PING\r\n", "+PONG\r\n");
  const std::string_view replies = "+PONG\r\n+LATE\r\n+PONG\r\n+LATE\r\n";
  EXPECT_EQ(client.Read(replies.size()), replies);
  EXPECT_GE(clock.MonotonicNanos() - begun, 60'000'000u);
}

TEST(Connections, PipelinesKeepTheirOrder) {
  SmallService service;
  Client client(service);
  std::string requests;
  std::string replies;
  for (int i = 0; i < 2000; ++i) {
    const std::string number = std::to_string(i);
    requests += "set k " + number + "\r\nbump k\r\nget k\r\nping\r\nset k\r\nlook k\r\nverify\r\n";
    const std::string next = std::to_string(i + 1);
    const std::string bulk = "$" + std::to_string(next.size()) + "\r\n" + next + "\r\n";
    replies += "+OK\r\n:" + next + "\r\n" + bulk +
               "+PONG\r\n-ERR wrong number of arguments for 'set' command\r\n" + bulk +
               "+SOUND\r\n";
  }
  std::string received;
  const auto reader = service.host().runtime().Spawn(
      "reader", runtime::ThreadClass::kForeground, [&] { received = client.Read(replies.size()); });
  Client other(service);  // the first one's pipeline starves nobody
  ExpectAnswer(other, "PING\r\n", "+PONG\r\n");
  client.Send(requests);
  reader->Join();
  EXPECT_TRUE(received == replies);
}

TEST(Connections, RefusalsFollowTheWritesBeforeThem) {
  SmallService service;
  Client client(service);
  ExpectAnswer(client, "set a 1\r\nset a\r\nset a 2\r\nget a\r\n",
               "+OK\r\n-ERR wrong number of arguments for 'set' command\r\n+OK\r\n$1\r\n2\r\n");
  ExpectAnswer(client, "set a 3\r\nmulti\r\nset b 1\r\nget b\r\n",
               "+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n");
}

TEST(Connections, ManyClientsWriteAtOnce) {
  SmallService service({.handlers = 2});
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<Client>(service));
  }
  constexpr int kTurns = 20;
  for (int turn = 0; turn < kTurns; ++turn) {
    for (const auto& client : clients) {
      client->Send("bump a\r\nping\r\n");
    }
    for (const auto& client : clients) {
      EXPECT_EQ(client->Read(1), ":");
      while (client->Read(1) != "\n") {
      }
      EXPECT_EQ(client->Read(7), "+PONG\r\n");
    }
  }
  Client last(service);
  ExpectAnswer(last, "get a\r\n", "$4\r\n1000\r\n");
}

TEST(Connections, ProtocolErrorsCloseTheirConnectionOnly) {
  SmallService service;
  Client good(service);
  Client bad(service);
  bad.Send("set a 1\r\n*1\r\n!3\r\nping\r\n");
  EXPECT_EQ(bad.ReadAll(), "+OK\r\n-ERR Protocol error: expected '$', got '!'\r\n");
  ExpectAnswer(good, "get a\r\n", "$1\r\n1\r\n");
}

TEST(Connections, OtherProtocolsAreClosedSilently) {
  SmallService service;
  for (const std::string_view first : {"POST / HTTP/1.1\r\n", "host: x\r\n"}) {
    Client client(service);
    client.Send(first);
    client.Send("ping\r\n");
    EXPECT_EQ(client.ReadAll(), "");
  }
}

TEST(Connections, QuitEndsAfterItsReply) {
  SmallService service;
  Client client(service);
  client.Send("set a 1\r\nquit\r\nping\r\n");
  EXPECT_EQ(client.ReadAll(), "+OK\r\n+OK\r\n");
}

TEST(Connections, HalfClosedClientsAreAnswered) {
  SmallService service;
  Client client(service);
  client.Send("set a 1\r\nget a\r\nbump a\r\nverify\r\nunfinished");
  client.Finish();
  EXPECT_EQ(client.ReadAll(), "+OK\r\n$1\r\n1\r\n:2\r\n+SOUND\r\n");
}

TEST(Connections, TheNewcomerBeyondTheGreatestNumberIsTold) {
  SmallService service({.max_clients = 1});
  auto client = std::make_unique<Client>(service);
  ExpectAnswer(*client, "ping\r\n", "+PONG\r\n");
  EXPECT_EQ(Client(service).ReadAll(), "-ERR max number of clients reached\r\n");
  command::ServiceCounts counts;
  service.connections().Count(counts);
  EXPECT_EQ(counts.connections, 1u);
  EXPECT_EQ(counts.connections_accepted, 1u);
  EXPECT_EQ(counts.connections_refused, 1u);
  service.connections().SetMaxClients(2);
  Client second(service);
  ExpectAnswer(second, "ping\r\n", "+PONG\r\n");
}

TEST(Connections, SlowReadersOfHugeRepliesGetThemAll) {
  SmallService service({.output_soft_bytes = 100'000});
  Client slow(service);
  Client quick(service);
  std::string requests;
  for (int i = 0; i < 30; ++i) {
    requests += "big 300000\r\n";
  }
  slow.Send(requests);
  ExpectAnswer(quick, "ping\r\n", "+PONG\r\n");
  const auto rows = service.connections().Clients();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_LT(rows[0].output_bytes, 500'000u);  // parsing pauses beyond the soft limit
  const std::string reply = "$300000\r\n" + std::string(300'000, 'b') + "\r\n";
  for (int i = 0; i < 30; ++i) {
    EXPECT_TRUE(slow.Read(reply.size()) == reply);
  }
  ExpectAnswer(slow, "ping\r\n", "+PONG\r\n");
}

TEST(Connections, RepliesBeyondTheHardLimitEndTheConnection) {
  SmallService service({.output_soft_bytes = 1000, .output_hard_bytes = 100'000});
  Client client(service);
  client.Send("big 200000\r\n");
  EXPECT_EQ(client.ReadAll(), "");
}

TEST(Connections, IdleAndStuckClientsAreClosed) {
  SmallService service({.idle_timeout_seconds = 1, .stuck_seconds = 1});
  Client stuck(service);
  stuck.Send("big 1000000\r\n");
  Client idle(service);
  ExpectAnswer(idle, "ping\r\n", "+PONG\r\n");
  EXPECT_EQ(idle.ReadAll(), "");
  EXPECT_LT(stuck.ReadAll().size(), 200'000u);
}

TEST(Connections, ClientsAreListedAndClosed) {
  SmallService service;
  Client first(service);
  Client second(service);
  ExpectAnswer(first, "name one\r\n", "+OK\r\n");
  ExpectAnswer(second, "name two\r\n", "+OK\r\n");
  const auto rows = service.connections().Clients();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].name, "one");
  EXPECT_EQ(rows[1].name, "two");
  EXPECT_EQ(rows[1].last_command, "name");
  EXPECT_EQ(rows[1].database, "default");
  EXPECT_EQ(rows[1].collection, "0");
  EXPECT_EQ(rows[1].local, service.address());
  EXPECT_GT(rows[1].id, rows[0].id);
  EXPECT_EQ(service.connections().CloseClients(
                [](const command::ClientRow& row) { return row.name == "one"; }),
            1u);
  EXPECT_EQ(first.ReadAll(), "");
  ExpectAnswer(second, "ping\r\n", "+PONG\r\n");
  EXPECT_EQ(service.connections().Clients().size(), 1u);
}

TEST(Connections, CountsBeginAgainWhenReset) {
  SmallService service;
  Client client(service);
  ExpectAnswer(client, "ping\r\nhalf a\r\nget\r\n",
               "+PONG\r\n-ERR only half\r\n"
               "-ERR wrong number of arguments for 'get' command\r\n");
  ExpectAnswer(client, "ping\r\n", "+PONG\r\n");  // counts are added after each turn
  command::ServiceCounts counts;
  service.connections().Count(counts);
  EXPECT_GE(counts.commands, 3u);
  EXPECT_EQ(counts.errors, 2u);
  EXPECT_GE(counts.bytes_in, 19u);
  EXPECT_GT(counts.bytes_out, 60u);
  service.connections().ResetCounts();
  service.connections().Count(counts);
  EXPECT_EQ(counts.errors, 0u);
  EXPECT_EQ(counts.connections, 1u);
}

TEST(Connections, HiddenRepliesDoNotDisturbOthers) {
  SmallService service;
  Client client(service);
  ExpectAnswer(client, "hide\r\nset a 1\r\nset b 2\r\nget a\r\nhide\r\nget a\r\nping\r\n",
               "+OK\r\n$1\r\n1\r\n+PONG\r\n");
  EXPECT_TRUE(client.IsQuiet());
}

TEST(Connections, UnauthenticatedClientsSendLittle) {
  SmallService service({}, 1000, "secret");
  Client client(service);
  ExpectAnswer(client, "get a\r\n", "-NOAUTH Authentication required.\r\n");
  ExpectAnswer(client, "auth secret\r\n", "+OK\r\n");
  const std::string value(100'000, 'v');
  const std::string bulk = "$100000\r\n" + value + "\r\n";
  ExpectAnswer(client, "*3\r\n$3\r\nset\r\n$1\r\na\r\n" + bulk, "+OK\r\n");
  Client stranger(service);
  stranger.Send("*3\r\n$3\r\nset\r\n$1\r\na\r\n$100000\r\n");
  EXPECT_TRUE(stranger.ReadAll().starts_with("-ERR Protocol error: "));
}

TEST(Connections, StopAnswersWhatWasReceived) {
  SmallService service({.handlers = 2});
  Client client(service);
  ExpectAnswer(client, "ping\r\n", "+PONG\r\n");
  client.Send("set a 1\r\nbump a\r\nverify\r\nping\r\n");
  const std::string first = client.Read(5);
  service.connections().Stop(5'000'000'000);
  EXPECT_EQ(first + client.ReadAll(), "+OK\r\n:2\r\n+SOUND\r\n+PONG\r\n");
  EXPECT_FALSE(service.network().Connect(service.address(), 0).ok());
}

TEST(Connections, StopDropsAtItsDeadlineWhatIsNotRead) {
  SmallService service;
  Client client(service);
  client.Send("big 5000000\r\n");
  EXPECT_EQ(client.Read(10), "$5000000\r\n");
  service.connections().Stop(1);
  EXPECT_LT(client.ReadAll().size(), 5'000'000u);
  EXPECT_TRUE(service.connections().Clients().empty());
}

TEST(Connections, TakenAddressesFailToStart) {
  SmallService service;
  operation::OperationQueue queue(service.host().runtime(), 10);
  Connections second(service.host().runtime(), service.network(), service.host(),
                     service.host().commands(), queue, queue, {.addresses = {service.address()}});
  EXPECT_EQ(second.Start().error().reason(), Reason::kAddressInUse);
}

TEST(Connections, PausedOnesWaitAndOthersGoOn) {
  SmallService service({.handlers = 2});
  command::Pause& pause = service.host().holdings().pause();
  runtime::Clock& clock = service.host().runtime().clock();
  std::vector<std::unique_ptr<Client>> writers;
  for (int i = 0; i < 4; ++i) {
    writers.push_back(std::make_unique<Client>(service));
  }
  Client reader(service);
  const auto begin = [&](uint64_t nanos) {
    const uint64_t now = clock.MonotonicNanos();
    pause.Begin(command::Pause::Kind::kWrites, now + nanos, now);
    return now;
  };
  begin(3600'000'000'000);
  for (const auto& writer : writers) {
    writer->Send("bump a\r\nping\r\n");
  }
  ExpectAnswer(reader, "get a\r\nping\r\n", "$-1\r\n+PONG\r\n");
  for (const auto& writer : writers) {
    EXPECT_TRUE(writer->IsQuiet());
  }
  pause.End();
  for (const auto& writer : writers) {
    writer->Read(4);
    EXPECT_EQ(writer->Read(7), "+PONG\r\n");
  }
  ExpectAnswer(reader, "get a\r\n", "$1\r\n4\r\n");
  const uint64_t begun = begin(50'000'000);
  ExpectAnswer(*writers[0], "bump a\r\n", ":5\r\n");  // when its time is over
  EXPECT_GE(clock.MonotonicNanos() - begun, 50'000'000u);
  EXPECT_FALSE(pause.active());
}

TEST(Connections, MonitorsHearOfAllHandlersAndWorkers) {
  SmallService service({.handlers = 2, .reads_on_handlers = false});
  Client monitor(service);
  ExpectAnswer(monitor, "monitor\r\n", "+OK\r\n");
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<Client>(service));
    ExpectAnswer(*clients.back(), "set a 1\r\nget a\r\nlook a\r\n",
                 "+OK\r\n$1\r\n1\r\n$1\r\n1\r\n");
    for (const std::string_view shown :
         {"\"set\" \"a\" \"1\"\r\n", "\"get\" \"a\"\r\n", "\"look\" \"a\"\r\n"}) {
      std::string line;
      while (!line.ends_with("\n")) {
        line += monitor.Read(1);
      }
      EXPECT_TRUE(line.ends_with(shown)) << line;
    }
  }
}

TEST(Connections, FullQueuesAnswerBusy) {
  SmallService service({}, 0);
  Client client(service);
  ExpectAnswer(client, "set a 1\r\nset b 1\r\nget a\r\nverify\r\n",
               "-BUSY Luna is behind with writes; try again later\r\n"
               "-BUSY Luna is behind with writes; try again later\r\n$-1\r\n"
               "-BUSY Luna is behind with reads; try again later\r\n");
}

TEST(Connections, WhatIsForTheLeaderIsPassedOnWithItsSocket) {
  base::Mutex mutex;
  std::vector<command::Departing> passed;
  ConnectionSettings settings;
  settings.pass_on = [&](command::Departing departing) {
    const base::MutexLock lock(mutex);
    passed.push_back(std::move(departing));
  };
  SmallService service(settings);
  static_cast<void>(service.host().NewSession());  // makes the collection that sessions begin in
  service.host().follows_leader = true;
  service.host().has_way_to_leader = true;
  Client client(service);
  client.Send("get a\r\nset a 1\r\n");
  std::unique_ptr<runtime::Socket> socket;
  for (int looks = 0; socket == nullptr; ++looks) {
    ASSERT_LT(looks, 10'000);
    service.host().runtime().Sleep(1'000'000);
    const base::MutexLock lock(mutex);
    if (!passed.empty()) {
      EXPECT_EQ(passed[0].introduction, "");
      EXPECT_EQ(passed[0].bytes, "*2\r\n$3\r\nget\r\n$1\r\na\r\nset a 1\r\n");
      EXPECT_EQ(passed[0].unheard, 0u);
      socket = std::move(passed[0].client);
    }
  }
  const std::string_view words = "+from the leader\r\n";
  EXPECT_EQ(socket->Write(std::span(&words, 1)).value().bytes, words.size());
  EXPECT_EQ(client.Read(words.size()), words);
  while (!service.connections().Clients().empty()) {
    service.host().runtime().Yield();
  }
}

// Between two requests a client goes on elsewhere; within a transaction it ends here.
TEST(Connections, ClientsAreHandedOnToAnotherService) {
  std::unique_ptr<SmallService> other;
  ConnectionSettings settings;
  std::atomic<int> handed_on = 0;
  settings.handlers = 2;
  settings.hand_on = [&](command::Departing client) {
    ++handed_on;
    other->connections().Give(std::move(client));
  };
  SmallService service(settings);
  static_cast<void>(service.host().NewSession());
  other = std::make_unique<SmallService>();
  Client idle(service);
  Client begun(service);
  Client within(service);
  ExpectAnswer(idle, "ping\r\n", "+PONG\r\n");
  ExpectAnswer(begun, "ping\r\nset a", "+PONG\r\n");
  ExpectAnswer(within, "multi\r\n", "+OK\r\n");
  Client late(service);  // perhaps not accepted yet
  service.connections().HandOn(5'000'000'000);
  EXPECT_EQ(within.ReadAll(), "");
  EXPECT_EQ(handed_on, 3);
  EXPECT_TRUE(service.connections().Clients().empty());
  ExpectAnswer(begun, " 1\r\nget a\r\n", "+OK\r\n$1\r\n1\r\n");
  ExpectAnswer(idle, "get a\r\n", "$1\r\n1\r\n");
  ExpectAnswer(late, "get a\r\n", "$1\r\n1\r\n");
  EXPECT_EQ(other->connections().Clients().size(), 3u);
  command::ServiceCounts counts;
  service.connections().Count(counts);
  EXPECT_EQ(counts.connections, 0u);
}

// Before it hands on: what was begun ends, what was not goes along.
TEST(Connections, TheyRestWhenWhatWasBegunIsDone) {
  std::atomic<int> handed_on = 0;
  std::string bytes;
  SmallService service({.handlers = 1, .hand_on = [&](command::Departing client) {
                          bytes += client.bytes;
                          ++handed_on;
                        }});
  Client slow(service);
  Client other(service);
  ExpectAnswer(other, "set a 1\r\n", "+OK\r\n");
  held = true;
  slow.Send("hold\r\n");
  runtime::Runtime& runtime = service.host().runtime();
  while (holding == 0) {
    runtime.Sleep(100'000);
  }
  const uint64_t now = runtime.clock().MonotonicNanos();
  service.host().holdings().pause().Begin(command::Pause::Kind::kAll, now + 60'000'000'000, now);
  EXPECT_FALSE(service.connections().AwaitRest(20'000'000));
  held = false;
  EXPECT_TRUE(service.connections().AwaitRest(5'000'000'000));
  EXPECT_EQ(holding, 0);
  EXPECT_EQ(slow.Read(7), "+FREE\r\n");
  other.Send("set a 2\r\n");
  EXPECT_TRUE(service.connections().AwaitRest(5'000'000'000));
  service.connections().HandOn(5'000'000'000);
  EXPECT_EQ(handed_on, 2);
  EXPECT_TRUE(bytes.empty() || bytes == "set a 2\r\n" ||
              bytes == "*3\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\n2\r\n")
      << bytes;
}

TEST(Connections, ClientsThatOthersAcceptedAreTaken) {
  SmallService service({.max_clients = 1});
  const auto listener = service.network().Listen("b:1").value();
  const auto client = service.network().Connect("b:1", 0).value();
  service.connections().Give({.client = listener->Accept().value()});
  const std::string_view ping = "ping\r\n";
  EXPECT_EQ(client->Write(std::span(&ping, 1)).value().bytes, ping.size());
  std::array<char, 100> buffer;
  size_t received = 0;
  while (received < 7) {
    received += client->Read(std::span(buffer).subspan(received)).value().bytes;
  }
  EXPECT_EQ(std::string_view(buffer.data(), received), "+PONG\r\n");
  const auto second = service.network().Connect("b:1", 0).value();
  service.connections().Give({.client = listener->Accept().value()});
  received = second->Read(buffer).value().bytes;
  EXPECT_EQ(std::string_view(buffer.data(), received), "-ERR max number of clients reached\r\n");
}

}  // namespace

}  // namespace luna::connection
