// What the cluster's figures are measured in: A, one append to a stream; M, one edit of a manifest;
// F, one fence; and beside them one write with a guard, as plain as RADOS has it.
//   luna_micro_rados rados:POOL?conf=PATH&namespace=NAME [COUNT]
// Works in a namespace of its own, which nobody else uses. The four are done in turn, so that they
// meet the same machine. Prints a line each: name, p50, p99, mean, in microseconds.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kernel/manifest/manifest.h"
#include "kernel/rados/location.h"
#include "kernel/rados/rados_journal.h"
#include "kernel/rados/rados_storage.h"
#include "kernel/rados/space.h"
#include "runtime/posix/posix_runtime.h"

namespace {

using namespace luna;

constexpr size_t kRecordBytes = 200;  // a commit of one small value
constexpr size_t kWarmUp = 20;

void Check(bool ok, const std::string& what) {
  if (!ok) {
    std::fprintf(stderr, "luna_micro_rados: %s\n", what.c_str());
    std::exit(1);
  }
}

template <typename T>
T Have(Result<T> result) {
  Check(result.ok(), result.ok() ? "" : result.error().ToString());
  return std::move(result).value();
}

// Any edit is valid, and none is remembered.
class Nothing : public manifest::State {
 public:
  Result<bool> Apply(manifest::Position, std::string_view) override { return true; }
  std::string Save() const override { return {}; }
  Status Load(std::string_view) override { return {}; }
};

struct Measure {
  std::string name;
  std::function<void()> run;
  std::vector<double> micros{};

  void Print() {
    std::sort(micros.begin(), micros.end());
    double sum = 0;
    for (const double each : micros) {
      sum += each;
    }
    const auto count = static_cast<double>(micros.size());
    std::printf("%s %.1f %.1f %.1f\n", name.c_str(), micros[micros.size() / 2],
                micros[micros.size() * 99 / 100], sum / count);
  }
};

// One object that is overwritten under a comparison.
class Guarded {
 public:
  explicit Guarded(rados::Space& space) : space_(space) {
    Check(space_.Write(kName,
                       [](rados::WriteOperation& operation) {
                         operation.Set("turn", "0").WriteAll(std::string(kRecordBytes, 'x'));
                       }) >= 0,
          "the guarded object cannot be made");
  }

  void Run() {
    const int code = space_.TryWrite(kName, [&](rados::WriteOperation& operation) {
      operation.Compare("turn", std::to_string(turn_))
          .Write(0, bytes_)
          .Set("turn", std::to_string(turn_ + 1));
    });
    Check(code >= 0, "a guarded write failed: " + std::to_string(code));
    ++turn_;
  }

 private:
  const std::string kName = "guarded";
  const std::string bytes_ = std::string(kRecordBytes, 'g');
  rados::Space& space_;
  uint64_t turn_ = 0;
};

class Appends {
 public:
  explicit Appends(journal::Journal& journal, const std::string& name)
      : stream_(Have(journal.Open(name, {}))) {}

  void Append() {
    const std::string_view record = record_;
    const journal::AppendResult result =
        stream_->Append(epoch_, tail_, std::span(&record, 1), Durability::kDevice);
    Check(result.outcome == journal::AppendResult::Outcome::kOk, "an append failed");
    tail_ = result.tail;
  }

  void Fence() {
    Have(stream_->Fence(epoch_, tail_, epoch_ + 1));
    ++epoch_;
  }

 private:
  const std::string record_ = std::string(kRecordBytes, 'a');
  std::unique_ptr<journal::Stream> stream_;
  journal::Epoch epoch_ = 1;
  journal::Sequence tail_ = 0;
};

void Run(const std::string& url, size_t count) {
  const std::unique_ptr<runtime::Runtime> runtime = posix::NewPosixRuntime();
  const rados::Location location = Have(rados::ParseLocation(url));
  const auto space = Have(rados::Space::Open(Have(rados::Client::Connect(*runtime, location)),
                                             location.pool, location.name_space));
  const std::unique_ptr<journal::Journal> journal = rados::NewRadosJournal(space);
  const std::unique_ptr<storage::Storage> storage = rados::NewRadosStorage(space);
  Nothing state;
  const auto edits =
      Have(manifest::Manifest::Open(*runtime, *journal, *storage, "figures", "figures", state));
  Guarded guarded(*space);
  Appends appends(*journal, "appended");
  Appends fences(*journal, "fenced");
  const std::string edit(kRecordBytes, 'm');
  std::vector<Measure> measures;
  measures.push_back({.name = "guarded", .run = [&] { guarded.Run(); }});
  measures.push_back({.name = "A", .run = [&] { appends.Append(); }});
  measures.push_back({.name = "M", .run = [&] { (void)Have(edits->Commit(edit)); }});
  measures.push_back({.name = "F", .run = [&] { fences.Fence(); }});
  for (size_t i = 0; i < kWarmUp + count; ++i) {
    for (Measure& measure : measures) {
      const uint64_t begun = runtime->clock().MonotonicNanos();
      measure.run();
      const uint64_t nanos = runtime->clock().MonotonicNanos() - begun;
      if (i >= kWarmUp) {
        measure.micros.push_back(static_cast<double>(nanos) / 1000);
      }
    }
  }
  for (Measure& measure : measures) {
    measure.Print();
  }
}

}  // namespace

int main(int count, char** words) {
  size_t operations = 300;
  bool good = count == 2 || count == 3;
  if (count == 3) {
    const std::string_view word = words[2];
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), operations);
    good = parsed.ec == std::errc() && parsed.ptr == word.data() + word.size() && operations > 0;
  }
  Check(good, "usage: luna_micro_rados rados:POOL?conf=PATH&namespace=NAME [COUNT]");
  Run(words[1], operations);
}
