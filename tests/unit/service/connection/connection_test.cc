#include "service/connection/connection.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "service/command/holdings.h"
#include "service_support/test_gate.h"
#include "unit/service/connection/small_service.h"

namespace luna::connection {

namespace {

// A connection without a handler: the test takes the turns.
class ConnectionTest : public testing::Test {
 protected:
  // No rows: every command there is.
  explicit ConnectionTest(std::vector<command::Command> rows = ServiceCommands())
      : rows_(std::move(rows)) {
    all_.runtime = &host_.runtime();
    all_.network = network_.get();
    all_.host = &host_;
    all_.table = &host_.commands();
    connection_ = std::make_unique<Connection>(all_, listener_->Accept().value(), 1);
    connection_->Begin();
  }
  Need Send(std::string_view bytes) {
    EXPECT_EQ(client_->Write(std::span(&bytes, 1)).value().bytes, bytes.size());
    connection_->Noticed({.tag = 0, .readable = true});
    return connection_->Advance(2, tally_);
  }
  std::string Received() {
    connection_->Flush(3, tally_);
    std::string buffer(1 << 16, '\0');
    buffer.resize(client_->Read(buffer).value().bytes);
    return buffer;
  }
  // As a worker would.
  void Answer(std::string_view replies) {
    connection_->Waits();
    connection_->operation().replies = replies;
    connection_->Returned(tally_);
  }

  const std::vector<command::Command> rows_;
  service_support::TestGate gate_;
  service_support::TestHost host_{rows_};
  const std::unique_ptr<runtime::Network> network_ = memory::NewMemoryNetwork(host_.runtime());
  const std::unique_ptr<runtime::Listener> listener_ = network_->Listen("a:1").value();
  const std::unique_ptr<runtime::Socket> client_ = network_->Connect("a:1", 0).value();
  Surroundings all_;
  Tally tally_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(ConnectionTest, RunsOfWritesAreOneOperation) {
  EXPECT_EQ(Send("set a 1\r\nbump a\r\nping\r\nset b 1\r\n"), Need::kWrite);
  ASSERT_EQ(connection_->operation().requests().size(), 2u);
  EXPECT_EQ(connection_->operation().requests()[1].command->name, "bump");
  Answer("+OK\r\n:2\r\n");
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWrite);
  ASSERT_EQ(connection_->operation().requests().size(), 1u);
  EXPECT_EQ(Received(), "+OK\r\n:2\r\n+PONG\r\n");
  Answer("+OK\r\n");
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  EXPECT_EQ(Received(), "+OK\r\n");
  EXPECT_EQ(tally_.commands, 4u);
}

TEST_F(ConnectionTest, CommitsAndSlowCommandsGoAlone) {
  EXPECT_EQ(Send("set a 1\r\nlook a\r\nlook a\r\nverify\r\n"), Need::kWrite);
  EXPECT_EQ(connection_->operation().requests().size(), 1u);
  Answer("1");
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWrite);
  EXPECT_EQ(connection_->operation().requests().size(), 1u);
  Answer("2");
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWrite);
  Answer("3");
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kRead);
  Answer("4");
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  EXPECT_EQ(Received(), "1234");
}

TEST_F(ConnectionTest, ReadsGoToTheirQueueWhenAsked) {
  all_.settings.reads_on_handlers = false;
  EXPECT_EQ(Send("get a\r\nget b\r\nset a 1\r\n"), Need::kRead);
  EXPECT_EQ(connection_->operation().requests().size(), 2u);
  Answer("+A\r\n+B\r\n");
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWrite);
  connection_->Refused("BUSY go away", tally_);
  EXPECT_EQ(Received(), "+A\r\n+B\r\n-BUSY go away\r\n");
  EXPECT_EQ(tally_.errors, 1u);
}

TEST_F(ConnectionTest, ForetellsTheKeyOfASingleRead) {
  constexpr std::string_view kGet = "*2\r\n$3\r\nget\r\n$1\r\na\r\n";
  const auto arrive = [&](std::string_view bytes) {
    EXPECT_EQ(client_->Write(std::span(&bytes, 1)).value().bytes, bytes.size());
    connection_->Noticed({.tag = 0, .readable = true});
    return connection_->Foretell(tally_);
  };
  EXPECT_EQ(arrive(kGet).collection, nullptr);  // the first may be anything
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  const Connection::Foretold told = arrive(kGet);
  ASSERT_NE(told.collection, nullptr);
  EXPECT_EQ(told.key, "a");
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  EXPECT_EQ(arrive(std::string(kGet) + std::string(kGet)).collection, nullptr);
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  EXPECT_EQ(Received(), "$-1\r\n$-1\r\n$-1\r\n$-1\r\n");
  EXPECT_EQ(tally_.bytes_in, 4 * kGet.size());
}

TEST_F(ConnectionTest, ForetellsNothingWhileSomethingStandsBefore) {
  constexpr std::string_view kGet = "*2\r\n$3\r\nget\r\n$1\r\na\r\n";
  EXPECT_EQ(Send(kGet), Need::kWait);
  EXPECT_EQ(Received(), "$-1\r\n");
  EXPECT_EQ(Send("set a 1\r\n"), Need::kWrite);
  connection_->Waits();
  const uint64_t before = tally_.bytes_in;
  EXPECT_EQ(client_->Write(std::span(&kGet, 1)).value().bytes, kGet.size());
  connection_->Noticed({.tag = 0, .readable = true});
  EXPECT_EQ(connection_->Foretell(tally_).collection, nullptr);
  EXPECT_EQ(tally_.bytes_in, before);  // the operation's arguments lie there
  Answer("+OK\r\n");
  EXPECT_EQ(connection_->Foretell(tally_).key, "a");
  all_.settings.reads_on_handlers = false;
  EXPECT_EQ(connection_->Foretell(tally_).collection, nullptr);
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kRead);
  EXPECT_EQ(Received(), "+OK\r\n");
}

TEST_F(ConnectionTest, RunsOfReadsAnswerInOrder) {
  std::string bytes;
  std::string replies;
  for (int i = 0; i < 40; ++i) {
    const bool reads = i % 25 != 24;
    bytes += reads ? "*2\r\n$3\r\nget\r\n$1\r\na\r\n" : "*1\r\n$4\r\nping\r\n";
    replies += reads ? "$-1\r\n" : "+PONG\r\n";
  }
  EXPECT_EQ(Send(bytes), Need::kWait);
  EXPECT_EQ(Received(), replies);
}

TEST_F(ConnectionTest, ReadsThatWouldLeaveMemoryGoToTheirQueue) {
  EXPECT_EQ(Send("big 1\r\nfirst\r\nbig 2\r\n"), Need::kRead);
  ASSERT_EQ(connection_->operation().requests().size(), 1u);  // what follows waits
  EXPECT_EQ(connection_->operation().requests()[0].command->name, "first");
  EXPECT_EQ(tally_.errors, 0u);
  Answer("+FIRST\r\n");
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  EXPECT_EQ(Received(), "$1\r\nb\r\n+FIRST\r\n$2\r\nbb\r\n");
}

TEST_F(ConnectionTest, HiddenReadsStayHiddenWhenTheyLeaveMemory) {
  EXPECT_EQ(Send("hide\r\nfirst\r\nbig 1\r\n"), Need::kRead);
  ASSERT_EQ(connection_->operation().requests().size(), 1u);
  Answer("");
  connection_->operation().session->replies = command::Session::Replies::kOn;  // the worker's part
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  EXPECT_EQ(Received(), "$1\r\nb\r\n");
}

TEST_F(ConnectionTest, ReadsThatAGateAllowsAtOnceAreAnsweredAtOnce) {
  host_.gate = &gate_;
  EXPECT_EQ(Send("get a\r\nping\r\nget b\r\n"), Need::kWait);
  EXPECT_EQ(Received(), "$-1\r\n+PONG\r\n$-1\r\n");
  EXPECT_EQ(gate_.Asked(), "2/2");
  gate_.at_end = service_support::TestGate::Says::kFenced;
  EXPECT_EQ(Send("get a\r\n"), Need::kWait);
  EXPECT_EQ(Received(), service_support::kFencedReply);
  EXPECT_EQ(tally_.errors, 1u);
}

TEST_F(ConnectionTest, ReadsThatAGateLetsWaitGoToTheirQueue) {
  using Says = service_support::TestGate::Says;
  host_.gate = &gate_;
  for (const bool at_begin : {true, false}) {
    gate_.at_begin = at_begin ? Says::kWait : Says::kYes;
    gate_.at_end = Says::kWait;
    EXPECT_EQ(Send("get a\r\nping\r\n"), Need::kRead);
    EXPECT_EQ(gate_.Asked(), at_begin ? "1/0" : "1/1");
    ASSERT_EQ(connection_->operation().requests().size(), 1u);
    Answer("$1\r\n1\r\n");
    EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
    EXPECT_EQ(Received(), "$1\r\n1\r\n+PONG\r\n");
    EXPECT_EQ(tally_.errors, 0u);
  }
}

TEST_F(ConnectionTest, IsFinishedWhenEverythingIsSaid) {
  EXPECT_FALSE(connection_->finished());
  EXPECT_EQ(Send("quit\r\n"), Need::kWait);
  EXPECT_FALSE(connection_->finished());
  EXPECT_EQ(Received(), "+OK\r\n");
  EXPECT_TRUE(connection_->finished());
}

TEST_F(ConnectionTest, StoppedOnesAnswerWhatTheyHave) {
  EXPECT_EQ(Send("set a 1\r\nping\r\n"), Need::kWrite);
  connection_->Stop();
  Answer("+OK\r\n");
  EXPECT_FALSE(connection_->finished());
  EXPECT_EQ(Send("ping\r\n"), Need::kWait);  // comes too late
  EXPECT_EQ(Received(), "+OK\r\n+PONG\r\n");
  EXPECT_TRUE(connection_->finished());
}

TEST_F(ConnectionTest, WhoIsHandedOnTakesWhatWasNotBegunAlong) {
  static_cast<void>(host_.NewSession());
  EXPECT_EQ(Send("set a 1\r\nget a\r\nset b 2\r\nset c"), Need::kWrite);
  connection_->HandOn();
  EXPECT_FALSE(connection_->leaves()) << "a request is on its way";
  Answer("-MISCONF nobody knows\r\n");
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  EXPECT_TRUE(connection_->leaves());
  EXPECT_FALSE(connection_->finished());
  EXPECT_EQ(Received(), "-MISCONF nobody knows\r\n");
  const command::Departing departing = connection_->Depart();
  EXPECT_EQ(departing.bytes, "*2\r\n$3\r\nget\r\n$1\r\na\r\nset b 2\r\nset c");
  EXPECT_EQ(departing.unheard, 0u);
  EXPECT_FALSE(departing.for_leader);
  EXPECT_NE(departing.client, nullptr);
}

TEST_F(ConnectionTest, WhatIsPausedWhenItIsHandedOnGoesAlong) {
  const uint64_t now = all_.now();
  host_.holdings().pause().Begin(command::Pause::Kind::kAll, now + 3600'000'000'000, now);
  EXPECT_EQ(Send("set a 1\r\nping\r\n"), Need::kPause);
  connection_->HandOn();
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  ASSERT_TRUE(connection_->leaves());
  EXPECT_EQ(connection_->Depart().bytes, "*3\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\n1\r\nping\r\n");
}

TEST_F(ConnectionTest, WhoIsWithinATransactionIsNotHandedOn) {
  EXPECT_EQ(Send("multi\r\n"), Need::kWait);
  connection_->HandOn();
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  EXPECT_FALSE(connection_->leaves());
  EXPECT_EQ(Received(), "+OK\r\n");
  EXPECT_TRUE(connection_->finished());
}

TEST_F(ConnectionTest, WhoseRequestIsLargeIsNotHandedOn) {
  EXPECT_EQ(Send("*3\r\n$3\r\nset\r\n$1\r\na\r\n$3000000\r\n"), Need::kWait);
  const std::string much(size_t{64} << 10, 'v');
  for (int i = 0; i < 20; ++i) {
    Send(much);
  }
  connection_->HandOn();
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  EXPECT_FALSE(connection_->leaves());
  EXPECT_TRUE(connection_->finished());
}

TEST_F(ConnectionTest, IdleOnesGoOnAfterTheirRoomWasGivenBack) {
  EXPECT_EQ(Send("ping\r\nset a 1\r\n"), Need::kWrite);
  connection_->Waits();
  connection_->Sweep(3'000'000'000);  // not while it waits
  connection_->operation().replies = "+OK\r\n";
  connection_->Returned(tally_);
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  EXPECT_EQ(Send("pi"), Need::kWait);
  connection_->Sweep(3'000'000'000);  // not within a request
  EXPECT_EQ(Send("ng\r\n"), Need::kWait);
  EXPECT_EQ(Received(), "+PONG\r\n+OK\r\n+PONG\r\n");
  connection_->Sweep(3'000'000'000);
  EXPECT_EQ(Send("set a 1\r\nping\r\n"), Need::kWrite);
  EXPECT_EQ(connection_->operation().requests()[0].arguments[1], "a");
  Answer("+OK\r\n");
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  EXPECT_EQ(Received(), "+OK\r\n+PONG\r\n");
}

TEST_F(ConnectionTest, PausedRequestsAreJudgedAgain) {
  command::Pause& pause = host_.holdings().pause();
  constexpr uint64_t kLong = 3600'000'000'000;
  const uint64_t now = all_.now();
  EXPECT_EQ(Send("set a 1\r\n"), Need::kWrite);
  pause.Begin(command::Pause::Kind::kWrites, now + kLong, now);
  Answer("+OK\r\n");
  EXPECT_EQ(Send("get a\r\nset a\r\nset a 2\r\nbump a\r\n"), Need::kPause);
  EXPECT_EQ(Received(), "+OK\r\n$-1\r\n-ERR wrong number of arguments for 'set' command\r\n");
  EXPECT_EQ(tally_.commands, 4u);
  all_.idle_timeout_seconds = 10;
  connection_->Sweep(60'000'000'000);  // nothing is idle that waits for us
  EXPECT_FALSE(connection_->lost());
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kPause);
  pause.End();
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWrite);
  ASSERT_EQ(connection_->operation().requests().size(), 2u);
  EXPECT_EQ(connection_->operation().requests()[0].arguments[2], "2");
  EXPECT_EQ(tally_.commands, 5u);
  Answer("+OK\r\n:3\r\n");
  EXPECT_EQ(Received(), "+OK\r\n:3\r\n");
}

TEST_F(ConnectionTest, WhatIsPausedWhenItStopsIsNotBegun) {
  const uint64_t now = all_.now();
  host_.holdings().pause().Begin(command::Pause::Kind::kAll, now + 3600'000'000'000, now);
  EXPECT_EQ(Send("set a 1\r\nping\r\n"), Need::kPause);
  EXPECT_FALSE(connection_->finished());
  connection_->Stop();
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kPause);
  EXPECT_TRUE(connection_->finished());
  EXPECT_EQ(Received(), "");
}

TEST_F(ConnectionTest, MonitorsAreToldOfWhatRan) {
  command::Monitors& monitors = host_.holdings().monitors();
  int wakes = 0;
  connection_->set_wake([&] { ++wakes; });
  EXPECT_EQ(Send("ping\r\nmonitor\r\nping 1\r\nset a 1\r\n"), Need::kWait);
  EXPECT_TRUE(monitors.any());
  EXPECT_TRUE(connection_->monitoring());
  EXPECT_TRUE(connection_->card().Row(2).monitoring);
  EXPECT_EQ(wakes, 1);
  connection_->TakeMonitored();
  std::string received = Received();
  EXPECT_TRUE(
      received.starts_with("+PONG\r\n+OK\r\n+PONG\r\n"
                           "-ERR Replica can't interact with the keyspace\r\n+"))
      << received;
  EXPECT_TRUE(received.ends_with("] \"ping\" \"1\"\r\n")) << received;
  all_.idle_timeout_seconds = 10;
  connection_->Sweep(60'000'000'000);
  EXPECT_FALSE(connection_->lost());
  EXPECT_EQ(Send("reset\r\nset a 1\r\n"), Need::kWrite);
  EXPECT_FALSE(monitors.any());
  connection_->Waits();
  connection_->Refused("BUSY", tally_);
  connection_->TakeMonitored();  // nothing
  EXPECT_EQ(Received(), "+RESET\r\n-BUSY\r\n");
}

TEST_F(ConnectionTest, MonitorsThatFallBehindAreCutOff) {
  all_.settings.output_hard_bytes = 1000;
  connection_->set_wake([] {});
  EXPECT_EQ(Send("monitor\r\n"), Need::kWait);
  connection_->TakeMonitored();
  EXPECT_FALSE(connection_->lost());
  host_.holdings().monitors().Tell("default", std::string(600, 'x'));
  connection_->TakeMonitored();
  EXPECT_FALSE(connection_->lost());
  host_.holdings().monitors().Tell("default", std::string(600, 'x'));
  connection_->TakeMonitored();
  EXPECT_TRUE(connection_->lost());
  connection_ = nullptr;
  EXPECT_FALSE(host_.holdings().monitors().any());
}

TEST_F(ConnectionTest, SweepsEndIdleOnes) {
  all_.idle_timeout_seconds = 10;
  EXPECT_EQ(Send("ping\r\n"), Need::kWait);
  EXPECT_EQ(Received(), "+PONG\r\n");
  connection_->Sweep(9'000'000'000);
  EXPECT_FALSE(connection_->lost());
  connection_->Sweep(11'000'000'000);
  EXPECT_TRUE(connection_->finished());
}

TEST_F(ConnectionTest, WhoHoldsMuchIsCutOffWhenAllHoldTooMuch) {
  all_.settings.output_hard_bytes = 1 << 20;
  all_.settings.output_soft_bytes = 10'000;
  EXPECT_EQ(Send("big 100000\r\n"), Need::kWait);
  EXPECT_FALSE(connection_->lost());
  EXPECT_GE(all_.held_bytes.load(), 64u << 10);
  for (int i = 0; i < 4; ++i) {
    Received();  // a part, each time
  }
  all_.held_bytes += 4 << 20;  // the others
  EXPECT_EQ(Send("ping\r\n"), Need::kWait);
  EXPECT_FALSE(connection_->lost());
  EXPECT_EQ(Send("big 300000\r\n"), Need::kWait);
  EXPECT_TRUE(connection_->lost());
  connection_ = nullptr;
  EXPECT_EQ(all_.held_bytes.load(), 4u << 20);
}

TEST_F(ConnectionTest, WhoIsIdleHoldsNothing) {
  EXPECT_EQ(Send("big 30000\r\n"), Need::kWait);
  Received();
  EXPECT_GE(all_.held_bytes.load(), 32u << 10);
  connection_->Sweep(3'000'000'000);
  EXPECT_EQ(all_.held_bytes.load(), 0u);
}

class RealCommandsTest : public ConnectionTest {
 protected:
  static constexpr uint64_t kSecond = 1'000'000'000;
  RealCommandsTest() : ConnectionTest({}) {}
  std::string Ask(std::string_view line) {
    for (Need need = Send(line); need != Need::kWait; need = connection_->Advance(2, tally_)) {
      RunOperation();
    }
    return Received();
  }
  void RunOperation() {  // as a worker would
    connection_->Waits();
    operation::Operation& operation = connection_->operation();
    for (const operation::Request& request : operation.requests()) {
      resp::ReplyWriter reply(operation.replies, operation.session->version);
      command::Run(*request.command, *operation.session, host_, request.arguments, nullptr, reply);
    }
    connection_->Returned(tally_);
  }
  uint64_t now() { return host_.runtime().clock().MonotonicNanos(); }
  uint64_t open_snapshots() { return host_.universe().GetStats().value().open_snapshots; }
};

TEST_F(RealCommandsTest, SweepRollsAnIdleTransactionBack) {
  const uint64_t idle_nanos = command::OpenTransactions::kIdleNanos;
  EXPECT_EQ(Ask("BEGIN\r\nSET a 1\r\nGET a\r\n"), ":1\r\n+OK\r\n$1\r\n1\r\n");
  EXPECT_EQ(open_snapshots(), 1u);
  connection_->Sweep(now() + idle_nanos - kSecond);
  EXPECT_EQ(open_snapshots(), 1u);
  connection_->Sweep(now() + idle_nanos);
  EXPECT_EQ(open_snapshots(), 0u);
  EXPECT_FALSE(connection_->finished());
  // The clock of the commands has not reached the deadline: the sweep ended it, not they.
  EXPECT_TRUE(Ask("GET a\r\n").starts_with("-TXNTIMEOUT transaction 1 "));
  EXPECT_TRUE(Ask("SET a 2\r\n").starts_with("-TXNTIMEOUT transaction 1 "));
  EXPECT_EQ(Send("COMMIT\r\n"), Need::kWrite);
  RunOperation();
  EXPECT_TRUE(Received().starts_with("-TXNTIMEOUT transaction 1 "));
  EXPECT_EQ(Ask("GET a\r\n"), "$-1\r\n");
}

TEST_F(RealCommandsTest, SweepEndsTheSnapshotOfAnIdleReader) {
  EXPECT_EQ(Ask("BEGIN READONLY TIMEOUT 5000\r\nGET a\r\n"), ":1\r\n$-1\r\n");
  EXPECT_EQ(open_snapshots(), 1u);
  connection_->Sweep(now() + 4 * kSecond);
  EXPECT_EQ(open_snapshots(), 1u);
  connection_->Sweep(now() + 5 * kSecond);
  EXPECT_EQ(open_snapshots(), 0u);
  EXPECT_TRUE(Ask("GET a\r\n").starts_with("-TXNTIMEOUT transaction 1 "));
  EXPECT_EQ(Ask("ROLLBACK\r\nGET a\r\n"), "+OK\r\n$-1\r\n");
}

TEST_F(RealCommandsTest, SweptTransactionNoLongerConflicts) {
  EXPECT_EQ(Ask("BEGIN\r\nSET a mine\r\n"), ":1\r\n+OK\r\n");
  connection_->Sweep(now() + command::OpenTransactions::kIdleNanos);
  command::Session other = host_.NewSession();
  EXPECT_EQ(host_.Line(other, "SET a theirs"), "+OK\r\n");
  EXPECT_EQ(Ask("ROLLBACK\r\nGET a\r\n"), "+OK\r\n$6\r\ntheirs\r\n");
}

TEST_F(RealCommandsTest, WhatConfirmsItselfWaitsForAGateOnAWorker) {
  EXPECT_EQ(Send("SNAPSHOT CREATE one\r\n"), Need::kWait);
  EXPECT_TRUE(Received().starts_with("*6\r\n"));
  host_.gate = &gate_;
  EXPECT_EQ(Send("SNAPSHOT CREATE two\r\nPING\r\n"), Need::kRead);
  EXPECT_EQ(gate_.Asked(), "0/0");
  RunOperation();
  EXPECT_EQ(gate_.Asked(), "1/1");
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  EXPECT_TRUE(Received().ends_with("+PONG\r\n"));
}

TEST_F(RealCommandsTest, LeavesForTheLeaderWithWhatNobodyAnswered) {
  host_.follows_leader = true;
  host_.has_way_to_leader = true;
  Send("HELLO 3 SETNAME me\r\nPING\r\nGET a\r\n*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET");
  EXPECT_TRUE(connection_->leaves());
  EXPECT_FALSE(connection_->finished());
  const std::string answered = Received();
  EXPECT_TRUE(answered.starts_with("%8\r\n") && answered.ends_with("+PONG\r\n")) << answered;
  const command::Departing departing = connection_->Depart();
  EXPECT_NE(departing.client, nullptr);
  EXPECT_EQ(departing.unheard, 1u);
  EXPECT_TRUE(departing.for_leader);
  EXPECT_EQ(departing.introduction,
            "*4\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$7\r\nSETNAME\r\n$2\r\nme\r\n");
  EXPECT_EQ(departing.bytes, "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET");
}

TEST_F(RealCommandsTest, WhoArrivesIsIntroducedUnheardAndAnswered) {
  static_cast<void>(host_.NewSession());
  Send("");
  connection_->Arrive({.client = nullptr,
                       .introduction = "HELLO 3 SETNAME me\r\nSELECT 4\r\nCLIENT REPLY SKIP\r\n",
                       .unheard = 2,
                       .bytes = "PING\r\nCLIENT GETNAME\r\nPI"});
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  EXPECT_EQ(Received(), "$2\r\nme\r\n") << "the first reply was to be hidden";
  EXPECT_EQ(tally_.commands, 2u);
  EXPECT_EQ(Send("NG\r\n"), Need::kWait);
  EXPECT_EQ(Received(), "+PONG\r\n");
  EXPECT_EQ(connection_->card().Row(3).collection, "4");
}

// To whoever may have to give it back.
TEST_F(RealCommandsTest, AMarkStaysWithAConnectionWhereverItArrives) {
  static_cast<void>(host_.NewSession());
  const std::string mark(command::kMarkDigits, 'a');
  connection_->Arrive({.client = nullptr, .mark = mark});
  connection_->HandOn();
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  ASSERT_TRUE(connection_->leaves());
  const command::Departing departing = connection_->Depart();
  EXPECT_EQ(departing.mark, mark);
  EXPECT_EQ(departing.introduction, "");
}

TEST_F(RealCommandsTest, AnIntroductionThatFailsIsToldAndTheEnd) {
  connection_->Arrive(
      {.client = nullptr, .introduction = "USE nowhere\r\n", .unheard = 1, .bytes = "SET a 1\r\n"});
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  EXPECT_TRUE(Received().starts_with("-NOSUCHDB "));
  EXPECT_TRUE(connection_->finished());
  EXPECT_EQ(tally_.commands, 0u);
}

TEST_F(RealCommandsTest, AnIntroductionThatOnlyTheLeaderKnowsGoesThereWhole) {
  host_.follows_leader = true;
  host_.has_way_to_leader = true;
  connection_->Arrive(
      {.client = nullptr, .introduction = "USE nowhere\r\n", .unheard = 1, .bytes = "SET a 1\r\n"});
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  ASSERT_TRUE(connection_->leaves());
  const command::Departing departing = connection_->Depart();
  EXPECT_TRUE(departing.for_leader);
  EXPECT_EQ(departing.introduction, "USE nowhere\r\n");
  EXPECT_EQ(departing.unheard, 1u);
  EXPECT_EQ(departing.bytes, "SET a 1\r\n");
}

TEST_F(RealCommandsTest, WhoReadsHereLeavesAfterReadwriteAndInOrder) {
  host_.follows_leader = true;
  host_.has_way_to_leader = true;
  host_.gate = &gate_;
  EXPECT_EQ(Ask("READONLY\r\nGET a\r\n"), "+OK\r\n$-1\r\n");
  EXPECT_EQ(Send("KEYS *\r\nREADWRITE\r\nSET a 1\r\n"), Need::kRead);
  EXPECT_FALSE(connection_->leaves());
  RunOperation();
  EXPECT_EQ(connection_->Advance(2, tally_), Need::kWait);
  EXPECT_TRUE(connection_->leaves());
  EXPECT_EQ(Received(), "*0\r\n+OK\r\n");
  EXPECT_TRUE(connection_->Depart().bytes.ends_with("$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"));
}

TEST_F(RealCommandsTest, MomentsAreChosenOnAWorkerWhereThisServerFollows) {
  host_.gate = &gate_;
  EXPECT_EQ(Ask("BEGIN READONLY\r\nCOMMIT\r\n").front(), ':');
  host_.follows_leader = true;
  EXPECT_EQ(Ask("READONLY BOUNDED 100\r\n"), "+OK\r\n");
  gate_.Asked();
  EXPECT_EQ(Send("BEGIN READONLY\r\n"), Need::kRead);
  EXPECT_EQ(gate_.Asked(), "0/0") << "this thread must not wait";
  RunOperation();
  EXPECT_EQ(gate_.Asked(), "1/0") << "its reads are ended, it tells nothing";
  EXPECT_EQ(gate_.asked_for(), "bounded:100");
}

}  // namespace

}  // namespace luna::connection
