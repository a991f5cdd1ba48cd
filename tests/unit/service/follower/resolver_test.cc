#include "service/follower/resolver.h"

#include <gtest/gtest.h>

#include "unit/service/follower/follower_world.h"

namespace luna::follower {

namespace {

TEST(Resolver, NumbersNeedNoLookUp) {
  World world;
  Resolver resolver(world.runtime(), world.network());
  EXPECT_EQ(resolver.Find("127.0.0.1:7").value(), "127.0.0.1:7");
  EXPECT_EQ(resolver.Find("[::1]:7").value(), "[::1]:7");
}

TEST(Resolver, NamesAreFoundALittleLater) {
  World world;
  Resolver resolver(world.runtime(), world.network());
  EXPECT_FALSE(resolver.Find("localhost:7").value().has_value());
  EXPECT_TRUE(world.Becomes([&] { return resolver.Find("localhost:7").value().has_value(); }));
  EXPECT_EQ(resolver.Find("localhost:7").value(), "127.0.0.1:7");
  EXPECT_FALSE(resolver.Find("localhost:8").value().has_value());  // the last one only
  EXPECT_TRUE(world.Becomes([&] { return resolver.Find("localhost:8").value().has_value(); }));
}

TEST(Resolver, UnknownNamesAreAnError) {
  World world;
  Resolver resolver(world.runtime(), world.network());
  EXPECT_TRUE(resolver.Find("nobody.invalid:7").ok());
  EXPECT_TRUE(world.Becomes([&] { return !resolver.Find("nobody.invalid:7").ok(); }));
  const auto found = resolver.Find("nobody.invalid:7");
  EXPECT_EQ(found.error().reason(), Reason::kUnreachable);
  EXPECT_NE(found.error().message().find("nobody.invalid"), std::string::npos);
}

TEST(Resolver, WhatIsNoAddressIsAnError) {
  World world;
  Resolver resolver(world.runtime(), world.network());
  EXPECT_EQ(resolver.Find("nothing").error().reason(), Reason::kBadOption);
}

}  // namespace

}  // namespace luna::follower
