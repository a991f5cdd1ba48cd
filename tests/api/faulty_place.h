// A UniversePlace whose disk fills up, fails, turns read-only, decays and loses its power when
// told. Thread rule: owned by one thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "api/universe_place.h"
#include "simulation/faulty_file_system.h"

namespace luna {

class Errors final : public EventListener {
 public:
  void OnBackgroundError(const Error&) override { count.fetch_add(1); }
  std::atomic<int> count{0};
};

class FaultyPlace : public UniversePlace {
 protected:
  Components Parts() override { return {.listener = errors_, .runtime = &faulty_}; }

  std::unique_ptr<runtime::FileSystem> NewFaulty() {
    auto files = std::make_unique<simulation::FaultyFileSystem>(*memory_);
    faults_ = files.get();
    return files;
  }
  void PowerCut() {
    faults_->CutPower();
    Close();
    faults_->Restart(simulation::Survival::kAllLost);
  }
  void Inject(simulation::Operation operation, Reason reason, const std::string& path_part,
              bool from_then_on = true) {
    simulation::Fault fault;
    fault.operation = operation;
    fault.reason = reason;
    fault.path_part = path_part;
    fault.from_then_on = from_then_on;
    faults_->Inject(fault);
  }
  // The first file of `directory` whose name begins and ends so.
  std::string PathOf(const std::string& directory, const std::string& prefix,
                     const std::string& suffix = {}) {
    for (const std::string& name : files().List(directory).value()) {
      if (name.starts_with(prefix) && name.ends_with(suffix)) {
        return directory + "/" + name;
      }
    }
    return {};
  }

  const std::shared_ptr<Errors> errors_ = std::make_shared<Errors>();
  simulation::FaultyFileSystem* faults_ = nullptr;
  kernel::OverlayRuntime faulty_{*posix_, NewFaulty()};
};

}  // namespace luna
