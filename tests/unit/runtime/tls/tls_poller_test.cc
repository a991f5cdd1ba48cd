#include "runtime/tls/tls_poller.h"

#include <gtest/gtest.h>

#include "unit/runtime/tls/tls_pair.h"

namespace luna::tls {

namespace {

class TlsPollerTest : public testing::Test {
 protected:
  support::CertificateFiles files_;
  TlsPair pair_{files_.Settings(), files_.Settings(), files_};
  const std::unique_ptr<runtime::Poller> poller_ = pair_.network.NewPoller();
  std::array<runtime::Ready, 4> ready_;
};

TEST_F(TlsPollerTest, PlainSocketsAreWatchedBesideTlsOnes) {
  const auto plain_listener = pair_.below->Listen("127.0.0.1:0").value();
  const auto plain = pair_.below->Connect(plain_listener->address(), 0).value();
  ASSERT_TRUE(poller_->Add(*plain_listener, 1).ok());
  ASSERT_TRUE(poller_->Add(*pair_.listener, 2).ok());
  ASSERT_EQ(poller_->Wait(ready_, 0), 1u);
  EXPECT_EQ(ready_[0].tag, 1u);
  const auto accepted = plain_listener->Accept().value();
  ASSERT_TRUE(poller_->Add(*accepted, 3).ok());
  ASSERT_TRUE(poller_->Add(*pair_.server_socket, 4).ok());
  while (poller_->Wait(ready_, 0) > 0) {
  }
  EXPECT_EQ(Write(*plain, "x"), 1u);
  ASSERT_EQ(poller_->Wait(ready_, 0), 1u);
  EXPECT_EQ(ready_[0].tag, 3u);
  EXPECT_EQ(Write(*pair_.client_socket, "x"), 0u);
  ASSERT_EQ(poller_->Wait(ready_, 0), 1u);
  EXPECT_EQ(ready_[0].tag, 4u);
  poller_->Remove(*accepted);
  poller_->Remove(*pair_.server_socket);
  poller_->Remove(*plain_listener);
  poller_->Remove(*pair_.listener);
}

TEST_F(TlsPollerTest, BytesThatOpenSslHoldsAreReported) {
  Shake(*pair_.client_socket, *pair_.server_socket);
  EXPECT_EQ(Write(*pair_.client_socket, "abc"), 3u);
  EXPECT_EQ(Read(*pair_.server_socket, 1), "a");
  ASSERT_TRUE(poller_->Add(*pair_.server_socket, 9).ok());
  size_t readable = 0;
  while (const size_t count = poller_->Wait(ready_, 0)) {
    ASSERT_EQ(count, 1u);
    EXPECT_EQ(ready_[0].tag, 9u);
    readable += ready_[0].readable ? 1 : 0;
  }
  EXPECT_EQ(readable, 1u);
  poller_->Remove(*pair_.server_socket);
}

TEST_F(TlsPollerTest, WritesThatWaitForTheHandshakeAreWritableWhenBytesCome) {
  ASSERT_TRUE(poller_->Add(*pair_.client_socket, 5).ok());
  while (poller_->Wait(ready_, 0) > 0) {
  }
  EXPECT_EQ(Write(*pair_.client_socket, "x"), 0u);
  EXPECT_EQ(Read(*pair_.server_socket), "");  // answers the handshake
  ASSERT_EQ(poller_->Wait(ready_, 0), 1u);
  EXPECT_TRUE(ready_[0].readable);
  EXPECT_TRUE(ready_[0].writable);
  EXPECT_EQ(Write(*pair_.client_socket, "x"), 1u);
  poller_->Remove(*pair_.client_socket);
}

TEST_F(TlsPollerTest, ReadsThatWaitForRoomAreReadableWhenThereIsSome) {
  TlsPair narrow(files_.Settings(), files_.Settings(), files_, 300);  // less than a handshake
  const auto poller = narrow.network.NewPoller();
  ASSERT_TRUE(poller->Add(*narrow.server_socket, 5).ok());
  bool waited = false;
  for (int i = 0; i < 50 && !narrow.server_socket->established(); ++i) {
    static_cast<void>(narrow.client_socket->Read({}).ok());
    const size_t count = poller->Wait(ready_, 0);
    for (size_t j = 0; j < count; ++j) {
      waited = waited || (ready_[j].writable && ready_[j].readable);
      if (ready_[j].readable) {
        EXPECT_EQ(Read(*narrow.server_socket), "");
      }
    }
  }
  EXPECT_TRUE(narrow.server_socket->established());
  EXPECT_TRUE(waited);
  poller->Remove(*narrow.server_socket);
}

// Watches one socket, as a system at its limit does.
class FullPoller final : public runtime::Poller {
 public:
  explicit FullPoller(std::unique_ptr<runtime::Poller> below) : below_(std::move(below)) {}
  Status Add(runtime::Socket& socket, uint64_t tag) override {
    if (watched_ != nullptr) {
      return Error(Reason::kIoError, "no more sockets can be watched");
    }
    watched_ = &socket;
    return below_->Add(socket, tag);
  }
  Status Add(runtime::Listener& listener, uint64_t tag) override {
    return below_->Add(listener, tag);
  }
  void Remove(runtime::Socket& socket) override {
    if (watched_ == &socket) {
      below_->Remove(socket);
    }
  }
  void Remove(runtime::Listener& listener) override { below_->Remove(listener); }
  size_t Wait(std::span<runtime::Ready> ready, uint64_t nanos) override {
    return below_->Wait(ready, nanos);
  }
  void Wake() override { below_->Wake(); }

 private:
  const std::unique_ptr<runtime::Poller> below_;
  runtime::Socket* watched_ = nullptr;
};

// Its tag may be that of another poller, and here of another socket.
TEST_F(TlsPollerTest, WhatCouldNotBeAddedIsRemovedWithoutHarmToOthers) {
  TlsPoller full(std::make_unique<FullPoller>(pair_.below->NewPoller()));
  ASSERT_TRUE(full.Add(*pair_.client_socket, 5).ok());
  ASSERT_TRUE(poller_->Add(*pair_.server_socket, 5).ok());
  poller_->Remove(*pair_.server_socket);
  EXPECT_FALSE(full.Add(*pair_.server_socket, 9).ok());
  full.Remove(*pair_.server_socket);
  while (full.Wait(ready_, 0) > 0) {
  }
  EXPECT_EQ(Write(*pair_.client_socket, "x"), 0u);
  EXPECT_EQ(Read(*pair_.server_socket), "");  // answers the handshake
  ASSERT_EQ(full.Wait(ready_, 0), 1u);
  EXPECT_TRUE(ready_[0].writable);  // as its socket needs, if that is still known
  full.Remove(*pair_.client_socket);
}

TEST_F(TlsPollerTest, WakesEndAWait) {
  poller_->Wake();
  EXPECT_EQ(poller_->Wait(ready_, ~uint64_t{0}), 0u);
}

}  // namespace

}  // namespace luna::tls
