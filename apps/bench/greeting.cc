#include "apps/bench/greeting.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "apps/bench/reply_cursor.h"
#include "base/try.h"

namespace luna::bench {
namespace {

constexpr uint64_t kPatienceNanos = 5'000'000'000;

void AppendCommand(const std::vector<std::string>& words, std::string& out) {
  out += "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) {
    out += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
}

// What is said first, and how many answers there will be.
int CommandsOf(const Settings& settings, std::string& out) {
  int count = 0;
  if (!settings.password.empty()) {
    std::vector<std::string> words = {"AUTH"};
    if (!settings.user.empty()) {
      words.push_back(settings.user);
    }
    words.push_back(settings.password);
    AppendCommand(words, out);
    ++count;
  }
  if (!settings.database.empty() || !settings.collection.empty()) {
    std::vector<std::string> words = {"USE",
                                      settings.database.empty() ? "default" : settings.database};
    if (!settings.collection.empty()) {
      words.push_back(settings.collection);
    }
    AppendCommand(words, out);
    ++count;
  }
  return count;
}

// True once all answers are there and none is an error.
Result<bool> Welcome(std::string_view bytes, int answers) {
  ReplyCursor cursor(bytes);
  Token token;
  for (int i = 0; i < answers; ++i) {
    if (!cursor.Next(token) || !cursor.SkipElements(token)) {
      if (cursor.broken()) {
        return Error(Reason::kBadInput, "the server does not speak RESP; check --server");
      }
      return false;
    }
    if (token.kind == '-') {
      return Error(Reason::kBadOption, "the server refused: " + std::string(token.text));
    }
  }
  return true;
}

Status Converse(runtime::Runtime& runtime, runtime::Network& network, runtime::Socket& socket,
                std::string_view commands, int answers) {
  const std::unique_ptr<runtime::Poller> poller = network.NewPoller();
  TRY(poller->Add(socket, 0));
  const uint64_t deadline = runtime.clock().MonotonicNanos() + kPatienceNanos;
  std::string received;
  std::array<char, 4096> room;
  std::array<runtime::Ready, 4> ready;
  Status result;
  while (true) {
    const runtime::Transfer written = TRY(socket.Write(std::array{commands}));
    commands.remove_prefix(written.bytes);
    const runtime::Transfer read = TRY(socket.Read(room));
    received.append(room.data(), read.bytes);
    const Result<bool> welcome = Welcome(received, answers);
    if (!welcome.ok() || *welcome) {
      result = welcome.ok() ? Status() : welcome.error();
      break;
    }
    if (read.ended || runtime.clock().MonotonicNanos() >= deadline) {
      result = Error(read.ended ? Reason::kUnreachable : Reason::kDeadline,
                     read.ended ? "the server closed the connection at once"
                                : "the server does not answer within 5 s");
      break;
    }
    if (read.bytes == 0) {
      poller->Wait(ready, deadline - runtime.clock().MonotonicNanos());
    }
  }
  poller->Remove(socket);
  return result;
}

}  // namespace

Result<std::unique_ptr<runtime::Socket>> Greet(runtime::Runtime& runtime, runtime::Network& network,
                                               const Settings& settings) {
  std::unique_ptr<runtime::Socket> socket = TRY(network.Connect(settings.server, kPatienceNanos));
  std::string commands;
  if (const int answers = CommandsOf(settings, commands); answers > 0) {
    TRY(Converse(runtime, network, *socket, commands, answers));
  }
  return socket;
}

}  // namespace luna::bench
