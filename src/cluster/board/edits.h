// edits: what is written on the board of jobs. An edit is valid or void by the edits before it (the
// rule stands beside each), so several processes agree without a lock: whoever writes learns by its
// verdict whether it counted.
// A job is offered by the leader of the epoch that has the board, claimed by a worker under a run
// of its own (a number never used again), and ends as done, or is withdrawn. What the payload and
// the result say is for those who offer and work.
// Bytes: kind (1), then fields in order (docs/formats/board.md). Never reuse a number.
// Thread rule: plain values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "luna/status.h"

namespace luna::board {

using JobId = uint64_t;  // position of its Offer; never reused
using Run = uint64_t;    // of a claim; not 0

inline constexpr size_t kMaxJobs = 32;                        // on the board at a time
inline constexpr uint64_t kMaxTextBytes = uint64_t{1} << 20;  // of a payload, and of a result
inline constexpr size_t kMaxNameBytes = 255;                  // of a worker

struct TakeBoard {
  uint64_t epoch = 0;
};  // valid: larger than the last one's. Every job on the board goes
struct Offer {
  uint64_t epoch = 0;
  std::string payload;
};  // valid: the epoch has the board, fewer than kMaxJobs are on it, the payload is not too long
struct Claim {
  JobId job = 0;
  std::string worker;  // for people
  Run run = 0;
};  // valid: on the board, and nobody's
struct Beat {
  JobId job = 0;
  Run run = 0;
};  // valid: the run has the job, and is at it. A sign of life
struct GiveUp {
  JobId job = 0;
  Run run = 0;
};  // valid: likewise. The job is nobody's again
struct Done {
  JobId job = 0;
  Run run = 0;
  std::string result;
};  // valid: likewise, and the result is not too long
struct Withdraw {
  JobId job = 0;
};  // valid: on the board and not done. It goes
struct Collect {
  JobId job = 0;
};  // valid: done. It goes

using Edit = std::variant<TakeBoard, Offer, Claim, Beat, GiveUp, Done, Withdraw, Collect>;

std::string Encode(const Edit& edit);
// kBadFormat; kNewerFormat for a kind this build does not know.
Result<Edit> Decode(std::string_view bytes);
// One line for people: "Claim job 7 by w1, run 12".
std::string ToString(const Edit& edit);

}  // namespace luna::board
