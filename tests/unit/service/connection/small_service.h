// A service of a few commands on streams within the process, and clients of it.
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/memory/memory_network.h"
#include "service/connection/connections.h"
#include "service/operation/workers.h"
#include "unit/service/operation/small_commands.h"

namespace luna::connection {

// Of command "hold", which ends when it is told.
inline std::atomic<int> holding{0};
inline std::atomic<bool> held{false};

inline std::vector<command::Command> ServiceCommands() {
  using command::Place;
  using operation::Row;
  std::vector<command::Command> rows = operation::SmallCommands();
  for (command::Command& row : rows) {
    if (row.name == "get") {
      row.first_key = row.last_key = row.key_step = 1;
    }
  }
  rows.push_back(Row("ping", -1, Place::kConnection, command::kFlagNoAuth,
                     [](command::Call& call) { call.reply.Simple("PONG"); }));
  rows.push_back(Row("quit", 1, Place::kConnection, command::kFlagNoAuth, [](command::Call& call) {
    call.session.closing = true;
    call.reply.Simple("OK");
  }));
  rows.push_back(Row("name", 2, Place::kConnection, 0, [](command::Call& call) {
    call.session.name = call.arguments[1];
    call.reply.Simple("OK");
  }));
  rows.push_back(Row("hide", 1, Place::kConnection, 0, [](command::Call& call) {
    call.session.replies = command::Session::Replies::kSkipNext;
  }));
  rows.push_back(Row("multi", 1, Place::kConnection, 0, [](command::Call& call) {
    call.session.queueing = true;
    call.reply.Simple("OK");
  }));
  rows.push_back(Row("auth", 2, Place::kConnection, command::kFlagNoAuth, [](command::Call& call) {
    call.session.authenticated = true;
    call.reply.Simple("OK");
  }));
  rows.push_back(Row("later", 1, Place::kConnection, 0, [](command::Call& call) {
    call.session.answer_nanos = call.host.runtime().clock().MonotonicNanos() + 30'000'000;
    call.reply.Simple("LATE");
  }));
  rows.push_back(
      Row("monitor", 1, Place::kConnection, command::kFlagAdmin, [](command::Call& call) {
        call.session.monitoring = true;
        call.session.unrestricted_version = 0;
        call.reply.Simple("OK");
      }));
  rows.push_back(Row("reset", 1, Place::kConnection, 0, [](command::Call& call) {
    call.session.monitoring = false;
    call.reply.Simple("RESET");
  }));
  rows.push_back(Row("big", 2, Place::kRead, 0, [](command::Call& call) {
    int64_t bytes = 0;
    command::ParseInteger(call.arguments[1], bytes);
    call.reply.Bulk(std::string(static_cast<size_t>(bytes), 'b'));
  }));
  rows.push_back(Row("first", 1, Place::kRead, 0, [](command::Call& call) {
    const auto scan = call.access.Scan(call.collection(), {});
    scan.ok() ? call.reply.Simple("FIRST") : call.Fail(scan.error());
  }));
  rows.push_back(Row("hold", 1, Place::kSlow, 0, [](command::Call& call) {
    ++holding;
    while (held) {
      call.host.runtime().Sleep(100'000);
    }
    --holding;
    call.reply.Simple("FREE");
  }));
  rows.push_back(
      Row("verify", 1, Place::kSlow, 0, [](command::Call& call) { call.reply.Simple("SOUND"); }));
  return rows;
}

class SmallService {
 public:
  explicit SmallService(ConnectionSettings settings = {}, size_t queue_limit = 1000,
                        std::string password = {})
      : rows_(ServiceCommands()),
        host_(rows_),
        network_(memory::NewMemoryNetwork(host_.runtime())),
        reads_(host_.runtime(), queue_limit),
        writes_(host_.runtime(), queue_limit) {
    host_.password = std::move(password);
    settings.addresses = {"127.0.0.1:0"};
    connections_ = std::make_unique<Connections>(host_.runtime(), *network_, host_,
                                                 host_.commands(), reads_, writes_, settings);
    connections_->Start().value();
    readers_ = std::make_unique<operation::ReadWorkers>(host_.runtime(), host_, reads_, 1);
    StartWriter();
  }
  ~SmallService() {
    connections_->Stop(5'000'000'000);
    reads_.Close();
    writes_.Close();
  }
  void StartWriter() {
    writer_ = std::make_unique<operation::WriteWorker>(host_.runtime(), host_, writes_);
  }
  Connections& connections() { return *connections_; }
  runtime::Network& network() { return *network_; }
  service_support::TestHost& host() { return host_; }
  std::string address() const { return connections_->addresses().front(); }

 private:
  const std::vector<command::Command> rows_;
  service_support::TestHost host_;
  const std::unique_ptr<runtime::Network> network_;
  operation::OperationQueue reads_;
  operation::OperationQueue writes_;
  std::unique_ptr<Connections> connections_;
  std::unique_ptr<operation::ReadWorkers> readers_;
  std::unique_ptr<operation::WriteWorker> writer_;
};

class Client {
 public:
  explicit Client(SmallService& service)
      : socket_(service.network().Connect(service.address(), 1'000'000'000).value()),
        poller_(service.network().NewPoller()) {
    poller_->Add(*socket_, 1).value();
  }
  ~Client() {
    if (socket_ != nullptr) {
      poller_->Remove(*socket_);
    }
  }
  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto written = socket_->Write(std::span(&bytes, 1)).value();
      bytes.remove_prefix(written.bytes);
      if (written.ended) {
        return;
      }
      if (written.bytes == 0) {
        Wait();
      }
    }
  }
  void Finish() { socket_->FinishWrites(); }
  // The next bytes, as many as asked, or those before the end.
  std::string Read(size_t bytes) {
    std::string all;
    std::vector<char> buffer(std::min<size_t>(bytes, 1 << 16));
    while (all.size() < bytes) {
      const size_t most = std::min(buffer.size(), bytes - all.size());
      const auto read = socket_->Read(std::span(buffer).first(most)).value();
      all.append(buffer.data(), read.bytes);
      if (read.ended) {
        break;
      }
      if (read.bytes == 0) {
        Wait();
      }
    }
    return all;
  }
  std::string ReadAll() { return Read(~size_t{0} >> 1); }
  std::string Ask(std::string_view bytes, std::string_view expected) {
    Send(bytes);
    return Read(expected.size());
  }
  // Nothing comes for a moment.
  bool IsQuiet() {
    std::array<char, 1> one;
    for (int i = 0; i < 20; ++i) {
      if (const auto read = socket_->Read(one).value(); read.bytes > 0 || read.ended) {
        return false;
      }
      std::array<runtime::Ready, 1> ready;
      poller_->Wait(ready, 1'000'000);
    }
    return true;
  }

 private:
  void Wait() {
    std::array<runtime::Ready, 1> ready;
    poller_->Wait(ready, 10'000'000'000);
  }

  std::unique_ptr<runtime::Socket> socket_;
  const std::unique_ptr<runtime::Poller> poller_;
};

}  // namespace luna::connection
