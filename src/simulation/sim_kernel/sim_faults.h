// The settings of a simulated store: the bad luck of one server's way to it, and what the store
// itself compares.
// Thread rule: immutable values.
#pragma once

#include <cstdint>

namespace luna::sim_kernel {

// Any time between the two, by the seed.
struct MillisRange {
  uint32_t least = 0;
  uint32_t most = 0;
};

// All zero: nothing takes time, nothing is lost.
struct SimFaults {
  // How long a message travels; so messages overtake one another.
  MillisRange request_delay = {};
  MillisRange reply_delay = {};
  uint32_t lost_request_per_mille = 0;  // not applied, and the caller does not learn it
  uint32_t lost_reply_per_mille = 0;    // applied, and the caller does not learn it
  uint32_t late_per_mille = 0;          // the request arrives after the caller gave up,
  MillisRange late = {};                // so long after
  uint32_t stall_per_mille = 0;         // the request finds its stream or object standing still:
  MillisRange stall = {};               // nothing at all is done to it for so long
  uint32_t slow_read_per_mille = 0;     // what was read comes so much later, and is old by then
  MillisRange slow_read = {};
  uint32_t lost_hint_per_mille = 0;
  uint32_t timeout_millis = 1000;  // after which a caller gives up on one try
  uint32_t tries = 5;              // of a request that may be done twice; an append is tried once
};

// What the store compares when a request is applied. A test sets one to false to see that it finds
// the difference.
struct SimGuards {
  bool append_compares_epoch = true;
  bool append_compares_tail = true;
  bool append_compares_turn = true;
  bool late_appends_are_compared = true;  // also those whose caller gave up
  bool fence_compares_epoch = true;
  bool fence_compares_tail = true;
  // False, a name is free again once its object was removed: this is how a store behaves that
  // knows "create if absent" and no more.
  bool removed_names_stay_taken = true;
};

}  // namespace luna::sim_kernel
