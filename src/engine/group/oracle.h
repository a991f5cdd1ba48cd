// Oracle: the clock of one database: 46 bits of milliseconds, 18 bits of counter, never backwards,
// never twice. Its word holds the newest visible timestamp and, in the top bit, whether a commit
// round is in flight. With nothing in flight a reader raises the word to the current millisecond
// and reads there (expiries move on without commits); during a round it reads at the visible
// timestamp, so that a commit never lands at or below a timestamp already read. Readers stay below
// a limit that a TsLimit record made durable, a quarter of a second ahead of the clock at most: who
// starts from the stream starts above it. A clean end seals: the limit is where time stood.
// Thread rule: ReadTimestamp is safe; the rest is guarded by the caller (the commit pipeline).
#pragma once

#include <atomic>
#include <cstdint>

#include "luna/options.h"
#include "runtime/runtime.h"

namespace luna::group {

// A limit to log at this time of the clock: as far ahead as any.
Timestamp LimitAt(uint64_t now_millis);

class Oracle {
 public:
  explicit Oracle(runtime::Clock& clock) : clock_(clock) {}

  // After recovery: everything from now on lies above `last` and `limit`.
  void Start(Timestamp last, Timestamp limit);
  // A timestamp at which everything committed is visible and nothing will be committed any more.
  Timestamp ReadTimestamp();
  // A round begins: readers stop raising the word.
  void BeginRound();
  // The next commit timestamp of the round; not visible yet. A refused commit gives none back: gaps
  // are fine.
  Timestamp Next();
  // The round ends: everything up to the last Next() that was applied (`upto`, 0 = nothing) is
  // visible.
  void EndRound(Timestamp upto);
  Timestamp visible() const;
  // The limit to log before the round may use Next(), or 0 when the durable one suffices.
  Timestamp WantedLimit();
  // In a round of its own, before a clean end: brings everybody to the present and gives the limit
  // to log, which holds them there; 0 when time has reached the durable one anyway.
  Timestamp Seal();
  // After Seal: no limit is wanted any more, so readers see time go on with commits only.
  void StandStill();
  void LimitIsDurable(Timestamp limit);
  // The durable limit keeps readers below the present millisecond: a round should log a new one.
  bool HoldsReadersBack() const;
  // How far visible time is ahead of the clock: after a start above a limit, or when somebody set
  // the clock back. What is read then has expired early by as much.
  uint64_t LeadMillis() const;

 private:
  static constexpr Timestamp kInFlight = Timestamp{1} << 63;
  runtime::Clock& clock_;
  std::atomic<Timestamp> word_{0};
  std::atomic<Timestamp> limit_{0};
  std::atomic<bool> stands_still_{false};
  Timestamp last_ = 0;
};

}  // namespace luna::group
