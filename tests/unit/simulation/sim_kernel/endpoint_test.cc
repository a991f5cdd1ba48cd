#include "simulation/sim_kernel/endpoint.h"

#include "unit/simulation/sim_kernel/sim_world.h"

namespace luna::sim_kernel {
namespace {

using EndpointTest = SimWorld;

TEST_F(EndpointTest, LocationsNameASpace) {
  EXPECT_EQ(SpaceOf("sim:a-1").value(), "a-1");
  for (const char* bad : {"", "sim:", "a", "file:a", "sim:A", "sim:a/b", "sim:a b"}) {
    EXPECT_EQ(SpaceOf(bad).error().reason(), Reason::kBadOption) << bad;
  }
  const auto endpoint = Server();
  EXPECT_EQ(endpoint->At("copy").error().reason(), Reason::kBadOption);
  EXPECT_EQ(&endpoint->At("sim:copy").value()->space(), &store_.space("copy"));
  EXPECT_EQ(endpoint->Where("x"), "sim:u/x");
}

TEST_F(EndpointTest, RepeatsUntilThereIsAnAnswer) {
  const auto endpoint = Server({.lost_reply_per_mille = kAlways, .timeout_millis = 100});
  int applied = 0;
  const auto ask = [&] {
    return endpoint->Ask<int>("o", Access::kWrite,
                              [&applied](Space&, const Arrival&) { return ++applied; });
  };
  const auto healer = Spawn([&] {
    SleepMillis(250);
    wire().SetFaults(endpoint->server(), {});
  });
  EXPECT_EQ(ask().value(), 4);
  EXPECT_EQ(ask().value(), 5);
  healer->Join();
}

TEST_F(EndpointTest, GivesUpWithOneClearError) {
  const auto endpoint =
      Server({.lost_request_per_mille = kAlways, .timeout_millis = 100, .tries = 3});
  const uint64_t start = NowMillis();
  const auto ask = [&] {
    return endpoint->Ask<int>("o", Access::kRead, [](Space&, const Arrival&) { return 1; });
  };
  const Error error = ask().error();
  EXPECT_EQ(error.reason(), Reason::kUnreachable);
  EXPECT_NE(error.message().find("sim:u/o"), std::string::npos);
  EXPECT_EQ(NowMillis(), start + 300);
  wire().Kill(endpoint->server());
  EXPECT_EQ(ask().error().reason(), Reason::kShutDown);
  EXPECT_EQ(endpoint->Full("o").reason(), Reason::kDiskFull);
}

TEST_F(EndpointTest, OneTryIsOneRequest) {
  const auto endpoint = Server({.lost_reply_per_mille = kAlways, .timeout_millis = 100});
  int applied = 0;
  const Tried<int> tried = endpoint->Try<int>(
      "o", Access::kWrite, [&applied](Space&, const Arrival&) { return ++applied; });
  EXPECT_EQ(tried.fate, Fate::kUnknown);
  EXPECT_FALSE(tried.answer.has_value());
  EXPECT_EQ(applied, 1);
}

TEST_F(EndpointTest, APostIsAppliedAndNobodyWaits) {
  const auto endpoint = Server({.request_delay = {.least = 10, .most = 10}});
  endpoint->Post("o", [](Space& space) { space.exists = true; });
  EXPECT_FALSE(store_.space("u").exists);
  SleepMillis(10);
  EXPECT_TRUE(store_.space("u").exists);
}

}  // namespace
}  // namespace luna::sim_kernel
