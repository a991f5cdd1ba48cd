// A LocalGroup that can be closed and opened again, and lose its power; and an observer of appends.
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/group/local_group.h"
#include "engine/group/records.h"
#include "unit/engine/group/group_place.h"

namespace luna::group {

class RecordingObserver final : public AppendObserver {
 public:
  void OnAppendSent(journal::Epoch epoch, Kind kind) override {
    epochs.insert(epoch);
    sent.push_back(kind);
    EXPECT_EQ(sent.size(), ended.size() + 1);
  }
  void OnAppended(journal::Epoch, const journal::AppendResult& result) override {
    ended.push_back(result.outcome);
    EXPECT_EQ(sent.size(), ended.size());
  }
  void OnStarted(journal::Epoch epoch) override { started.push_back(epoch); }
  std::vector<journal::Epoch> started;
  std::set<journal::Epoch> epochs;
  std::vector<Kind> sent;
  std::vector<journal::AppendResult::Outcome> ended;
};

class LocalGroupTest : public GroupPlace {
 protected:
  void SetUp() override { ASSERT_NO_FATAL_FAILURE(OpenGroup()); }
  ~LocalGroupTest() override { CloseGroup(); }

  Status TryOpenGroup() {
    kernel_->background().Register("compact",
                                   [this](const background::Job& job, background::JobContext&) {
                                     compacted_.fetch_add(1);
                                     group_->ReportJob(job, compaction_ends_);
                                   });
    const GroupContext context{.kernel = kernel_.get(),
                               .budget = &parts_->budget(),
                               .durability = durability_,
                               .relaxed_millis = 10'000,
                               .retention_millis = 0,
                               .memtable_bytes_total = uint64_t{16} << 20,
                               .observer = observer_};
    group_ = (leadership_.stream != nullptr ? Group::Open(context, std::move(leadership_))
                                            : Group::Open(context))
                 .value();
    group_->AddDatabase(kDatabase, parts_->state().safe_point());
    for (const auto& [id, collection] : parts_->state().collections()) {
      tablets_[id] = parts_->NewTablet(id);
      group_->AddTablet(tablets_[id]);
    }
    return group_->Recover();
  }
  void OpenGroup() {
    const Status recovered = TryOpenGroup();
    ASSERT_TRUE(recovered.ok()) << recovered.error().ToString();
    group_->StartBackground();
  }
  void CloseGroup() {
    kernel_->background().Shutdown();
    if (group_) {
      (void)group_->Close();
    }
    group_.reset();
    tablets_.clear();
    parts_.reset();
    names_.reset();
    kernel_.reset();
  }
  void Reopen() {
    CloseGroup();
    OpenKernel();
    ASSERT_NO_FATAL_FAILURE(OpenGroup());
  }
  // Power goes: only what was synced is left.
  void Crash() {
    memory_->Crash([] { return memory::Fate::kLost; });
    Reopen();
  }
  Result<Timestamp> Put(const std::string& key, const std::string& value,
                        Durability durability = Durability::kRelaxed) {
    Request request;
    request.Put(a(), key, value).At(durability);
    return group_->Commit(request.get());
  }
  // "k0" to "k599".
  void PutMany() {
    constexpr int kCommits = 600;
    for (int i = 0; i < kCommits; ++i) {
      ASSERT_TRUE(Put("k" + std::to_string(i), "v").ok());
    }
  }
  // The next leader comes, "b", by a fence and these records behind it in one step. What the stream
  // was before.
  journal::StreamState FenceWith(const std::vector<std::pair<DatabaseId, Body>>& records) {
    CloseGroup();
    OpenKernel();
    auto stream = kernel_->journal().Open(kStreamName, {}).value();
    const journal::StreamState state = stream->state();
    leadership_ = {.epoch = state.epoch + 1, .server = "b"};
    for (const auto& [database, body] : records) {
      Encode({.epoch = leadership_.epoch, .closed = 0, .database = database}, body,
             leadership_.fenced.emplace_back());
    }
    const std::vector<std::string_view> views(leadership_.fenced.begin(), leadership_.fenced.end());
    EXPECT_TRUE(stream->FenceAndAppend(state.epoch, state.tail, leadership_.epoch, views).ok());
    leadership_.stream = std::move(stream);
    return state;
  }
  std::string Get(const std::string& key) { return Value(*tablets_.at(first_), key); }
  Timestamp Now() { return group_->ReadTimestamp(kDatabase); }
  bool Lives(const std::string& key) {
    return tablets_.at(first_)->Get(key, Now(), true).value().has_value();
  }

  void TendAndDrain() {
    kernel_->background().Spawn(
        {.kind = "tend", .payload = "", .priority = background::Priority::kFlush});
    kernel_->background().Drain();
  }
  std::string Failure() { return group_->counts().background_error; }

  std::atomic<int> compacted_{0};
  Status compaction_ends_;
  Durability durability_ = Durability::kProcess;
  RecordingObserver* observer_ = nullptr;
  Leadership leadership_;  // of the next one opened
  std::unique_ptr<Group> group_;
  std::map<catalog::CollectionId, std::shared_ptr<tablet::Tablet>> tablets_;
};

}  // namespace luna::group
