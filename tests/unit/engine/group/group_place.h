// A Kernel on a file system in memory with one database and a few tablets, and words for requests.
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/group/group.h"
#include "engine/group/group_state.h"
#include "kernel/kernel.h"
#include "unit/engine/tablet/tablet_place.h"

namespace luna::group {

inline constexpr DatabaseId kDatabase = 1;

// A clock that stands until it is moved.
class StandingClock final : public runtime::Clock {
 public:
  uint64_t WallMillis() override { return millis; }
  uint64_t MonotonicNanos() override { return millis * 1'000'000; }
  uint64_t millis = 1'700'000'000'000;
};

// The runtime below with a wall clock that can be moved. Who sleeps moves it, and is not held up.
class SteeredRuntime final : public runtime::Runtime {
 public:
  explicit SteeredRuntime(runtime::Runtime& below) : below_(below), clock_(below.clock()) {}
  runtime::Clock& clock() override { return clock_; }
  runtime::Random& random() override { return below_.random(); }
  runtime::FileSystem& files() override { return below_.files(); }
  std::unique_ptr<runtime::Event> NewEvent() override { return below_.NewEvent(); }
  std::unique_ptr<runtime::Thread> Spawn(std::string name, runtime::ThreadClass thread_class,
                                         std::function<void()> body) override {
    return below_.Spawn(std::move(name), thread_class, std::move(body));
  }
  void Yield() override { below_.Yield(); }
  void Sleep(uint64_t nanos) override {
    slept_millis_.fetch_add(nanos / 1'000'000);
    Shift(static_cast<int64_t>(nanos / 1'000'000));
  }
  // Back: of the wall clock only.
  void Shift(int64_t millis) {
    clock_.shift_millis.fetch_add(millis);
    clock_.passed_millis.fetch_add(millis > 0 ? static_cast<uint64_t>(millis) : 0);
  }
  uint64_t slept_millis() const { return slept_millis_.load(); }

 private:
  class ShiftedClock final : public runtime::Clock {
   public:
    explicit ShiftedClock(runtime::Clock& below) : below_(below) {}
    uint64_t WallMillis() override {
      return below_.WallMillis() + static_cast<uint64_t>(shift_millis.load());
    }
    uint64_t MonotonicNanos() override {
      return below_.MonotonicNanos() + passed_millis.load() * 1'000'000;
    }
    std::atomic<int64_t> shift_millis{0};
    std::atomic<uint64_t> passed_millis{0};

   private:
    runtime::Clock& below_;
  };
  runtime::Runtime& below_;
  ShiftedClock clock_;
  std::atomic<uint64_t> slept_millis_{0};
};

// A commit request and the sets it points to.
class Request {
 public:
  explicit Request(Timestamp start = 0) : start_(start) {}
  Request& Put(uint64_t tablet, std::string_view key, std::string_view value, Expiry expiry = {}) {
    EXPECT_TRUE(writes_->Put(tablet, key, value, expiry, 0).ok());
    return *this;
  }
  Request& Delete(uint64_t tablet, std::string_view key) {
    EXPECT_TRUE(writes_->Delete(tablet, key).ok());
    return *this;
  }
  Request& DeleteRange(uint64_t tablet, std::string begin, std::string end) {
    EXPECT_TRUE(writes_->DeleteRange(tablet, {std::move(begin), std::move(end)}).ok());
    return *this;
  }
  Request& Increment(uint64_t tablet, std::string_view key, int64_t delta = 1) {
    EXPECT_TRUE(writes_->AddChange(tablet, key, transaction::Increment{delta}).ok());
    return *this;
  }
  Request& Append(uint64_t tablet, std::string_view key, std::string suffix) {
    EXPECT_TRUE(writes_->AddChange(tablet, key, transaction::Append{std::move(suffix)}).ok());
    return *this;
  }
  Request& Require(uint64_t tablet, std::string_view key, const Precondition& precondition) {
    EXPECT_TRUE(writes_->Require(tablet, key, precondition).ok());
    return *this;
  }
  Request& Read(uint64_t tablet, std::string_view key) {
    EXPECT_TRUE(reads_->AddKey(tablet, key, 0).ok());
    return *this;
  }
  Request& ReadRange(uint64_t tablet, std::string begin, std::string end) {
    EXPECT_TRUE(reads_->AddRange(tablet, {std::move(begin), std::move(end)}, 0).ok());
    return *this;
  }
  Request& Id(uint64_t low) {
    id_ = TransactionId{.high = 7, .low = low};
    return *this;
  }
  Request& In(DatabaseId database) {
    database_ = database;
    return *this;
  }
  Request& At(Durability durability) {
    durability_ = durability;
    return *this;
  }
  CommitRequest get() const {
    return {.database = database_,
            .start = start_,
            .serializable = true,
            .reads = reads_->empty() ? nullptr : reads_.get(),
            .writes = writes_.get(),
            .durability = durability_,
            .id = id_};
  }

 private:
  std::unique_ptr<transaction::WriteSet> writes_ = std::make_unique<transaction::WriteSet>(nullptr);
  std::unique_ptr<transaction::ReadSet> reads_ = std::make_unique<transaction::ReadSet>(nullptr);
  DatabaseId database_ = kDatabase;
  Timestamp start_;
  Durability durability_ = Durability::kRelaxed;
  std::optional<TransactionId> id_;
};

class GroupPlace : public testing::Test {
 protected:
  GroupPlace() {
    OpenKernel();
    first_ = parts_->Create("a");
    second_ = parts_->Create("b");
  }
  void OpenKernel() {
    kernel_ = kernel::OpenKernel("file:/u", runtime_, {}).value();
    names_ = std::make_unique<basestore::ObjectNames>(runtime_, 9, ++lives_);
    parts_ = std::make_unique<tablet::Parts>(
        runtime_, kernel_->storage(), *names_, kDatabase, [this](manifest::State& state) {
          return kernel_->OpenManifest("manifest-1", "db-1", state).value();
        });
  }
  uint64_t a() const { return Qualify(kDatabase, first_); }
  uint64_t b() const { return Qualify(kDatabase, second_); }
  static std::string Value(const tablet::Tablet& tablet, const std::string& key) {
    const auto visible = tablet.Get(key, entry::kMaxTimestamp, true).value();
    return visible ? std::string(visible->entry.value) : "-";
  }

  const std::unique_ptr<runtime::Runtime> posix_ = posix::NewPosixRuntime();
  memory::MemoryFileSystem* memory_ = nullptr;
  SteeredRuntime steered_{*posix_};
  kernel::OverlayRuntime runtime_{steered_, NewFiles()};
  std::unique_ptr<kernel::Kernel> kernel_;
  std::unique_ptr<basestore::ObjectNames> names_;
  std::unique_ptr<tablet::Parts> parts_;
  catalog::CollectionId first_ = 0;
  catalog::CollectionId second_ = 0;
  uint64_t lives_ = 0;

 private:
  std::unique_ptr<runtime::FileSystem> NewFiles() {
    auto files = memory::NewMemoryFileSystem();
    memory_ = files.get();
    return files;
  }
};

}  // namespace luna::group
