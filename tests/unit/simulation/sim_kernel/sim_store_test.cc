#include "simulation/sim_kernel/sim_store.h"

#include "unit/simulation/sim_kernel/sim_world.h"

namespace luna::sim_kernel {
namespace {

using SimStoreTest = SimWorld;

TEST_F(SimStoreTest, SpacesAreEmptyUntilSomethingIsMadeThere) {
  EXPECT_TRUE(store_.space("a").empty());
  store_.space("a").exists = true;
  EXPECT_FALSE(store_.space("a").empty());
  store_.space("b").streams.emplace("s", StoredStream(store_.NewId(), store_.guards()));
  EXPECT_FALSE(store_.space("b").empty());
  EXPECT_TRUE(store_.space("c").empty());
}

TEST_F(SimStoreTest, AStreamIsFoundByNameAndId) {
  Space& space = store_.space("a");
  const uint64_t id = store_.NewId();
  const uint64_t other = store_.NewId();
  EXPECT_NE(id, other);
  space.streams.emplace("s", StoredStream(id, store_.guards()));
  EXPECT_NE(space.FindStream("s", id), nullptr);
  EXPECT_EQ(space.FindStream("s", other), nullptr);
  EXPECT_EQ(space.FindStream("t", id), nullptr);
}

TEST_F(SimStoreTest, ALookAtASpaceSeesWhatHasArrivedByThen) {
  const ServerId server = wire().Join({.request_delay = {.least = 10, .most = 10}});
  Space& space = store_.space("a");
  wire().Post(server, {.object = "o", .act = [&](const Arrival&) { space.exists = true; }});
  EXPECT_TRUE(store_.space("a").empty());
  SleepMillis(10);
  EXPECT_FALSE(store_.space("a").empty());
}

TEST_F(SimStoreTest, HintsGoToThoseWhoStillWatch) {
  const ServerId server = wire().Join({});
  const auto seen = std::make_shared<bool>(false);
  const auto other = std::make_shared<bool>(false);
  auto gone = std::make_shared<bool>(false);
  store_.Watch(server, "key", seen);
  store_.Watch(server, "other", other);
  store_.Watch(server, "key", gone);
  gone.reset();
  store_.Announce("key");
  wire().Advance();
  EXPECT_TRUE(*seen);
  EXPECT_FALSE(*other);
}

}  // namespace
}  // namespace luna::sim_kernel
