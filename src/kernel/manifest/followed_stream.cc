#include "kernel/manifest/followed_stream.h"

#include <utility>

#include "base/try.h"

namespace luna::manifest {

namespace {

class NothingNew final : public journal::StreamReader {
 public:
  Result<std::optional<journal::Record>> Next() override {
    return std::optional<journal::Record>();
  }
};

class FollowedStream final : public journal::Stream {
 public:
  FollowedStream(std::unique_ptr<journal::StreamFollower> follower, std::string name,
                 const journal::StreamState& state)
      : follower_(std::move(follower)), name_(std::move(name)), state_(state) {}

  journal::AppendResult Append(journal::Epoch, journal::Sequence, std::span<const std::string_view>,
                               Durability) override {
    return {.outcome = journal::AppendResult::Outcome::kFailed, .error = Refusal()};
  }
  Status Persist(Durability) override { return Refusal(); }
  Result<journal::Sequence> Fence(journal::Epoch, std::optional<journal::Sequence>,
                                  journal::Epoch) override {
    return Refusal();
  }
  Result<std::unique_ptr<journal::StreamReader>> Read(journal::Sequence after) override {
    const journal::StreamState found = TRY(follower_->Look());
    {
      base::MutexLock lock(mutex_);
      state_ = found;
    }
    if (after == found.tail) {
      return std::unique_ptr<journal::StreamReader>(std::make_unique<NothingNew>());
    }
    return follower_->Read(after);
  }
  Status Release(journal::Sequence) override { return Refusal(); }
  journal::StreamState state() const override {
    base::MutexLock lock(mutex_);
    return state_;
  }
  Status Roll() override { return Refusal(); }

 private:
  Error Refusal() const {
    return {Reason::kFenced, "stream " + name_ + " is only followed here: ask who leads"};
  }

  const std::unique_ptr<journal::StreamFollower> follower_;
  const std::string name_;
  mutable base::Mutex mutex_;
  journal::StreamState state_ GUARDED_BY(mutex_);
};

}  // namespace

Result<std::unique_ptr<journal::Stream>> FollowStream(journal::Journal& journal,
                                                      const std::string& name) {
  auto follower = TRY(journal.Follow(name));
  const journal::StreamState state = TRY(follower->Look());
  return std::unique_ptr<journal::Stream>(
      std::make_unique<FollowedStream>(std::move(follower), name, state));
}

}  // namespace luna::manifest
