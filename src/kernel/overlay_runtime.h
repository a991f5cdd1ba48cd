// OverlayRuntime: another runtime with other files; the ground of a `memory:` Kernel.
// Thread rule: safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "runtime/runtime.h"

namespace luna::kernel {

class OverlayRuntime final : public runtime::Runtime {
 public:
  // `below` outlives this.
  OverlayRuntime(runtime::Runtime& below, std::unique_ptr<runtime::FileSystem> files)
      : below_(below), files_(std::move(files)) {}

  runtime::Clock& clock() override { return below_.clock(); }
  runtime::Random& random() override { return below_.random(); }
  runtime::FileSystem& files() override { return *files_; }
  std::unique_ptr<runtime::Event> NewEvent() override { return below_.NewEvent(); }
  std::unique_ptr<runtime::Thread> Spawn(std::string name, runtime::ThreadClass thread_class,
                                         std::function<void()> body) override {
    return below_.Spawn(std::move(name), thread_class, std::move(body));
  }
  void Yield() override { below_.Yield(); }
  void Sleep(uint64_t nanos) override { below_.Sleep(nanos); }

 private:
  runtime::Runtime& below_;
  const std::unique_ptr<runtime::FileSystem> files_;
};

}  // namespace luna::kernel
