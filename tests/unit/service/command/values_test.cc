#include "service/command/values.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "service_support/test_host.h"

namespace luna::command {
namespace {

class Values : public testing::Test {
 protected:
  // Runs `body` as a command called "probe"; its reply.
  std::string Probe(const std::function<void(Call&)>& body) {
    auto transaction = session_.database->Begin().value();
    Access access(*transaction);
    std::string out;
    resp::ReplyWriter reply(out, session_.version);
    Command command;
    command.name = "probe";
    Call call{command, session_, host_, access, {}, reply};
    body(call);
    transaction->Commit().value();
    return out;
  }

  service_support::TestHost host_;
  Session session_ = host_.NewSession();
};

TEST_F(Values, StoresAndLoads) {
  Probe([](Call& call) { EXPECT_TRUE(Store(call, "k", "v", 0)); });
  EXPECT_EQ(Probe([](Call& call) {
              std::optional<Value> value;
              EXPECT_TRUE(Load(call, "missing", value));
              EXPECT_FALSE(value);
              EXPECT_TRUE(LoadString(call, "k", value));
              EXPECT_EQ(value->bytes, "v");
              EXPECT_TRUE(Erase(call, "k"));
              EXPECT_TRUE(Load(call, "k", value));
              EXPECT_FALSE(value);
            }),
            "");
}

TEST_F(Values, APastExpiryDeletes) {
  Probe([](Call& call) {
    std::optional<Value> value;
    EXPECT_TRUE(Store(call, "k", "v"));
    EXPECT_TRUE(Store(call, "k", "w", 1));
    EXPECT_TRUE(Load(call, "k", value));
    EXPECT_FALSE(value);
  });
}

TEST_F(Values, AnotherTypeIsRefusedAndKept) {
  const std::string out = Probe([](Call& call) {
    std::optional<Value> value;
    EXPECT_TRUE(StoreAgain(call, call.collection(), "k",
                           Value{.bytes = "x", .type = 3, .expiry_millis = uint64_t{1} << 44}));
    EXPECT_TRUE(Load(call, "k", value));
    EXPECT_EQ(value->type, 3);
    EXPECT_EQ(value->expiry_millis, uint64_t{1} << 44);
    EXPECT_FALSE(LoadString(call, "k", value));
    EXPECT_TRUE(call.failed);
  });
  EXPECT_EQ(out, "-" + std::string(kWrongType) + "\r\n");
}

TEST_F(Values, ErrorsOfTheEngineFailTheCall) {
  const std::string key((64 << 10) + 1, 'k');
  const auto failed = [&](const std::function<bool(Call&)>& step) {
    const std::string out = Probe([&](Call& call) { EXPECT_FALSE(step(call)); });
    EXPECT_TRUE(out.starts_with("-TOOLARGE ")) << out;
  };
  std::optional<Value> value;
  failed([&](Call& call) { return Load(call, key, value); });
  failed([&](Call& call) { return LoadString(call, key, value); });
  failed([&](Call& call) { return Store(call, key, "v"); });
  failed([&](Call& call) { return Erase(call, key); });
  failed([&](Call& call) { return StoreAgain(call, call.collection(), key, {}); });
}

TEST_F(Values, TimesAreAbsoluteMilliseconds) {
  Probe([](Call& call) {
    int64_t at = 0;
    EXPECT_TRUE(TakeTime(call, "5", {.seconds = true, .absolute = true}, true, at));
    EXPECT_EQ(at, 5000);
    EXPECT_TRUE(TakeTime(call, "-5", {.seconds = false, .absolute = true}, false, at));
    EXPECT_EQ(at, -5);
    const int64_t before = NowMillis(call);
    EXPECT_TRUE(TakeTime(call, "100", {.seconds = true, .absolute = false}, true, at));
    EXPECT_GE(at, before + 100'000);
    EXPECT_LE(at, NowMillis(call) + 100'000);
  });
}

// The same with a clock that was set back by ten seconds after the universe had used it.
class SetBackHost final : public service_support::TestHost {
 public:
  runtime::Runtime& runtime() override { return set_back_; }

 private:
  class SetBackRuntime final : public runtime::Runtime {
   public:
    explicit SetBackRuntime(runtime::Runtime& below) : below_(below), clock_(below.clock()) {}
    runtime::Clock& clock() override { return clock_; }
    runtime::Random& random() override { return below_.random(); }
    runtime::FileSystem& files() override { return below_.files(); }
    std::unique_ptr<runtime::Event> NewEvent() override { return below_.NewEvent(); }
    std::unique_ptr<runtime::Thread> Spawn(std::string name, runtime::ThreadClass thread_class,
                                           std::function<void()> body) override {
      return below_.Spawn(std::move(name), thread_class, std::move(body));
    }
    void Yield() override { below_.Yield(); }
    void Sleep(uint64_t nanos) override { below_.Sleep(nanos); }

   private:
    class Clock final : public runtime::Clock {
     public:
      explicit Clock(runtime::Clock& below) : below_(below) {}
      uint64_t WallMillis() override { return below_.WallMillis() - 10'000; }
      uint64_t MonotonicNanos() override { return below_.MonotonicNanos(); }

     private:
      runtime::Clock& below_;
    };
    runtime::Runtime& below_;
    Clock clock_;
  };
  SetBackRuntime set_back_{TestHost::runtime()};
};

TEST(ValuesWithAClockThatWasSetBack, WhatIsSetForAWhileIsNotGoneAtOnce) {
  SetBackHost host;
  Session session = host.NewSession();
  EXPECT_EQ(host.Do(session, {"SET", "k", "v", "PX", "5000"}), "+OK\r\n");
  EXPECT_EQ(host.Do(session, {"GET", "k"}), "$1\r\nv\r\n");
}

TEST_F(Values, TimesThatDoNotFitAreRefused) {
  const std::string most = std::to_string(std::numeric_limits<int64_t>::max());
  const auto refused = [&](std::string_view text, TimeUnit unit, bool positive) {
    return Probe([&](Call& call) {
      int64_t at = 0;
      EXPECT_FALSE(TakeTime(call, text, unit, positive, at)) << text;
    });
  };
  const std::string invalid = "-ERR invalid expire time in 'probe' command\r\n";
  EXPECT_EQ(refused("0", {}, true), invalid);
  EXPECT_EQ(refused("-1", {}, true), invalid);
  EXPECT_EQ(refused(most, {.seconds = true, .absolute = true}, true), invalid);
  EXPECT_EQ(refused("-" + most, {.seconds = true, .absolute = true}, false), invalid);
  EXPECT_EQ(refused(most, {.seconds = false, .absolute = false}, true), invalid);
  EXPECT_EQ(refused("1.5", {}, true), "-" + std::string(kNotInteger) + "\r\n");
}

TEST(TimeUnitOf, KnowsFourWords) {
  EXPECT_TRUE(TimeUnitOf("EX")->seconds);
  EXPECT_TRUE(TimeUnitOf("exat")->absolute);
  EXPECT_FALSE(TimeUnitOf("px")->seconds);
  EXPECT_TRUE(TimeUnitOf("PxAt")->absolute);
  EXPECT_FALSE(TimeUnitOf("ttl"));
}

}  // namespace
}  // namespace luna::command
