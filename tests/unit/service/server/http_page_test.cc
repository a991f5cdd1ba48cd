#include "service/server/http_page.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "runtime/memory/memory_network.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::server {
namespace {

class HttpPageTest : public testing::Test {
 protected:
  void SetUp() override {
    page_.Listen("127.0.0.1:0").value();
    page_.Start();
  }
  std::unique_ptr<runtime::Socket> Connect() {
    return network_->Connect(page_.address(), 1'000'000'000).value();
  }
  void Send(runtime::Socket& socket, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = socket.Write(std::span(&bytes, 1));
      if (!sent.ok() || sent->ended) {
        return;
      }
      bytes.remove_prefix(sent->bytes);
      runtime_->Yield();
    }
  }
  // What comes until the page closes.
  std::string Read(runtime::Socket& socket) {
    const auto poller = network_->NewPoller();
    poller->Add(socket, 1).value();
    std::string got;
    std::array<char, 4096> buffer;
    std::array<runtime::Ready, 1> ready;
    while (true) {
      const auto read = socket.Read(buffer);
      if (!read.ok() || read->ended) {
        break;
      }
      got.append(buffer.data(), read->bytes);
      if (read->bytes == 0) {
        poller->Wait(ready, 10'000'000'000);
      }
    }
    poller->Remove(socket);
    return got;
  }
  std::string Ask(std::string_view bytes) {
    const auto socket = Connect();
    Send(*socket, bytes);
    return Read(*socket);
  }

  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  const std::unique_ptr<runtime::Network> network_ = memory::NewMemoryNetwork(*runtime_);
  HttpPage page_{*runtime_,
                 *network_,
                 {{"/", [] { return HttpAnswer{.body = "hello"}; }},
                  {"/ill", [] { return HttpAnswer{.status = 503, .body = "ill"}; }},
                  {"/long", [] { return HttpAnswer{.body = std::string(4'000'000, 'x')}; }}}};
};

TEST_F(HttpPageTest, AnswersAndCloses) {
  const std::string answer = Ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(answer.contains("Content-Length: 5\r\n")) << answer;
  EXPECT_TRUE(answer.contains("Connection: close\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\nhello")) << answer;
  EXPECT_TRUE(Ask("GET /ill HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(Ask("GET /none HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(Ask("HEAD / HTTP/1.1\r\n\r\n").ends_with("\r\n\r\n"));
}

TEST_F(HttpPageTest, TakesARequestInPieces) {
  const auto socket = Connect();
  for (const char letter : std::string("GET / HTTP/1.1\r\n\r\n")) {
    Send(*socket, std::string_view(&letter, 1));
  }
  EXPECT_TRUE(Read(*socket).ends_with("hello"));
}

TEST_F(HttpPageTest, SurvivesNonsense) {
  const std::string ranges =
      "GET / HTTP/1.1\r\nRange: bytes=" + std::string(3000, '9') + "-\r\n\r\n";
  std::string many = "GET / HTTP/1.1\r\nRange: bytes=0-1";
  while (many.size() < 3900) {
    many += ",0-1";
  }
  many += "\r\n\r\n";
  const std::vector<std::string> requests = {
      "\r\n\r\n",
      "GET\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "\x16\x03\x01\r\n\r\n",
      ranges,
      many,
      "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
      "GET /" + std::string(3000, '%') + " HTTP/1.1\r\n\r\n",
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
      "POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: " + std::string(100'000, 'h') + "\r\n\r\n"};
  for (const std::string& request : requests) {
    EXPECT_FALSE(Ask(request).starts_with("HTTP/1.1 500")) << request.substr(0, 100);
  }
  EXPECT_TRUE(Ask("GET / HTTP/1.1\r\n\r\n").ends_with("hello"));
}

TEST_F(HttpPageTest, SlowClientsDoNotMakeOthersWait) {
  std::vector<std::unique_ptr<runtime::Socket>> slow;
  for (size_t i = 0; i < HttpPage::kClients - 2; ++i) {
    slow.push_back(Connect());
    Send(*slow.back(), i % 2 == 0 ? "GET / HT" : "GET /long HTTP/1.1\r\n\r\n");  // nobody reads it
  }
  EXPECT_TRUE(Ask("GET / HTTP/1.1\r\n\r\n").ends_with("hello"));
}

TEST_F(HttpPageTest, ClosesMoreClientsThanItMayHave) {
  std::vector<std::unique_ptr<runtime::Socket>> clients;
  for (size_t i = 0; i < HttpPage::kClients; ++i) {
    clients.push_back(Connect());
  }
  EXPECT_EQ(Ask("GET / HTTP/1.1\r\n\r\n"), "");
  clients.clear();
  std::string answer;
  while (answer.empty()) {  // until it has heard of their end
    answer = Ask("GET / HTTP/1.1\r\n\r\n");
  }
  EXPECT_TRUE(answer.ends_with("hello"));
}

TEST_F(HttpPageTest, StopsWithClientsAround) {
  const auto socket = Connect();
  Send(*socket, "GET ");
  page_.Stop();
  page_.Stop();
  EXPECT_EQ(Read(*socket), "");
}

TEST_F(HttpPageTest, RefusesAddressesThatAreNone) {
  HttpPage page(*runtime_, *network_, {});
  EXPECT_EQ(page.Listen("nonsense").error().reason(), Reason::kBadOption);
  EXPECT_EQ(page.Listen(page_.address()).error().reason(), Reason::kAddressInUse);
  EXPECT_EQ(page.address(), "");
  page.Start();  // nothing to do
}

}  // namespace
}  // namespace luna::server
