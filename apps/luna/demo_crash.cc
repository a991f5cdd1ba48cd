// kill -9 in the middle of a load: a process loads records one after another, for ever, and tells
// through a pipe how many were acknowledged; it is killed; all of those must be there afterwards.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/luna/demo.h"
#include "apps/luna/verbs.h"
#include "apps/output/screen.h"
#include "apps/records/record_reader.h"
#include "base/try.h"

extern char** environ;

namespace luna::cli {
namespace {

constexpr uint64_t kBatchRecords = 100;
constexpr const char* kCollection = "crash-test";

// The stanzas of an index as records 0, 1, 2, ..., from the start again after the last.
class EndlessIndex {
 public:
  explicit EndlessIndex(std::string path) : path_(std::move(path)) {}

  struct Entry {
    std::string key;         // the number, so that every record has a key of its own, and the name
    std::string_view value;  // valid until the next call
  };
  Result<Entry> Next() {
    for (int attempt = 0; attempt < 2; ++attempt) {
      if (reader_ == nullptr) {
        auto source = TRY(records::LineSource::Open(path_));
        reader_ = records::NewReader(records::Format::kDeb822, std::move(source), {});
      }
      if (const auto record = TRY(reader_->Next()); record.has_value()) {
        return Entry{.key = KeyOf(number_++) + " " + std::string(record->key),
                     .value = record->value};
      }
      reader_.reset();
    }
    return Error(Reason::kBadInput, path_ + " has no stanzas any more; leave it alone meanwhile");
  }

  static std::string KeyOf(uint64_t number) {
    std::string digits = std::to_string(number);
    return std::string(12 - std::min<size_t>(12, digits.size()), '0') + digits;
  }

 private:
  const std::string path_;
  std::unique_ptr<records::RecordReader> reader_;
  uint64_t number_ = 0;
};

Error SystemError(const std::string& what) {
  return Error(Reason::kIoError,
               what + " failed: " + std::strerror(errno) + "; run the demonstration again");
}

// This program again, loading the universe; its standard output is a pipe.
class LoadingProcess {
 public:
  static Result<std::unique_ptr<LoadingProcess>> Start(const Request& request) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      return SystemError("making a pipe");
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::vector<std::string> words = {
        "luna",           "demo-load",  "--universe",
        request.universe, "--database", request.target.database,
        "--collection",   kCollection,  "--index",
        request.file,     "--memory",   std::to_string(request.target.memory_bytes)};
    if (request.target.durability != Durability::kDevice) {
      // What is only in memory does not survive a kill, and is not meant to.
      words.insert(words.end(), {"--durability", "process"});
    }
    std::vector<char*> arguments;
    for (std::string& word : words) {
      arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    pid_t pid = 0;
    errno = posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
    const bool started = errno == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (!started) {
      close(ends[0]);
      return SystemError("starting the loading process");
    }
    return std::unique_ptr<LoadingProcess>(new LoadingProcess(pid, ends[0]));
  }

  ~LoadingProcess() {
    if (!waited_) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(pipe_);
  }
  LoadingProcess(const LoadingProcess&) = delete;
  LoadingProcess& operator=(const LoadingProcess&) = delete;

  // The latest acknowledgement; nothing at the end of the pipe.
  std::optional<uint64_t> NextAcknowledged() {
    char chunk[4096];
    ssize_t got = 0;
    do {
      got = read(pipe_, chunk, sizeof(chunk));
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
      return std::nullopt;
    }
    pending_.append(chunk, static_cast<size_t>(got));
    for (size_t newline = 0; (newline = pending_.find('\n')) != std::string::npos;) {
      std::from_chars(pending_.data(), pending_.data() + newline, acknowledged_);
      pending_.erase(0, newline + 1);
    }
    return acknowledged_;
  }

  void Kill() { kill(pid_, SIGKILL); }
  // True if the signal ended it, and not itself.
  bool WasKilled() {
    int status = 0;
    waitpid(pid_, &status, 0);
    waited_ = true;
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }

 private:
  LoadingProcess(pid_t pid, int pipe) : pid_(pid), pipe_(pipe) {}

  const pid_t pid_;
  const int pipe_;
  std::string pending_;
  uint64_t acknowledged_ = 0;
  bool waited_ = false;
};

// Drops what an earlier demonstration left.
Status DropOldRecords(const Request& request) {
  const auto session = TRY(Session::Open(request, Missing::kIsMade));
  const auto database = TRY(session->OpenDatabase());
  const std::vector<std::string> names = TRY(database->ListCollections());
  if (std::find(names.begin(), names.end(), kCollection) != names.end()) {
    TRY(database->DropCollection(kCollection));
  }
  return session->Close();
}

// Loads until `target` records are acknowledged, kills; how many were acknowledged in the end.
Result<uint64_t> LoadAndKill(const Request& request, uint64_t target, Presenter& presenter) {
  const auto process = TRY(LoadingProcess::Start(request));
  output::Progress progress("second load", output::Progress::Of::kRecords, target);
  uint64_t acknowledged = 0;
  bool killed = false;
  while (const auto latest = process->NextAcknowledged()) {
    acknowledged = *latest;
    progress.Update(acknowledged, acknowledged);
    if (acknowledged >= target && !killed) {
      process->Kill();
      killed = true;
    }
  }
  progress.Clear();
  const bool by_us = process->WasKilled();
  presenter.Check(by_us && killed, "the loading process was killed with SIGKILL after " +
                                       output::Grouped(acknowledged) + " acknowledged records");
  return acknowledged;
}

// Records 0 … acknowledged-1 must be there, byte for byte; of the transaction in flight all or
// nothing.
Status CheckRecords(const Request& request, Collection& collection, uint64_t acknowledged,
                    Presenter& presenter) {
  EndlessIndex index(request.file);
  output::Progress progress("comparing", output::Progress::Of::kRecords, acknowledged);
  uint64_t lost = 0;
  uint64_t wrong = 0;
  for (uint64_t number = 0; number < acknowledged; ++number) {
    const EndlessIndex::Entry expected = TRY(index.Next());
    const auto found = TRY(collection.Get(expected.key));
    lost += found.has_value() ? 0 : 1;
    wrong += found.has_value() && *found != expected.value ? 1 : 0;
    progress.Update(number, number);
  }
  progress.Clear();
  presenter.Check(lost == 0 && wrong == 0,
                  output::Grouped(acknowledged) + " acknowledged records compared: " +
                      output::Grouped(lost) + " lost, " + output::Grouped(wrong) + " wrong");
  ScanOptions rest;
  rest.begin = EndlessIndex::KeyOf(acknowledged);
  auto entry = TRY(collection.Scan(rest));
  uint64_t beyond = 0;
  for (; entry->Valid(); entry->Next()) {
    ++beyond;
  }
  TRY(entry->status());
  presenter.Check(beyond == 0 || beyond == kBatchRecords,
                  "of the transaction in flight " + output::Grouped(beyond) + " of " +
                      output::Grouped(kBatchRecords) + " records are there: all or nothing");
  return {};
}

}  // namespace

Status ShowCrash(const Request& request, const IndexFacts& facts, Presenter& presenter) {
  presenter.Title("A second load, in another process, killed in the middle (kill -9)");
  TRY(DropOldRecords(request));
  const uint64_t target = std::max<uint64_t>(facts.stanzas / 2, 5 * kBatchRecords);
  const uint64_t acknowledged = TRY(LoadAndKill(request, target, presenter));

  const auto before = std::chrono::steady_clock::now();
  const auto session = TRY(Session::Open(request, Missing::kIsAnError));
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - before;
  presenter.Line("opened again in " + output::Fixed(elapsed.count(), 2) + " s");
  const auto database = TRY(session->OpenDatabase());
  const auto collection = TRY(database->OpenCollection(kCollection));
  TRY(CheckRecords(request, *collection, acknowledged, presenter));
  const auto packages = TRY(database->OpenCollection("packages"));
  auto entry = TRY(packages->Scan());
  uint64_t count = 0;
  for (; entry->Valid(); entry->Next()) {
    ++count;
  }
  TRY(entry->status());
  presenter.Check(count == facts.packages.size(),
                  "and " + output::Grouped(count) + " packages of the first load");
  entry.reset();
  return session->Close();
}

Result<int> DemoLoad(const Request& request) {
  const auto session = TRY(Session::Open(request, Missing::kIsMade));
  const auto database = TRY(session->OpenDatabase());
  const auto collection = TRY(session->OpenCollection());
  EndlessIndex index(request.file);
  for (uint64_t acknowledged = 0;; acknowledged += kBatchRecords) {
    if (acknowledged > 0) {
      const std::string line = std::to_string(acknowledged) + "\n";
      if (write(STDOUT_FILENO, line.data(), line.size()) < 0) {
        return SystemError("telling the parent");
      }
    }
    WriteBatch batch;
    for (uint64_t i = 0; i < kBatchRecords; ++i) {
      const EndlessIndex::Entry entry = TRY(index.Next());
      batch.Put(*collection, entry.key, entry.value);
    }
    TRY(database->Write(batch));
  }
}

}  // namespace luna::cli
