#include "service/connection/output.h"

#include <gtest/gtest.h>

#include "runtime/memory/memory_network.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::connection {

namespace {

class OutputTest : public testing::Test {
 protected:
  std::string Received() {
    std::string buffer(1 << 20, '\0');
    buffer.resize(client_->Read(buffer).value().bytes);
    return buffer;
  }

  static constexpr size_t kRoom = size_t{100} << 10;
  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  const std::unique_ptr<runtime::Network> network_ = memory::NewMemoryNetwork(*runtime_, kRoom);
  const std::unique_ptr<runtime::Listener> listener_ = network_->Listen("a:1").value();
  std::unique_ptr<runtime::Socket> client_ = network_->Connect("a:1", 0).value();
  const std::unique_ptr<runtime::Socket> server_ = listener_->Accept().value();
  Output output_;
};

TEST_F(OutputTest, ManyRepliesAreOneWrite) {
  output_.tail() += "one ";
  std::string replies = "two ";
  output_.Take(replies);
  EXPECT_TRUE(replies.empty());
  output_.tail() += "three";
  EXPECT_EQ(output_.pending(), 13u);
  EXPECT_EQ(output_.Flush(*server_).value().bytes, 13u);
  EXPECT_EQ(output_.pending(), 0u);
  EXPECT_EQ(Received(), "one two three");
}

TEST_F(OutputTest, WhatDoesNotFitGoesLater) {
  std::string all;
  std::string got;
  for (int i = 0; i < 10; ++i) {
    std::string replies(i * 11'111, static_cast<char>('a' + i));
    all += replies;
    output_.Take(replies);
    EXPECT_TRUE(replies.empty());
    EXPECT_TRUE(output_.Flush(*server_).ok());
    got += Received();
  }
  while (output_.pending() > 0) {
    EXPECT_GT(output_.Flush(*server_).value().bytes, 0u);
    got += Received();
  }
  EXPECT_TRUE(got == all);
}

TEST_F(OutputTest, GoneClientsEndIt) {
  client_.reset();
  output_.tail() += "x";
  EXPECT_TRUE(output_.Flush(*server_).value().ended);
}

TEST_F(OutputTest, ReleaseKeepsWhatWaits) {
  output_.tail() += "x";
  output_.Release();
  EXPECT_EQ(output_.pending(), 1u);
  EXPECT_TRUE(output_.Flush(*server_).ok());
  output_.Release();
  EXPECT_EQ(output_.tail().size(), 0u);
}

TEST_F(OutputTest, RoomIsGivenBack) {
  const size_t least = Output().room();
  output_.tail().assign(kRoom, 'x');
  EXPECT_GE(output_.room(), kRoom);
  EXPECT_TRUE(output_.Flush(*server_).ok());
  EXPECT_EQ(output_.room(), least);  // so large that it is not kept
  Received();
  std::string replies;
  replies.reserve(kRoom);
  replies = "little";
  output_.Take(replies);
  EXPECT_EQ(replies.capacity(), std::string().capacity());
  output_.tail().append(1000, 'x');
  EXPECT_TRUE(output_.Flush(*server_).ok());
  EXPECT_GE(output_.room(), 1000u);
  output_.Release();
  EXPECT_EQ(output_.room(), least);
}

}  // namespace

}  // namespace luna::connection
