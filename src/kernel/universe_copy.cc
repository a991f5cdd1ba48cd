#include "kernel/universe_copy.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/try.h"
#include "kernel/rados_kernel.h"

namespace luna::kernel {

namespace {

constexpr uint64_t kBatchBytes = uint64_t{1} << 20;
constexpr size_t kCopyBytes = size_t{1} << 20;
constexpr std::string_view kRados = "rados:";

class Copy {
 public:
  Copy(Kernel& from, UnfinishedUniverse& to, const std::function<void(const CopyProgress&)>& tell)
      : from_(from), to_(to), tell_(tell) {}

  Result<CopyProgress> Run() {
    for (const std::string& bucket : TRY(from_.storage().ListBuckets())) {
      for (std::string& object : TRY(from_.storage().List(bucket))) {
        objects_.emplace_back(bucket, std::move(object));
      }
    }
    progress_.objects_in_all = objects_.size();
    for (const std::string& stream : TRY(from_.journal().List())) {
      TRY(CopyStream(stream));
    }
    for (const auto& [bucket, object] : objects_) {
      TRY(CopyObject(bucket, object));
    }
    return progress_;
  }

 private:
  // Records of one epoch, in one append.
  struct Batch {
    journal::Epoch epoch = 0;
    std::vector<std::string> records{};
    uint64_t bytes = 0;
  };

  Status CopyStream(const std::string& name) {
    const auto source = TRY(from_.journal().Open(name, {}));
    const journal::StreamState state = source->state();
    const auto reader = TRY(source->Read(state.released));
    std::unique_ptr<journal::Stream> target;
    Batch batch;
    for (bool more = true; more;) {
      const std::optional<journal::Record> record = TRY(reader->Next());
      more = record.has_value();
      const bool fits = more && (batch.records.empty() ||
                                 (batch.epoch == record->epoch && batch.bytes < kBatchBytes));
      if (!fits && !batch.records.empty()) {
        TRY(Append(name, state.released, target, std::exchange(batch, {})));
      }
      if (more) {
        batch.epoch = record->epoch;
        batch.records.emplace_back(record->payload);
        batch.bytes += record->payload.size();
      }
    }
    TRY(Prepare(name, state.released, target, state.epoch + 1));
    if (target->state().tail != state.tail) {
      return Error(Reason::kLostData, "stream " + name + " ends with record " +
                                          std::to_string(target->state().tail) +
                                          " in the copy, not with " + std::to_string(state.tail) +
                                          "; verify the original");
    }
    ++progress_.streams;
    tell_(progress_);
    return {};
  }

  // The target stream, open, under `epoch`.
  Status Prepare(const std::string& name, journal::Sequence released,
                 std::unique_ptr<journal::Stream>& target, journal::Epoch epoch) {
    if (target == nullptr) {
      if (TRY(to_.journal().Exists(name))) {
        return Error(Reason::kStreamExists, "stream " + name + " is there already");
      }
      target = TRY(to_.journal().Open(name, {.first_epoch = epoch, .released = released}));
    }
    if (const journal::StreamState state = target->state(); state.epoch < epoch) {
      TRY(target->Fence(state.epoch, state.tail, epoch));
    }
    return {};
  }

  Status Append(const std::string& name, journal::Sequence released,
                std::unique_ptr<journal::Stream>& target, const Batch& batch) {
    TRY(Prepare(name, released, target, batch.epoch));
    const std::vector<std::string_view> records(batch.records.begin(), batch.records.end());
    const journal::AppendResult result =
        target->Append(batch.epoch, target->state().tail, records, Durability::kDevice);
    if (result.error.has_value()) {
      return *result.error;
    }
    if (result.outcome != journal::AppendResult::Outcome::kOk) {
      return Error(Reason::kBackPressure,
                   "somebody else writes stream " + name + " of the copy; begin anew");
    }
    progress_.records += records.size();
    progress_.bytes += batch.bytes;
    tell_(progress_);
    return {};
  }

  Status CopyObject(const std::string& bucket, const std::string& object) {
    const auto reader = TRY(from_.storage().Open(bucket, object));
    const auto writer = TRY(to_.storage().Create(bucket, object));
    std::string buffer(kCopyBytes, '\0');
    for (uint64_t at = 0; at < reader->size();) {
      const size_t length = std::min<uint64_t>(kCopyBytes, reader->size() - at);
      TRY(reader->Read(at, length, buffer.data()));
      TRY(writer->Append({buffer.data(), length}));
      at += length;
    }
    TRY(writer->Finish());
    ++progress_.objects;
    progress_.bytes += reader->size();
    tell_(progress_);
    return {};
  }

  Kernel& from_;
  UnfinishedUniverse& to_;
  const std::function<void(const CopyProgress&)>& tell_;
  std::vector<std::pair<std::string, std::string>> objects_;  // bucket, name
  CopyProgress progress_;
};

}  // namespace

Result<std::unique_ptr<UnfinishedUniverse>> BeginUniverse(const std::string& url,
                                                          runtime::Runtime& runtime, bool replace) {
  if (!url.starts_with(kRados)) {
    return Error(Reason::kNotSupported, "location '" + url +
                                            "': a universe is copied to a namespace of a Ceph "
                                            "pool; give rados:POOL?conf=PATH&namespace=NAME");
  }
  return BeginRadosUniverse(url, runtime, replace);
}

Result<CopyProgress> CopyUniverse(Kernel& from, UnfinishedUniverse& to,
                                  const std::function<void(const CopyProgress&)>& tell) {
  return Copy(from, to, tell).Run();
}

}  // namespace luna::kernel
