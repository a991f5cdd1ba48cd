// A tablet server with threads of its own, and what it serves, for other threads to use.
// Thread rule: safe; made and destroyed by one thread.
#pragma once

#include <gtest/gtest.h>

#include <charconv>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/try.h"
#include "cluster/tablet_server/tablet_server.h"
#include "threads/shared_place.h"

namespace luna::threads {

// The number in a key's value; 0: there is none.
inline uint64_t Number(const std::optional<std::string>& value) {
  uint64_t number = 0;
  if (value.has_value()) {
    std::from_chars(value->data(), value->data() + value->size(), number);
  }
  return number;
}

// The same, read from the collection that nodes serve.
inline Result<uint64_t> ReadNumber(Universe& universe, const std::string& key) {
  const auto database = TRY(universe.OpenDatabase("d"));
  const auto collection = TRY(database->OpenCollection("c"));
  return Number(TRY(collection->Get(key)));
}

class LendingServing final : public tablet_server::Serving {
 public:
  // Is told of the universe that is followed, and (null) before it goes.
  using Follows = std::function<void(universe::FollowedUniverse* followed)>;

  LendingServing(runtime::Runtime& runtime, Follows follows)
      : led(runtime), followed(runtime), follows_(std::move(follows)) {}

  Status Serve(Universe& universe) override {
    const auto database = TRY(universe.OpenOrCreateDatabase("d"));
    led.Give(TRY(database->OpenOrCreateCollection("c")));
    return {};
  }
  void StopServing() override { led.TakeBack(); }
  Status Follow() override { return {}; }
  void StopFollowing() override {}
  Status ServeReads(universe::FollowedUniverse& universe) override {
    followed.Give(&universe);
    if (follows_) {
      follows_(&universe);
    }
    return {};
  }
  void StopReads() override {
    if (follows_) {
      follows_(nullptr);
    }
    followed.TakeBack();
  }

  Lent<std::shared_ptr<Collection>> led;
  Lent<universe::FollowedUniverse*> followed;

 private:
  const Follows follows_;
};

class ServerNode {
 public:
  struct Settings {
    std::string name{};
    std::string peers{};
    bool offload = false;
    std::function<void()> appended{};
    LendingServing::Follows follows{};
  };
  ServerNode(SharedPlace& place, Settings settings)
      : kernel_(place.NewKernel()), serving(place.runtime(), std::move(settings.follows)) {
    tablet_server::TabletServerOptions options;
    options.universe.memory_budget_bytes = uint64_t{64} << 20;
    options.replica = {.settings = {.lease_nanos = kSecond, .jitter_nanos = kSecond / 10},
                       .server = settings.name,
                       .peers = settings.peers,
                       .appended = std::move(settings.appended)};
    options.offload = settings.offload;
    server = tablet_server::TabletServer::Open(*kernel_, options, serving).value();
  }
  // Begins to lead or follow. Whatever `appended` calls is there by now.
  void Start() { server->Start().value(); }
  bool leads() const { return server->standing().role == "leading"; }

  // What everybody may ask of a server at any time.
  void AskEverything() {
    const tablet_server::Standing standing = server->standing();
    EXPECT_FALSE(standing.role.empty());
    const auto point = server->read_point();
    const auto tail = server->tail();
    // Neither goes back; another term may have begun between the two.
    EXPECT_TRUE(!point.has_value() || !tail.has_value() || point->tail <= *tail);
    const auto followed = server->followed();
    EXPECT_TRUE(!followed.has_value() || followed->shown <= followed->shown_at_most);
    server->replica().Request();
    const auto ticket = server->replica().BeginReadAtOnce();
    if (ticket.has_value()) {
      (void)server->replica().MayAnswerAtOnce(*ticket);
    }
  }

 private:
  const std::unique_ptr<kernel::Kernel> kernel_;

 public:
  LendingServing serving;
  std::unique_ptr<tablet_server::TabletServer> server;
};

}  // namespace luna::threads
