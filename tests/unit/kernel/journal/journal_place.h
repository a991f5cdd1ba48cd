// A journal in a temporary directory on the real file system, with short names for what tests do.
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/journal/local_journal.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::journal {

inline constexpr StreamOptions kSmall{.segment_bytes = 16 << 10};
using Outcome = AppendResult::Outcome;

class JournalPlace : public testing::Test {
 protected:
  JournalPlace() {
    std::string pattern = std::filesystem::temp_directory_path() / "luna-journal-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    Reopen();
  }
  ~JournalPlace() override {
    stream_.reset();
    journal_.reset();
    std::filesystem::remove_all(root_);
  }

  // The stream "s", opened anew.
  Result<std::unique_ptr<Stream>> TryOpen(const StreamOptions& options = kSmall) {
    stream_.reset();
    journal_ = OpenLocalJournal(*runtime_, root_ + "/journal").value();
    return journal_->Open("s", options);
  }
  void Reopen(const StreamOptions& options = kSmall) { stream_ = TryOpen(options).value(); }
  // Closes the stream and leaves the first segment as a killed process would: without a seal.
  void Kill() {
    const std::string path = Path("0000000000000001.segment");
    const std::string left = runtime::ReadFile(runtime_->files(), path).value();
    stream_.reset();
    runtime::WriteFileAtomically(runtime_->files(), path, left).value();
  }

  AppendResult Append(std::string_view record, Durability durability = Durability::kProcess) {
    const StreamState state = stream_->state();
    const std::string_view records[] = {record};
    return stream_->Append(state.epoch, state.tail, records, durability);
  }
  // Records from the one after `after` up to the tail.
  std::vector<std::string> Records(Sequence after = 0) {
    std::vector<std::string> records;
    const auto reader = stream_->Read(after).value();
    while (const auto record = reader->Next().value()) {
      EXPECT_EQ(record->sequence, ++after);
      records.emplace_back(record->payload);
    }
    return records;
  }
  std::vector<std::string> Names() { return runtime_->files().List(StreamPath()).value(); }
  size_t Count(std::string_view suffix) {
    size_t count = 0;
    for (const std::string& name : Names()) {
      count += name.ends_with(suffix) ? 1 : 0;
    }
    return count;
  }
  std::string StreamPath() const { return root_ + "/journal/s"; }
  std::string Path(std::string_view name) const { return runtime::JoinPath(StreamPath(), name); }
  void Overwrite(const std::string& name, uint64_t offset, std::string_view bytes) {
    const auto file = runtime_->files().Open(Path(name), runtime::OpenMode::kReadWrite).value();
    file->Write(offset, bytes).value();
  }

  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  std::string root_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Stream> stream_;
};

inline const std::string kFirstSegment = "0000000000000001.segment";
inline const std::string kSecondSegment = "0000000000000002.segment";

}  // namespace luna::journal
