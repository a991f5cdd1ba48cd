#include "engine/group/oracle.h"

#include <algorithm>

#include "base/assert.h"
#include "engine/entry/entry.h"

namespace luna::group {

namespace {

// How far ahead a durable limit reaches. After a crash the next start waits until the clock has
// passed it, so this is what a crash may add to a restart (decision 0022).
constexpr uint64_t kLimitMillis = 250;
// A round logs a new limit when the current one is nearer than this: one in 150 ms of writes,
// beside what the round appends anyway.
constexpr uint64_t kReserveMillis = 100;

}  // namespace

Timestamp LimitAt(uint64_t now_millis) {
  return entry::FirstAt(now_millis + kLimitMillis);
}

void Oracle::Start(Timestamp last, Timestamp limit) {
  last_ = std::max({last, limit, entry::FirstAt(clock_.WallMillis())});
  limit_.store(limit, std::memory_order_relaxed);
  word_.store(last_, std::memory_order_release);
}

Timestamp Oracle::ReadTimestamp() {
  Timestamp word = word_.load(std::memory_order_acquire);
  const Timestamp now = entry::FirstAt(clock_.WallMillis());
  while ((word & kInFlight) == 0 && now > word && now < limit_.load(std::memory_order_relaxed)) {
    if (word_.compare_exchange_weak(word, now, std::memory_order_acq_rel)) {
      return now;
    }
  }
  return word & ~kInFlight;
}

void Oracle::BeginRound() {
  const Timestamp before = word_.fetch_or(kInFlight, std::memory_order_acq_rel);
  LUNA_ASSERT((before & kInFlight) == 0);
  // Readers may have raised the word past what rounds gave out.
  last_ = std::max(last_, before);
}

Timestamp Oracle::Next() {
  last_ = std::max(last_ + 1, entry::FirstAt(clock_.WallMillis()));
  LUNA_ASSERT(last_ < kInFlight);
  return last_;
}

void Oracle::EndRound(Timestamp upto) {
  const Timestamp visible = std::max(upto, word_.load(std::memory_order_relaxed) & ~kInFlight);
  word_.store(visible, std::memory_order_release);
}

Timestamp Oracle::visible() const {
  return word_.load(std::memory_order_acquire) & ~kInFlight;
}

Timestamp Oracle::WantedLimit() {
  if (stands_still_.load(std::memory_order_relaxed)) {
    return 0;
  }
  const uint64_t now = std::max(clock_.WallMillis(), entry::MillisOf(last_));
  if (limit_.load(std::memory_order_relaxed) >= entry::FirstAt(now + kReserveMillis)) {
    return 0;
  }
  return LimitAt(now);
}

bool Oracle::HoldsReadersBack() const {
  return !stands_still_.load(std::memory_order_relaxed) &&
         entry::FirstAt(clock_.WallMillis()) >= limit_.load(std::memory_order_relaxed) &&
         (word_.load(std::memory_order_acquire) & kInFlight) == 0;
}

Timestamp Oracle::Seal() {
  const Timestamp present = Next();
  if (present >= limit_.load(std::memory_order_relaxed)) {
    return 0;
  }
  // At once: a reader who still holds the old limit fails to raise the word from where it was.
  word_.store(present | kInFlight, std::memory_order_release);
  return present;
}

void Oracle::StandStill() {
  stands_still_.store(true, std::memory_order_relaxed);
}

uint64_t Oracle::LeadMillis() const {
  const uint64_t visible_millis = entry::MillisOf(visible());
  const uint64_t now = clock_.WallMillis();
  return visible_millis > now ? visible_millis - now : 0;
}

void Oracle::LimitIsDurable(Timestamp limit) {
  limit_.store(limit, std::memory_order_relaxed);
}

}  // namespace luna::group
