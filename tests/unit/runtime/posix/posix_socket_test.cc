#include "runtime/posix/posix_socket.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace luna::posix {

namespace {

struct Ends {
  PosixSocket left;
  PosixSocket right;
};

Ends MakeEnds() {
  std::array<int, 2> numbers;
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, numbers.data()),
            0);
  return {PosixSocket(Descriptor(numbers[0]), "right"),
          PosixSocket(Descriptor(numbers[1]), "left")};
}

TEST(PosixSocket, WritesMorePartsThanOneCallTakes) {
  Ends ends = MakeEnds();
  const std::array<std::string_view, 100> parts = [] {
    std::array<std::string_view, 100> filled;
    filled.fill("ab");
    return filled;
  }();
  EXPECT_EQ(ends.left.Write(parts).value().bytes, 128u);
  EXPECT_EQ(ends.left.Write(std::span(parts).subspan(64)).value().bytes, 72u);
  std::array<char, 300> buffer;
  EXPECT_EQ(ends.right.Read(buffer).value().bytes, 200u);
}

TEST(PosixSocket, ReadsIntoNothingAreNoEnd) {
  Ends ends = MakeEnds();
  EXPECT_FALSE(ends.left.Read({}).value().ended);
  ends.right.FinishWrites();
  std::array<char, 1> buffer;
  EXPECT_TRUE(ends.left.Read(buffer).value().ended);
}

TEST(PosixSocket, LostDescriptorsAreErrors) {
  std::array<char, 1> buffer;
  PosixSocket none(Descriptor(-1), "10.0.0.1:5");
  const auto read = none.Read(buffer);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().reason(), Reason::kIoError);
  EXPECT_NE(read.error().message().find("10.0.0.1:5"), std::string::npos);
  PosixListener deaf(Descriptor(-1));
  EXPECT_EQ(deaf.Accept().error().reason(), Reason::kIoError);
}

TEST(PosixSocket, AddressesOfBothFamiliesAreText) {
  sockaddr_storage storage = {};
  auto& four = reinterpret_cast<sockaddr_in&>(storage);
  four.sin_family = AF_INET;
  four.sin_port = htons(80);
  four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(AddressText(storage), "127.0.0.1:80");
  storage = {};
  auto& six = reinterpret_cast<sockaddr_in6&>(storage);
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(81);
  six.sin6_addr = in6addr_loopback;
  EXPECT_EQ(AddressText(storage), "[::1]:81");
}

TEST(PosixSocket, ErrorsSayWhatToDo) {
  EXPECT_NE(NetworkError("cannot accept at", "a:1", EMFILE).message().find("ulimit -n"),
            std::string::npos);
  EXPECT_EQ(NetworkError("cannot read from", "a:1", EIO).reason(), Reason::kIoError);
}

}  // namespace

}  // namespace luna::posix
