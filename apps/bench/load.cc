#include "apps/bench/load.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "apps/bench/driver.h"
#include "apps/bench/greeting.h"
#include "base/try.h"

namespace luna::bench {
namespace {

constexpr double kNanosPerSecond = 1e9;
constexpr double kIntervalSecondsMax = 1e6;

uint64_t NanosOf(double seconds) {
  return static_cast<uint64_t>(seconds * kNanosPerSecond);
}

void Plan(const Settings& settings, uint64_t now, Schedule& schedule) {
  schedule.begin_nanos = now;
  schedule.from_nanos = now + NanosOf(settings.warm_up_seconds);
  schedule.requests = settings.requests;
  if (settings.requests == 0) {
    schedule.end_nanos = schedule.from_nanos + NanosOf(settings.seconds);
  }
  schedule.pipeline = settings.pipeline;
  if (settings.rate > 0) {
    const double batch =
        static_cast<double>(settings.connections) * static_cast<double>(settings.pipeline);
    const double seconds = std::min(batch / settings.rate, kIntervalSecondsMax);
    schedule.interval_nanos = std::max<uint64_t>(1, NanosOf(seconds));
  }
}

Outcome Sum(const std::vector<std::unique_ptr<Driver>>& drivers, uint64_t from_nanos) {
  Outcome outcome;
  uint64_t last = from_nanos;
  for (const auto& driver : drivers) {
    outcome.tally.Add(driver->tally());
    outcome.cpu_seconds += driver->cpu_seconds();
    last = std::max(last, driver->last_nanos());
  }
  outcome.seconds = static_cast<double>(last - from_nanos) / kNanosPerSecond;
  return outcome;
}

}  // namespace

Result<Outcome> RunTest(runtime::Runtime& runtime, runtime::Network& network,
                        const Settings& settings, TestKind test) {
  const Workload workload(test, settings);
  const KeySpace space(settings.keys, settings.distribution);
  Schedule schedule;
  Plan(settings, 0, schedule);
  const uint64_t threads = std::min(settings.threads, settings.connections);
  std::vector<std::unique_ptr<Driver>> drivers;
  for (uint64_t i = 0; i < threads; ++i) {
    drivers.push_back(std::make_unique<Driver>(runtime, network, workload, schedule,
                                               KeyPicker(space, settings.seed * 1000 + i)));
  }
  for (uint64_t i = 0; i < settings.connections; ++i) {
    std::unique_ptr<runtime::Socket> socket = TRY(Greet(runtime, network, settings));
    const uint64_t offset = schedule.interval_nanos / settings.connections * i;
    TRY(drivers[i % threads]->Add(std::move(socket), offset));
  }
  Plan(settings, runtime.clock().MonotonicNanos(), schedule);
  std::vector<std::unique_ptr<runtime::Thread>> running;
  for (const auto& driver : drivers) {
    running.push_back(runtime.Spawn("luna-bench", runtime::ThreadClass::kForeground,
                                    [&driver] { driver->Run(); }));
  }
  for (const auto& thread : running) {
    thread->Join();
  }
  return Sum(drivers, schedule.from_nanos);
}

}  // namespace luna::bench
