#include "engine/universe/side_by_side.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

namespace luna::universe {

namespace {
constexpr size_t kThreads = 8;
}

Status SideBySide(runtime::Runtime& runtime, const std::string& name,
                  std::span<const std::function<Status()>> tasks) {
  std::vector<Status> results(tasks.size());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next.fetch_add(1); i < tasks.size(); i = next.fetch_add(1)) {
      results[i] = tasks[i]();
    }
  };
  std::vector<std::unique_ptr<runtime::Thread>> others;
  for (size_t i = 1; i < std::min(kThreads, tasks.size()); ++i) {
    others.push_back(runtime.Spawn(name, runtime::ThreadClass::kForeground, work));
  }
  work();
  for (const auto& thread : others) {
    thread->Join();
  }
  const auto failed =
      std::ranges::find_if(results, [](const Status& status) { return !status.ok(); });
  return failed == results.end() ? Status() : *failed;
}

}  // namespace luna::universe
