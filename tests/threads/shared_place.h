// A universe in memory that several servers of this process share, as servers on RADOS do: each has
// a Kernel of its own, and a stream may be open in all of them. Real threads, real time.
// Thread rule: safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/try.h"
#include "kernel/background/background.h"
#include "kernel/kernel.h"
#include "runtime/posix/posix_runtime.h"
#include "runtime/turn.h"

namespace luna::threads {

inline constexpr uint64_t kMillisecond = 1'000'000;
inline constexpr uint64_t kSecond = 1'000 * kMillisecond;

// A stream with any number of appenders; the epoch and the tail say whose append counts.
struct SharedStream {
  SharedStream(runtime::Runtime& runtime, std::unique_ptr<journal::Stream> opened)
      : turn(runtime), stream(std::move(opened)) {}
  runtime::Turn turn;
  const std::unique_ptr<journal::Stream> stream;
};

class StreamHandle final : public journal::Stream {
 public:
  explicit StreamHandle(std::shared_ptr<SharedStream> shared) : shared_(std::move(shared)) {}

  journal::AppendResult Append(journal::Epoch epoch, journal::Sequence expected_tail,
                               std::span<const std::string_view> records,
                               Durability durability) override {
    const runtime::TurnHold hold(shared_->turn);
    return shared_->stream->Append(epoch, expected_tail, records, durability);
  }
  Status Persist(Durability durability) override {
    const runtime::TurnHold hold(shared_->turn);
    return shared_->stream->Persist(durability);
  }
  Result<journal::Sequence> Fence(journal::Epoch expected_epoch,
                                  std::optional<journal::Sequence> expected_tail,
                                  journal::Epoch new_epoch) override {
    const runtime::TurnHold hold(shared_->turn);
    return shared_->stream->Fence(expected_epoch, expected_tail, new_epoch);
  }
  Result<std::unique_ptr<journal::StreamReader>> Read(journal::Sequence after) override {
    return shared_->stream->Read(after);
  }
  Status Release(journal::Sequence upto) override {
    const runtime::TurnHold hold(shared_->turn);
    return shared_->stream->Release(upto);
  }
  journal::StreamState state() const override { return shared_->stream->state(); }
  Status Roll() override {
    const runtime::TurnHold hold(shared_->turn);
    return shared_->stream->Roll();
  }

 private:
  const std::shared_ptr<SharedStream> shared_;
};

// The journal below, whose streams stay open once they were opened.
class SharedJournal final : public journal::Journal {
 public:
  explicit SharedJournal(kernel::Kernel& below) : below_(below), turn_(below.runtime()) {}

  Result<std::unique_ptr<journal::Stream>> Open(const std::string& name,
                                                const journal::StreamOptions& options) override {
    const runtime::TurnHold hold(turn_);
    std::shared_ptr<SharedStream>& shared = streams_[name];
    if (shared == nullptr) {
      shared = std::make_shared<SharedStream>(below_.runtime(),
                                              TRY(below_.journal().Open(name, options)));
    }
    return std::unique_ptr<journal::Stream>(std::make_unique<StreamHandle>(shared));
  }
  Result<std::unique_ptr<journal::StreamFollower>> Follow(const std::string& name) override {
    return below_.journal().Follow(name);
  }
  Result<bool> Exists(const std::string& name) override { return below_.journal().Exists(name); }
  Result<std::vector<std::string>> List() override { return below_.journal().List(); }
  Status Remove(const std::string& name) override { return below_.journal().Remove(name); }
  Status Link(const std::string& name, const std::string& directory) override {
    return below_.journal().Link(name, directory);
  }

 private:
  kernel::Kernel& below_;
  runtime::Turn turn_;
  std::map<std::string, std::shared_ptr<SharedStream>> streams_;  // guarded by turn_
};

// What one server sees of the place.
class ServerKernel final : public kernel::Kernel {
 public:
  ServerKernel(kernel::Kernel& below, SharedJournal& journal)
      : below_(below),
        journal_(journal),
        background_(background::NewLocalBackground(below.runtime(), {})) {}

  journal::Journal& journal() override { return journal_; }
  storage::Storage& storage() override { return below_.storage(); }
  background::Background& background() override { return *background_; }
  runtime::Runtime& runtime() override { return below_.runtime(); }
  Result<std::unique_ptr<manifest::Manifest>> OpenManifest(const std::string& name,
                                                           const std::string& bucket,
                                                           manifest::State& state) override {
    return manifest::Manifest::Open(runtime(), journal_, below_.storage(), name, bucket, state);
  }
  base::Id128 universe_id() const override { return below_.universe_id(); }
  const std::string& location() const override { return below_.location(); }
  Status BeginCheckpoint(const std::string& directory) override {
    return below_.BeginCheckpoint(directory);
  }
  Status FinishCheckpoint(const std::string& directory) override {
    return below_.FinishCheckpoint(directory);
  }

 private:
  kernel::Kernel& below_;
  SharedJournal& journal_;
  const std::unique_ptr<background::Background> background_;
};

class SharedPlace {
 public:
  runtime::Runtime& runtime() { return *runtime_; }
  std::unique_ptr<kernel::Kernel> NewKernel() {
    return std::make_unique<ServerKernel>(*below_, journal_);
  }
  std::unique_ptr<runtime::Thread> Spawn(std::string name, std::function<void()> body) {
    return runtime_->Spawn(std::move(name), runtime::ThreadClass::kForeground, std::move(body));
  }
  uint64_t Now() { return runtime_->clock().MonotonicNanos(); }
  // Waits until it is so; false: it never was. Sanitizers make everything slow.
  bool Becomes(const std::function<bool()>& what) {
    const uint64_t began = Now();
    while (!what()) {
      if (Now() - began > 60 * kSecond) {
        return false;
      }
      runtime_->Sleep(kMillisecond);
    }
    return true;
  }

 private:
  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  const std::unique_ptr<kernel::Kernel> below_ =
      kernel::OpenKernel("memory:", *runtime_, {}).value();
  SharedJournal journal_{*below_};
};

// Something that is lent to any number of threads until it is taken back.
template <typename T>
class Lent {
 public:
  explicit Lent(runtime::Runtime& runtime) : runtime_(runtime) {}

  void Give(T what) {
    const base::MutexLock lock(mutex_);
    what_ = std::move(what);
  }
  // Returns when nobody uses it any more.
  void TakeBack() {
    {
      const base::MutexLock lock(mutex_);
      what_ = T();
    }
    while (users() > 0) {
      runtime_.Sleep(kMillisecond / 10);
    }
  }
  // Calls `use` with it; false: there is nothing just now.
  template <typename Use>
  bool With(Use use) {
    T what;
    {
      const base::MutexLock lock(mutex_);
      if (what_ == T()) {
        return false;
      }
      what = what_;
      ++users_;
    }
    use(*what);
    what = T();
    const base::MutexLock lock(mutex_);
    --users_;
    return true;
  }

 private:
  int users() {
    const base::MutexLock lock(mutex_);
    return users_;
  }

  runtime::Runtime& runtime_;
  base::Mutex mutex_;
  T what_ GUARDED_BY(mutex_) = T();
  int users_ GUARDED_BY(mutex_) = 0;
};

}  // namespace luna::threads
