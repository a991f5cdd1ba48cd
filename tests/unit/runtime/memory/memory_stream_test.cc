#include "runtime/memory/memory_stream.h"

#include <gtest/gtest.h>

#include <array>

namespace luna::memory {

namespace {

runtime::Transfer Write(Stream& stream, int side, std::string_view bytes) {
  return stream.Write(side, std::span(&bytes, 1));
}

TEST(Stream, RoomComesBackAsBytesAreRead) {
  Stream stream(8);
  EXPECT_EQ(Write(stream, 0, "123456").bytes, 6u);
  EXPECT_EQ(Write(stream, 0, "789").bytes, 2u);
  std::array<char, 5> buffer;
  EXPECT_EQ(stream.Read(1, buffer).bytes, 5u);
  EXPECT_EQ(std::string_view(buffer.data(), 5), "12345");
  EXPECT_EQ(Write(stream, 0, "abcdefgh").bytes, 5u);
  EXPECT_EQ(stream.Read(1, buffer).bytes, 5u);
  EXPECT_EQ(std::string_view(buffer.data(), 5), "678ab");
}

TEST(Stream, EachWayEndsOnItsOwn) {
  Stream stream(8);
  stream.FinishWrites(0);
  EXPECT_TRUE(Write(stream, 0, "x").ended);
  std::array<char, 5> buffer;
  EXPECT_TRUE(stream.Read(1, buffer).ended);
  EXPECT_EQ(Write(stream, 1, "x").bytes, 1u);
  EXPECT_EQ(stream.Read(0, buffer).bytes, 1u);
  EXPECT_FALSE(stream.Read(0, buffer).ended);
  stream.Close(1);
  EXPECT_TRUE(stream.Read(0, buffer).ended);
}

TEST(Port, ClosedPortsTakeNothing) {
  Port port;
  auto stream = std::make_shared<Stream>(8);
  std::unique_ptr<runtime::Socket> socket = std::make_unique<MemorySocket>(stream, 1, "a:1", "b:1");
  EXPECT_TRUE(port.Offer(socket));
  EXPECT_EQ(socket, nullptr);
  EXPECT_NE(port.Take(), nullptr);
  EXPECT_EQ(port.Take(), nullptr);
  port.Close();
  socket = std::make_unique<MemorySocket>(stream, 1, "a:1", "b:1");
  EXPECT_FALSE(port.Offer(socket));
  EXPECT_TRUE(port.closed());
}

}  // namespace

}  // namespace luna::memory
