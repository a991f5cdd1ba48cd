#include "group/engine_host.h"

#include <utility>

#include "base/try.h"
#include "engine/group/oracle.h"
#include "engine/group/records.h"
#include "kernel/kernel_view.h"

namespace luna::test {

namespace {

constexpr uint64_t kMillisecond = 1'000'000;

}  // namespace

Status EngineHost::Lead(group::Leadership leadership, group::AppendObserver& observer) {
  led_.epoch = leadership.epoch;
  auto inherited = follower_.Stop();
  auto led = TRY(universe::OpenLed(settings_.options, {},
                                   {.kernel = kernel::NewKernelView(kernel_, {}),
                                    .leadership = std::move(leadership),
                                    .observer = &observer,
                                    .release_bytes = settings_.release_bytes,
                                    .inherited = std::move(inherited),
                                    .removal = settings_.removal}));
  led_.universe = std::move(led.universe);
  led_.group = led.group;
  led_.database = TRY(led_.universe->OpenOrCreateDatabase("d"));
  led_.collections[0] = TRY(led_.database->OpenOrCreateCollection("a"));
  led_.collections[1] = TRY(led_.database->OpenOrCreateCollection("b"));
  return {};
}

Status EngineHost::BecomeLeader(group::Leadership leadership, group::AppendObserver& observer) {
  Status led = Lead(std::move(leadership), observer);
  serves_ = led.ok();
  terms_ += led.ok() ? 1 : 0;
  trouble_ = led.ok() ? "" : led.error().ToString();
  return led;
}

void EngineHost::StopLeading(replica::Epoch) {
  serves_ = false;
  while (users_ > 0) {
    kernel_.runtime().Sleep(kMillisecond);
  }
  led_.collections = {};
  led_.database.reset();
  led_.group = nullptr;
  led_.universe.reset();
  follower_.Start();
}

// Of the database, and of some that are not there.
std::vector<std::string> EngineHost::LimitsOf(replica::Epoch epoch) {
  std::vector<std::string> records;
  for (catalog::DatabaseId id = 1; id < 4; ++id) {
    group::Encode({.epoch = epoch, .closed = 0, .database = id},
                  group::TsLimit{group::LimitAt(kernel_.runtime().clock().WallMillis())},
                  records.emplace_back());
  }
  return records;
}

Status EngineHost::Renew(bool resting) {
  return led_.group->Renew(resting);
}

Status EngineHost::HandOver(const std::string& target) {
  return led_.group->HandOver(target);
}

Result<journal::StreamState> EngineHost::Yield(const std::string& target) {
  return led_.group->Yield(target);
}

}  // namespace luna::test
