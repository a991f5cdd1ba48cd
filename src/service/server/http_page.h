// HttpPage: a few pages over HTTP, for machines that watch this one. One thread with a Poller: a
// client that is slow or sends nonsense cannot make others wait, and what all of them can make the
// page hold is bounded. httplib reads requests and writes answers, without a socket of its own;
// bytes go through runtime::Network. Each connection has one request.
// Thread rule: Listen, Start and Stop from one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "luna/status.h"
#include "runtime/network.h"
#include "runtime/runtime.h"

namespace luna::server {

struct HttpAnswer {
  int status = 200;
  std::string body;
  std::string type = "text/plain; charset=utf-8";
};

class HttpPage {
 public:
  // Answers of the paths, GET and HEAD; called on the page's thread.
  using Pages = std::map<std::string, std::function<HttpAnswer()>>;

  static constexpr size_t kClients = 32;                    // at a time; more are closed at once
  static constexpr size_t kRequestBytes = 4096;             // of a request
  static constexpr uint64_t kRequestNanos = 5'000'000'000;  // until a request is whole
  static constexpr uint64_t kAnswerNanos = 10'000'000'000;  // until its answer is taken

  HttpPage(runtime::Runtime& runtime, runtime::Network& network, Pages pages);
  ~HttpPage();  // stops

  // kBadOption, kAddressInUse, kReadOnly.
  Status Listen(const std::string& address);
  const std::string& address() const;  // with the real port
  void Start();
  void Stop();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace luna::server
