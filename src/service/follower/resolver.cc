#include "service/follower/resolver.h"

#include <utility>

#include "base/try.h"

namespace luna::follower {

namespace {

constexpr uint64_t kFreshNanos = 1'000'000'000;

}  // namespace

Resolver::Resolver(runtime::Runtime& runtime, runtime::Network& network)
    : runtime_(&runtime), network_(&network), asked_(runtime.NewEvent()) {}

Resolver::~Resolver() {
  if (thread_ != nullptr) {
    {
      const base::MutexLock lock(mutex_);
      stopping_ = true;
    }
    asked_->Set();
    thread_->Join();
  }
}

Result<std::optional<std::string>> Resolver::Find(const std::string& address) {
  const runtime::HostAndPort parsed = TRY(runtime::ParseAddress(address));
  if (parsed.is_number()) {
    return std::optional<std::string>(address);
  }
  std::optional<Result<std::string>> known;
  bool fresh = false;
  {
    const base::MutexLock lock(mutex_);
    if (address_ == address) {
      known = found_;
      fresh = runtime_->clock().MonotonicNanos() - found_nanos_ < kFreshNanos;
    }
  }
  if (!fresh) {
    Ask(address);
  }
  if (!known) {
    return std::optional<std::string>();
  }
  return std::optional<std::string>(TRY(std::move(*known)));
}

void Resolver::Ask(const std::string& address) {
  {
    const base::MutexLock lock(mutex_);
    wanted_ = address;
  }
  asked_->Set();
  if (thread_ == nullptr) {
    thread_ =
        runtime_->Spawn("luna-resolver", runtime::ThreadClass::kForeground, [this] { Run(); });
  }
}

void Resolver::Run() {
  while (true) {
    asked_->Wait();
    asked_->Reset();  // before it looks, so that nothing asked later is missed
    std::string wanted;
    {
      const base::MutexLock lock(mutex_);
      if (stopping_) {
        return;
      }
      wanted.swap(wanted_);
    }
    if (wanted.empty()) {
      continue;
    }
    auto found = network_->Resolve(wanted);
    const uint64_t now = runtime_->clock().MonotonicNanos();
    const base::MutexLock lock(mutex_);
    address_ = wanted;
    found_nanos_ = now;
    found_ = std::move(found);
    if (wanted_ == address_) {
      wanted_.clear();  // asked for while it was looked up: this is the answer
    }
  }
}

}  // namespace luna::follower
