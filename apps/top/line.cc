#include "apps/top/line.h"

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "apps/bench/greeting.h"
#include "base/try.h"
#include "runtime/posix/posix_network.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::top {
namespace {

constexpr uint64_t kPatienceNanos = 10'000'000'000;

class Line {
 public:
  Line(runtime::Runtime& runtime, runtime::Network& network,
       std::unique_ptr<runtime::Socket> socket)
      : clock_(runtime.clock()), socket_(std::move(socket)), poller_(network.NewPoller()) {}
  ~Line() { poller_->Remove(*socket_); }

  Status Watch() { return poller_->Add(*socket_, 0); }

  Result<resp::Reply> Ask(std::span<const std::string_view> words) {
    const std::string request = resp::Request(words);
    std::string_view left = request;
    const uint64_t deadline = clock_.MonotonicNanos() + kPatienceNanos;
    while (true) {
      const runtime::Transfer written = TRY(socket_->Write(std::array{left}));
      left.remove_prefix(written.bytes);
      const runtime::Transfer read = TRY(socket_->Read(room_));
      parser_.Feed(std::string_view(room_.data(), read.bytes));
      std::optional<resp::Reply> reply = TRY(parser_.Next());
      if (reply.has_value()) {
        return *std::move(reply);
      }
      const uint64_t now = clock_.MonotonicNanos();
      if (read.ended || now >= deadline) {
        return read.ended ? Error(Reason::kUnreachable, "the server closed the connection")
                          : Error(Reason::kDeadline, "the server does not answer within 10 s");
      }
      if (read.bytes == 0) {
        std::array<runtime::Ready, 4> ready;
        poller_->Wait(ready, deadline - now);
      }
    }
  }

 private:
  runtime::Clock& clock_;
  const std::unique_ptr<runtime::Socket> socket_;
  const std::unique_ptr<runtime::Poller> poller_;
  resp::ReplyParser parser_;
  std::array<char, 16384> room_;
};

}  // namespace

Result<Ask> ConnectLine(runtime::Runtime& runtime, runtime::Network& network,
                        const bench::Settings& target) {
  std::unique_ptr<runtime::Socket> socket = TRY(bench::Greet(runtime, network, target));
  const auto line = std::make_shared<Line>(runtime, network, std::move(socket));
  TRY(line->Watch());
  return Ask([line](std::span<const std::string_view> words) { return line->Ask(words); });
}

Result<int> RunTop(const bench::Settings& target, Settings settings) {
  const std::unique_ptr<runtime::Runtime> runtime = posix::NewPosixRuntime();
  const std::unique_ptr<runtime::Network> network = posix::NewPosixNetwork();
  settings.server = target.server;
  return RunTop(settings, [&] { return ConnectLine(*runtime, *network, target); });
}

}  // namespace luna::top
