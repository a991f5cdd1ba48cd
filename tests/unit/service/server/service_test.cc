#include "service/server/service.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "runtime/memory/memory_network.h"
#include "runtime/posix/posix_runtime.h"
#include "service/command/command_table.h"
#include "service/resp/reply_parser.h"
#include "service_support/test_gate.h"

namespace luna::server {
namespace {

class ServiceTest : public testing::Test {
 protected:
  void Start(ServiceSettings settings = {}) {
    settings.connections.addresses = {"127.0.0.1:0"};
    service_ = std::make_unique<Service>(*runtime_, *network_, settings);
    service_->Start(*universe_).value();
  }
  std::unique_ptr<runtime::Socket> Connect() {
    return network_->Connect(service_->addresses()[0], 1'000'000'000).value();
  }
  // Sends, and reads as many bytes as expected, or those before the end.
  std::string Ask(runtime::Socket& socket, std::string_view bytes, size_t expected) {
    const auto poller = network_->NewPoller();
    poller->Add(socket, 1).value();
    socket.Write(std::span(&bytes, 1)).value();
    std::string got;
    std::array<char, 4096> buffer;
    std::array<runtime::Ready, 1> ready;
    while (got.size() < expected) {
      const auto read = socket.Read(buffer).value();
      got.append(buffer.data(), read.bytes);
      if (read.ended) {
        break;
      }
      if (read.bytes == 0) {
        poller->Wait(ready, 10'000'000'000);
      }
    }
    poller->Remove(socket);
    return got;
  }
  std::string Ask(runtime::Socket& socket, std::string_view bytes, std::string_view expected) {
    return Ask(socket, bytes, expected.size());
  }

  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  const std::unique_ptr<Universe> universe_ =
      Universe::Open({.location = "memory:", .durability = Durability::kProcess},
                     {.listener = nullptr, .runtime = runtime_.get()})
          .value();
  const std::unique_ptr<runtime::Network> network_ = memory::NewMemoryNetwork(*runtime_);
  std::unique_ptr<Service> service_;
};

TEST_F(ServiceTest, ServesReadsWritesAndTransactions) {
  Start();
  const auto socket = Connect();
  EXPECT_EQ(Ask(*socket, "SET a 1\r\nINCR a\r\nGET a\r\n", "+OK\r\n:2\r\n$1\r\n2\r\n"),
            "+OK\r\n:2\r\n$1\r\n2\r\n");
  EXPECT_EQ(Ask(*socket, "MULTI\r\nINCR a\r\nEXEC\r\n", "+OK\r\n+QUEUED\r\n*1\r\n:3\r\n"),
            "+OK\r\n+QUEUED\r\n*1\r\n:3\r\n");
  EXPECT_EQ(Ask(*socket, "BEGIN\r\nINCR a\r\nROLLBACK\r\nGET a\r\nDBSIZE\r\n",
                ":1\r\n:4\r\n+OK\r\n$1\r\n3\r\n:1\r\n"),
            ":1\r\n:4\r\n+OK\r\n$1\r\n3\r\n:1\r\n");
  EXPECT_EQ(service_->host().Clients().size(), 1u);
  EXPECT_GE(service_->host().Counts().write_rounds, 1u);
  EXPECT_GE(service_->host().Counts().commands, 9u);
  service_->host().ResetCounts();
  EXPECT_EQ(service_->host().Counts().write_rounds, 0u);
}

TEST_F(ServiceTest, AsksItsGateAroundReadsAndAnswersCommitsWithout) {
  using service_support::kFencedReply;
  using Says = service_support::TestGate::Says;
  service_support::TestGate gate;
  ServiceSettings settings;
  settings.handlers_help = true;
  settings.read_gate = &gate;
  Start(settings);
  const auto socket = Connect();
  gate.set(Says::kWait);
  constexpr std::string_view kLines = "SET a 1\r\nGET a\r\nSETNX a 2\r\nMULTI\r\nGET a\r\nEXEC\r\n";
  constexpr std::string_view kReplies =
      "+OK\r\n$1\r\n1\r\n:0\r\n+OK\r\n+QUEUED\r\n*1\r\n$1\r\n1\r\n";
  EXPECT_EQ(Ask(*socket, kLines, kReplies), kReplies);
  gate.set(Says::kFenced);
  const std::string fenced(kFencedReply);
  const std::string refused =
      "+OK\r\n" + fenced + fenced + "+OK\r\n+QUEUED\r\n" + fenced + "+PONG\r\n";
  EXPECT_EQ(Ask(*socket, std::string(kLines) + "PING\r\n", refused), refused);
}

TEST_F(ServiceTest, AnswersWhatWasReceivedBeforeItStops) {
  Start();
  const auto socket = Connect();
  EXPECT_EQ(Ask(*socket, "SET a 1\r\n", 5), "+OK\r\n");
  EXPECT_FALSE(service_->stop_requested());
  EXPECT_EQ(Ask(*socket, "SHUTDOWN\r\n", 6), "+OK\r\n");
  EXPECT_TRUE(service_->stop_requested());
  service_->Stop();
  service_->Stop();
  service_ = nullptr;
  Start();
  const auto again = Connect();
  EXPECT_EQ(Ask(*again, "GET a\r\n", 7), "$1\r\n1\r\n");
}

TEST_F(ServiceTest, AsksForThePassword) {
  ServiceSettings settings;
  settings.password = "secret";
  Start(settings);
  command::Host& host = service_->host();
  EXPECT_TRUE(host.password_required());
  EXPECT_TRUE(host.CheckPassword("default", "secret"));
  for (const char* wrong : {"", "secre", "secrets", "Secret", "secretsecret"}) {
    EXPECT_FALSE(host.CheckPassword("default", wrong)) << wrong;
  }
  EXPECT_FALSE(host.CheckPassword("other", "secret"));
  const auto socket = Connect();
  EXPECT_EQ(Ask(*socket, "GET a\r\nAUTH secret\r\nGET a\r\n",
                "-NOAUTH Authentication required.\r\n+OK\r\n$-1\r\n"),
            "-NOAUTH Authentication required.\r\n+OK\r\n$-1\r\n");
}

TEST_F(ServiceTest, ChangesSettingsWhileItRuns) {
  ServiceSettings settings;
  settings.shown.universe = "here";
  settings.password = "secret";
  Start(settings);
  command::Host& host = service_->host();
  const auto value = [&](std::string_view name) {
    for (const auto& [row, shown] : host.Settings()) {
      if (row == name) {
        return shown;
      }
    }
    return std::string("none");
  };
  EXPECT_EQ(value("universe"), "here");
  EXPECT_EQ(value("save"), "");
  EXPECT_EQ(value("password"), "(hidden)");
  EXPECT_EQ(value("requirepass"), "(hidden)");
  EXPECT_EQ(value("protected-mode"), "yes");
  EXPECT_EQ(value("queue-limit"), std::to_string(settings.queue_limit));
  for (const char* name : {"maxclients", "timeout", "slowlog-log-slower-than", "slowlog-max-len",
                           "slowlog-micros", "slowlog-kept", "SLOWLOG-KEPT"}) {
    EXPECT_TRUE(host.SetSetting(name, "7").ok()) << name;
    EXPECT_EQ(value(FindSetting(name) == nullptr ? name : FindSetting(name)->name), "7") << name;
    EXPECT_EQ(host.SetSetting(name, "x").error().reason(), Reason::kBadOption) << name;
  }
  EXPECT_TRUE(host.SetSetting("slowlog-log-slower-than", "-1").ok());
  EXPECT_EQ(value("slowlog-log-slower-than"), "-1");
  EXPECT_EQ(value("slowlog-micros"), "-1");
  EXPECT_EQ(host.SetSetting("databases", "3").error().reason(), Reason::kBadOption);
  EXPECT_EQ(host.SetSetting("nothing", "3").error().reason(), Reason::kBadOption);
  EXPECT_EQ(host.SetSetting("log-level", "loud").error().reason(), Reason::kBadOption);
  EXPECT_TRUE(host.SetSetting("log-level", "debug").ok()) << "even where nobody listens";
}

TEST_F(ServiceTest, ShowsEverySettingOnce) {
  Start();
  std::set<std::string> names;
  for (const auto& [name, value] : service_->host().Settings()) {
    EXPECT_TRUE(names.insert(name).second) << name << " twice";
  }
  for (const Setting& setting : AllSettings()) {
    EXPECT_TRUE(names.contains(std::string(setting.name))) << setting.name;
  }
}

TEST_F(ServiceTest, EveryLiveSettingCanBeSet) {
  Start();
  for (const Setting& setting : AllSettings()) {
    const Status set = service_->host().SetSetting(setting.name, TextOf(setting, Settings()));
    EXPECT_EQ(set.ok(), setting.live) << setting.name;
  }
}

TEST_F(ServiceTest, IsWhatItsSettingsDescribe) {
  Settings settings;
  settings.handlers = 2;
  settings.maxclients = 3;
  settings.reads = "workers";
  settings.slowlog_micros = -1;
  settings.output_hard = 5000;
  const ServiceSettings service = ServiceSettingsOf(settings, "secret", nullptr);
  EXPECT_EQ(service.connections.handlers, 2u);
  EXPECT_EQ(service.connections.max_clients, 3u);
  EXPECT_EQ(service.connections.output_hard_bytes, 5000u);
  EXPECT_EQ(service.slow_micros, operation::SlowWatch::kNever);
  EXPECT_EQ(service.password, "secret");
  EXPECT_FALSE(service.connections.reads_on_handlers);
  EXPECT_FALSE(service.handlers_help);
  settings.durability = "process";
  settings.reads = "handlers";
  EXPECT_TRUE(ServiceSettingsOf(settings, "", nullptr).handlers_help);
  EXPECT_TRUE(ServiceSettingsOf(settings, "", nullptr).connections.reads_on_handlers);
}

TEST_F(ServiceTest, TellsOfTroublesInTheLog) {
  const std::string path = testing::TempDir() + "service_test_log";
  std::filesystem::remove(path);
  const auto log = LineLog::Open(path, base::LogLevel::kWarning).value();
  ServiceSettings settings;
  settings.password = "secret";
  settings.log = log.get();
  Start(settings);
  service_->host().SetSetting("log-level", "debug").value();
  const auto socket = Connect();
  Ask(*socket, "AUTH wrong\r\n*1\r\n:1\r\n", 1000);
  service_ = nullptr;
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const char* event : {" DEBUG connection-opened id=", " WARNING login-failed peer=",
                            " WARNING protocol-error ", " DEBUG connection-closed id="}) {
    EXPECT_NE(text.find(event), std::string::npos) << event << " in " << text;
  }
  EXPECT_EQ(text.find("secret"), std::string::npos);
  EXPECT_EQ(text.find("wrong"), std::string::npos);
  std::filesystem::remove(path);
}

TEST_F(ServiceTest, KeepsSlowCommands) {
  Start();
  service_->host().SetSetting("slowlog-log-slower-than", "0").value();
  const auto socket = Connect();
  EXPECT_EQ(Ask(*socket, "SET a 1\r\nGET a\r\n", 12), "+OK\r\n$1\r\n1\r\n");
  EXPECT_GE(service_->host().SlowCommands().size(), 2u);
  service_->host().ForgetSlowCommands();
  EXPECT_TRUE(service_->host().SlowCommands().empty());
}

TEST_F(ServiceTest, ClosesTheClientsThatAreChosen) {
  Start();
  const auto socket = Connect();
  EXPECT_EQ(Ask(*socket, "PING\r\n", 7), "+PONG\r\n");
  EXPECT_EQ(service_->host().CloseClients([](const command::ClientRow&) { return true; }), 1u);
  EXPECT_EQ(Ask(*socket, "", 1), "");
}

std::string Bulk(std::string_view value) {
  return "$" + std::to_string(value.size()) + "\r\n" + std::string(value) + "\r\n";
}

// What clients send for a line of words.
std::string Request(std::string_view line) {
  std::string bytes;
  int words = 0;
  for (size_t begin = 0; begin < line.size(); ++words) {
    const size_t end = std::min(line.find(' ', begin), line.size());
    bytes += Bulk(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return "*" + std::to_string(words) + "\r\n" + bytes;
}

// Runs of reads are looked up at once, before the first of them runs.
TEST_F(ServiceTest, ReadsOfAPipelineSeeWhatStandsBeforeThem) {
  Start();
  const auto socket = Connect();
  std::string requests;
  std::string replies;
  const auto add = [&](std::string_view line, const std::string& reply) {
    requests += Request(line);
    replies += reply;
  };
  add("mset a 1 b 2", "+OK\r\n");
  add("get a", Bulk("1"));
  add("get b", Bulk("2"));
  add("get c", "$-1\r\n");
  add("set b 3", "+OK\r\n");
  add("get b", Bulk("3"));
  add("get a", Bulk("1"));
  add("strlen a", ":1\r\n");
  add("strlen c", ":0\r\n");
  add("ttl a", ":-1\r\n");
  add("ttl c", ":-2\r\n");
  add("multi", "+OK\r\n");
  add("set a 4", "+QUEUED\r\n");
  add("get a", "+QUEUED\r\n");
  add("get b", "+QUEUED\r\n");
  add("exec", "*3\r\n+OK\r\n" + Bulk("4") + Bulk("3"));
  add("get a", Bulk("4"));
  add("get b", Bulk("3"));
  add("select 1", "+OK\r\n");
  add("get a", "$-1\r\n");
  add("get b", "$-1\r\n");
  add("select 0", "+OK\r\n");
  add("begin", ":1\r\n");
  add("set a 5", "+OK\r\n");
  add("get a", Bulk("5"));
  add("get b", Bulk("3"));
  add("rollback", "+OK\r\n");
  add("get a", Bulk("4"));
  add("get b", Bulk("3"));
  for (int turn = 0; turn < 50; ++turn) {
    const std::string number = std::to_string(turn);
    add("set n " + number, "+OK\r\n");
    for (int i = 0; i < 20; ++i) {
      add("get n", Bulk(number));
    }
  }
  EXPECT_EQ(Ask(*socket, requests, replies), replies);
}

TEST_F(ServiceTest, SingleReadsOfManyClientsGetTheirOwnAnswers) {
  Start();
  constexpr size_t kClients = 40;
  std::vector<std::unique_ptr<runtime::Socket>> sockets;
  for (size_t i = 0; i < kClients; ++i) {
    sockets.push_back(Connect());
    const std::string key = std::to_string(i);
    EXPECT_EQ(Ask(*sockets[i], Request("set " + key + " 0:" + key), "+OK\r\n"), "+OK\r\n");
    EXPECT_EQ(Ask(*sockets[i], Request("get x"), "$-1\r\n"), "$-1\r\n");
  }
  for (int turn = 1; turn <= 20; ++turn) {
    for (size_t i = 0; i < kClients; ++i) {
      const std::string value = std::to_string(turn) + ":" + std::to_string(i);
      const std::string set = Request("set " + std::to_string(i) + " " + value);
      EXPECT_EQ(Ask(*sockets[i], set, "+OK\r\n"), "+OK\r\n");
    }
    for (size_t i = 0; i < kClients; ++i) {
      const std::string get = Request("get " + std::to_string(i));
      const std::string_view bytes = get;
      sockets[i]->Write(std::span(&bytes, 1)).value();
    }
    for (size_t i = 0; i < kClients; ++i) {
      const std::string reply = Bulk(std::to_string(turn) + ":" + std::to_string(i));
      EXPECT_EQ(Ask(*sockets[i], "", reply), reply);
    }
  }
}

TEST_F(ServiceTest, ShowsItselfOverHttp) {
  ServiceSettings settings;
  settings.http_address = "127.0.0.1:0";
  settings.usage = [] { return command::ProcessUsage{.pid = 5, .resident_bytes = 4096}; };
  Start(settings);
  const auto socket = Connect();
  EXPECT_EQ(Ask(*socket, Request("SET a 1") + Request("GET a") + Request("GET b"), 17),
            "+OK\r\n$1\r\n1\r\n$-1\r\n");
  EXPECT_EQ(service_->host().Usage().pid, 5u);
  const auto page = [&](std::string_view path) {
    const auto client = network_->Connect(service_->http_address(), 1'000'000'000).value();
    return Ask(*client, "GET " + std::string(path) + " HTTP/1.1\r\n\r\n", size_t{1} << 30);
  };
  const std::string metrics = page("/metrics");
  for (const char* line :
       {"luna_command_calls_total{command=\"set\"} 1\n", "luna_command_key_hits_total 1\n",
        "luna_command_key_misses_total 1\n", "process_resident_memory_bytes 4096\n",
        "luna_universe_commits_total 1\n", "luna_operation_rounds_total 1\n"}) {
    EXPECT_TRUE(metrics.contains(line)) << line << metrics;
  }
  EXPECT_TRUE(page("/healthz").ends_with("\r\n\r\nok\n"));
  EXPECT_TRUE(page("/readyz").ends_with("\r\n\r\nready\n"));
  EXPECT_TRUE(page("/").contains("/metrics"));
  universe_->Close().value();
  EXPECT_TRUE(page("/healthz").starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(page("/metrics").starts_with("HTTP/1.1 200 "));  // what the service knows
}

TEST_F(ServiceTest, OneThatNeverStartedTakesNothingAndEnds) {
  ServiceSettings settings;
  settings.connections.addresses = {"127.0.0.1:0"};
  const auto service = std::make_unique<Service>(*runtime_, *network_, settings);
  EXPECT_TRUE(service->addresses().empty());
  EXPECT_FALSE(service->stop_requested());
}

TEST_F(ServiceTest, StartsNotWhenItsPageCannot) {
  ServiceSettings settings;
  settings.connections.addresses = {"127.0.0.1:0"};
  settings.http_address = "nonsense";
  Service service(*runtime_, *network_, settings);
  EXPECT_EQ(service.Start(*universe_).error().reason(), Reason::kBadOption);
  EXPECT_EQ(service.http_address(), "");
}

// As the lead that moves, and comes back: whoever waits between two requests notices nothing.
TEST_F(ServiceTest, HandsItsClientsOnToTheNextOne) {
  std::vector<command::Departing> between;
  base::Mutex mutex;
  ServiceSettings settings;
  settings.password = "secret";
  settings.connections.hand_on = [&](command::Departing client) {
    const base::MutexLock lock(mutex);
    between.push_back(std::move(client));
  };
  Start(settings);
  const auto idle = Connect();
  const auto begun = Connect();
  const auto within = Connect();
  EXPECT_EQ(Ask(*idle, "AUTH secret\r\nCLIENT SETNAME me\r\nSELECT 2\r\n", 15),
            "+OK\r\n+OK\r\n+OK\r\n");
  EXPECT_EQ(Ask(*begun, "AUTH secret\r\nSET a 1\r\n*2\r\n$3\r\nGET", 10), "+OK\r\n+OK\r\n");
  EXPECT_EQ(Ask(*within, "AUTH secret\r\nMULTI\r\nSET a 2\r\n", 19), "+OK\r\n+OK\r\n+QUEUED\r\n");
  const auto unknown = Connect();
  EXPECT_EQ(Ask(*unknown, "GET a\r\n", "-NOAUTH Authentication required.\r\n").front(), '-');
  service_->HandOn();
  EXPECT_EQ(Ask(*within, "EXEC\r\n", 1), "");
  ASSERT_EQ(between.size(), 3u);
  Start(settings);
  for (command::Departing& client : between) {
    service_->Give(std::move(client));
  }
  EXPECT_EQ(Ask(*begun, "\r\n$1\r\na\r\n", 7), "$1\r\n1\r\n");
  EXPECT_EQ(Ask(*idle, "CLIENT GETNAME\r\nSET b 3\r\n", 13), "$2\r\nme\r\n+OK\r\n");
  EXPECT_EQ(Ask(*begun, "GET b\r\nSELECT 2\r\nGET b\r\n", 17), "$-1\r\n+OK\r\n$1\r\n3\r\n");
  EXPECT_EQ(Ask(*unknown, "GET a\r\n", "-NOAUTH Authentication required.\r\n").substr(0, 7),
            "-NOAUTH");
  EXPECT_EQ(service_->host().Counts().connections, 3u);
  const auto rows = service_->host().Clients();
  EXPECT_EQ(std::ranges::count(rows, "me", &command::ClientRow::name), 1);
}

TEST_F(ServiceTest, ForgetsItsCountsWhenTold) {
  ServiceSettings settings;
  settings.slow_micros = 0;
  Start(settings);
  const auto socket = Connect();
  EXPECT_EQ(Ask(*socket, "SET a 1\r\nGET a\r\n", 12), "+OK\r\n$1\r\n1\r\n");
  command::Host& host = service_->host();
  EXPECT_EQ(host.Counts().slow_commands, 2u);
  EXPECT_EQ(host.command_counts().Figures().size(), 2u);
  host.ResetCounts();
  EXPECT_EQ(host.Counts().slow_commands, 0u);
  EXPECT_TRUE(host.command_counts().Figures().empty());
  EXPECT_TRUE(host.SetSetting("latency-monitor-threshold", "5").ok());
  EXPECT_EQ(host.latency_events().threshold_millis(), 5u);
}

// How a program embeds the service: streams within the process and clients that talk RESP through a
// Socket, with neither a port nor a thread of their own.

constexpr uint64_t kPatienceNanos = 10'000'000'000;

// A client of a service in the same process.
// Thread rule: owned by one thread.
class Client {
 public:
  Client(runtime::Network& network, std::string_view address)
      : socket_(network.Connect(address, kPatienceNanos).value()), poller_(network.NewPoller()) {
    poller_->Add(*socket_, 1).value();
  }
  ~Client() { poller_->Remove(*socket_); }

  void Send(std::initializer_list<std::string_view> arguments) {
    const std::string request = resp::Request(std::span(arguments.begin(), arguments.size()));
    std::string_view left = request;
    while (!left.empty()) {
      const auto written = socket_->Write(std::span(&left, 1)).value();
      ASSERT_FALSE(written.ended);
      left.remove_prefix(written.bytes);
      if (written.bytes == 0) {
        Wait();
      }
    }
  }
  // The next reply; nothing after the service closed the connection.
  std::optional<resp::Reply> Receive() {
    for (;;) {
      if (auto reply = parser_.Next().value()) {
        return reply;
      }
      std::array<char, 4096> buffer;
      const auto read = socket_->Read(buffer).value();
      parser_.Feed(std::string_view(buffer.data(), read.bytes));
      if (read.bytes == 0 && read.ended) {
        return std::nullopt;
      }
      if (read.bytes == 0) {
        Wait();
      }
    }
  }
  resp::Reply Ask(std::initializer_list<std::string_view> arguments) {
    Send(arguments);
    return Receive().value();
  }
  // No more requests; what was sent is answered.
  void Finish() { socket_->FinishWrites(); }

 private:
  void Wait() {
    std::array<runtime::Ready, 1> ready;
    ASSERT_GT(poller_->Wait(ready, kPatienceNanos), 0u);
  }

  const std::unique_ptr<runtime::Socket> socket_;
  const std::unique_ptr<runtime::Poller> poller_;
  resp::ReplyParser parser_;
};

class InProcess : public testing::Test {
 protected:
  InProcess() {
    ServiceSettings settings;
    settings.connections.addresses = {"localhost:0"};
    service_ = std::make_unique<Service>(*runtime_, *network_, settings);
    service_->Start(*universe_).value();
  }
  Client Connect() { return Client(*network_, service_->addresses().front()); }

  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  const std::unique_ptr<Universe> universe_ =
      Universe::Open({.location = "memory:", .durability = Durability::kProcess},
                     {.listener = nullptr, .runtime = runtime_.get()})
          .value();
  const std::unique_ptr<runtime::Network> network_ = memory::NewMemoryNetwork(*runtime_);
  std::unique_ptr<Service> service_;  // ends before what it serves
};

TEST_F(InProcess, AnswersCommandsWithValuesOfAnyBytes) {
  Client client = Connect();
  const std::string value("line\r\n\0end", 10);
  EXPECT_EQ(client.Ask({"SET", "a", value}).text, "OK");
  EXPECT_EQ(client.Ask({"GET", "a"}).text, value);
  EXPECT_EQ(client.Ask({"GET", "missing"}).kind, resp::Reply::Kind::kNull);
  EXPECT_EQ(client.Ask({"INCR", "a"}).text, "ERR value is not an integer or out of range");
  const std::string large(1 << 20, 'v');  // more than the streams hold
  EXPECT_EQ(client.Ask({"SET", "large", large}).text, "OK");
  EXPECT_EQ(client.Ask({"GET", "large"}).text, large);
}

TEST_F(InProcess, AnswersAPipelineInOrder) {
  constexpr int kRequests = 1000;
  Client client = Connect();
  for (int i = 0; i < kRequests; ++i) {
    client.Send({"INCR", "n"});
  }
  for (int i = 1; i <= kRequests; ++i) {
    EXPECT_EQ(client.Receive().value().integer, i);
  }
  EXPECT_EQ(client.Ask({"GET", "n"}).text, std::to_string(kRequests));
}

TEST_F(InProcess, RunsMultiAsOneTransaction) {
  Client client = Connect();
  EXPECT_EQ(client.Ask({"MULTI"}).text, "OK");
  EXPECT_EQ(client.Ask({"SET", "a", "1"}).text, "QUEUED");
  EXPECT_EQ(client.Ask({"INCRBY", "a", "41"}).text, "QUEUED");
  const resp::Reply replies = client.Ask({"EXEC"});
  ASSERT_EQ(replies.elements.size(), 2u);
  EXPECT_EQ(replies.elements[0].text, "OK");
  EXPECT_EQ(replies.elements[1].integer, 42);
}

TEST_F(InProcess, TwoClientsSeeEachOthersCommitsOnly) {
  Client first = Connect();
  Client second = Connect();
  EXPECT_EQ(first.Ask({"SET", "a", "1"}).text, "OK");
  EXPECT_EQ(second.Ask({"WATCH", "a"}).text, "OK");
  EXPECT_EQ(first.Ask({"BEGIN"}).kind, resp::Reply::Kind::kInteger);
  EXPECT_EQ(first.Ask({"SET", "a", "2"}).text, "OK");
  EXPECT_EQ(first.Ask({"GET", "a"}).text, "2");
  EXPECT_EQ(second.Ask({"GET", "a"}).text, "1");
  EXPECT_FALSE(first.Ask({"COMMIT"}).failed());
  EXPECT_EQ(second.Ask({"GET", "a"}).text, "2");
  EXPECT_EQ(second.Ask({"MULTI"}).text, "OK");
  EXPECT_EQ(second.Ask({"SET", "a", "3"}).text, "QUEUED");
  EXPECT_EQ(second.Ask({"EXEC"}).kind, resp::Reply::Kind::kNull) << "the watched key was changed";
  EXPECT_EQ(first.Ask({"GET", "a"}).text, "2");
}

TEST_F(InProcess, WhatWasSentBeforeTheCloseIsAnsweredAndStays) {
  {
    Client client = Connect();
    client.Send({"SET", "a", "1"});
    client.Send({"GET", "a"});
    client.Finish();
    EXPECT_EQ(client.Receive().value().text, "OK");
    EXPECT_EQ(client.Receive().value().text, "1");
    EXPECT_FALSE(client.Receive().has_value());
  }
  // The program may use the universe beside the service.
  const auto database = universe_->OpenDatabase("default").value();
  const auto collection = database->OpenCollection("0").value();
  EXPECT_EQ(collection->Get("a").value(), "1");
}

TEST_F(InProcess, ClosesAfterQuitAndWhenItStops) {
  Client quits = Connect();
  EXPECT_EQ(quits.Ask({"QUIT"}).text, "OK");
  EXPECT_FALSE(quits.Receive().has_value());
  Client stays = Connect();
  EXPECT_EQ(stays.Ask({"PING"}).text, "PONG");
  const std::string address = service_->addresses().front();
  service_->Stop();
  EXPECT_FALSE(stays.Receive().has_value());
  EXPECT_EQ(network_->Connect(address, 1'000'000).error().reason(), Reason::kUnreachable);
}

}  // namespace
}  // namespace luna::server
