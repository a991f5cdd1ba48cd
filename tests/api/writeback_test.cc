// What will be synced at once some day is on its way to the device before: nobody waits long then.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "api/faulty_place.h"
#include "base/mutex.h"

namespace luna {
namespace {

using simulation::FaultGate;
using simulation::FileOperation;
using simulation::Operation;

class Writeback : public FaultyPlace {
 protected:
  struct Range {
    uint64_t begin = 0;
    uint64_t end = 0;
  };

  void SetUp() override {
    options_.memtable_bytes = uint64_t{64} << 20;
    FaultyPlace::SetUp();
    faults_->SetObserver(
        [this](const FileOperation& operation, FaultGate::Moment moment, const Error*) {
          if (moment == FaultGate::Moment::kStart) {
            Note(operation);
          }
        });
  }
  void TearDown() override {
    Close();
    faults_->SetObserver({});
  }
  void Note(const FileOperation& operation) {
    const base::MutexLock lock(mutex_);
    if (operation.kind == Operation::kStartWriteback) {
      started_[operation.path].push_back(
          {.begin = operation.offset, .end = operation.offset + operation.length});
    } else if (operation.kind == Operation::kWrite) {
      uint64_t& written = written_[operation.path];
      written = std::max(written, operation.offset + operation.length);
    } else if (operation.kind == Operation::kSync && started_.contains(operation.path)) {
      left_at_sync_[operation.path] =
          written_[operation.path] - started_[operation.path].back().end;
    }
  }
  // Of the files whose path has that part: the ranges, which follow each other.
  std::map<std::string, std::vector<Range>> StartedIn(const std::string& part) {
    const base::MutexLock lock(mutex_);
    std::map<std::string, std::vector<Range>> found;
    for (const auto& [path, ranges] : started_) {
      if (path.find(part) == std::string::npos) {
        continue;
      }
      found[path] = ranges;
      for (size_t i = 0; i < ranges.size(); ++i) {
        EXPECT_LT(ranges[i].begin, ranges[i].end) << path;
        EXPECT_TRUE(i == 0 || ranges[i].begin == ranges[i - 1].end) << path;
      }
    }
    return found;
  }
  // Of no repeated bytes, so that nothing gets smaller on its way.
  void PutMuch(size_t values) {
    for (size_t i = 0; i < values; ++i) {
      std::string value(8000, ' ');
      for (char& byte : value) {
        byte = static_cast<char>(runtime_.random().Next());
      }
      Put("k" + std::to_string(i), value);
    }
  }

  base::Mutex mutex_;
  std::map<std::string, std::vector<Range>> started_ GUARDED_BY(mutex_);
  std::map<std::string, uint64_t> written_ GUARDED_BY(mutex_);
  std::map<std::string, uint64_t> left_at_sync_ GUARDED_BY(mutex_);
};

TEST_F(Writeback, OfTheJournalWhereItIsNotSynced) {
  options_.durability = Durability::kProcess;
  Reopen();
  PutMuch(600);
  const auto started = StartedIn("group-1/");
  ASSERT_EQ(started.size(), 1u);
  const std::vector<Range>& ranges = started.begin()->second;
  EXPECT_GE(ranges.size(), 3u);
  EXPECT_LE(ranges.size(), 5u);  // not for each append
  for (const Range& range : ranges) {
    EXPECT_EQ(range.end % 4096, 0u);  // the last page is written again
  }
}

TEST_F(Writeback, NotOfAJournalThatIsSyncedEachTime) {
  options_.durability = Durability::kDevice;
  Reopen();
  PutMuch(600);
  EXPECT_TRUE(StartedIn("group-1/").empty());
}

TEST_F(Writeback, OfTablesWhileTheyAreWritten) {
  PutMuch(600);
  ASSERT_TRUE(collection_->Flush().ok());
  const auto started = StartedIn("objects/");
  ASSERT_FALSE(started.empty());
  const base::MutexLock lock(mutex_);
  for (const auto& [path, ranges] : started) {
    ASSERT_TRUE(left_at_sync_.contains(path)) << path;
    EXPECT_LT(left_at_sync_.at(path), uint64_t{2} << 20) << path;
  }
}

}  // namespace
}  // namespace luna
