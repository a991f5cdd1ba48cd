// A universe that another process leads, followed here: it reads the group's stream and the
// manifests, which are all it needs, and answers reads from them, as old as its last look. It
// writes nothing: no record, no edit, no object, and no leader knows that it is there.
//
// A look asks for the manifests and for the tail of the stream, one every `look_nanos` and one at
// once after a hint. Every acknowledged record is in the stream, so what a look's tail covers holds
// everything that was acknowledged before the look began: freshness is told by this process's own
// clock, and no clocks are compared. All databases of the universe are in one stream, and the
// timestamps of each grow with the sequence: what is applied is one moment of each.
// Reads see a database at the newest timestamp up to which everything is applied
// (Database::now()), which never goes back.
// Threads: "follow" looks and applies.
// Thread rule: safe; Stop once, and before the end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/universe/inheritance.h"
#include "kernel/journal/journal.h"
#include "kernel/kernel.h"
#include "luna/components.h"
#include "luna/options.h"
#include "luna/universe.h"

namespace luna::universe {

struct Follow {
  std::unique_ptr<kernel::Kernel> kernel{};  // a view (kernel/kernel_view.h)
  // Who leads, as far as known (empty: not), for messages. Called in any thread, must not wait; may
  // be null.
  std::function<std::string()> leader{};
  uint64_t look_nanos = 100'000'000;
  // How long the leader keeps objects that left the tables; nobody reads by manifests that are
  // older than two thirds of it.
  uint64_t grace_nanos = 30'000'000'000;
};

struct FollowedState {
  journal::Sequence applied = 0;  // to memtables; readers may not see it yet
  // Whoever begins to read sees everything up to `shown`; nobody has seen anything after
  // `shown_at_most`. Neither goes back.
  journal::Sequence shown = 0;
  journal::Sequence shown_at_most = 0;
  journal::Epoch epoch = 0;  // of the stream, as of the last look
  // Everything acknowledged before this moment of the monotonic clock is applied; 0: nothing yet.
  uint64_t complete_nanos = 0;
  std::string trouble{};  // why it does not go on; empty: it does
};

class FollowedUniverse {
 public:
  virtual ~FollowedUniverse() = default;
  // For reads. Everything that writes is kFenced, and the message names the leader. Reads are
  // kBackPressure before the first look is applied, while it starts anew (it was so far behind that
  // the stream goes on without it), and while the manifests are so old that objects they name may
  // be removed; kSnapshotTooOld below what the leader keeps, also of a snapshot or transaction held
  // here: nobody waits for followers. Gone after Stop.
  virtual Universe& universe() = 0;
  virtual FollowedState state() const = 0;
  // Until everything acknowledged before `moment_nanos` is applied, and looks at once for it;
  // kBackPressure, with the reason, when that is not so at `deadline_nanos`; kShutDown. Both of
  // the monotonic clock.
  virtual Status AwaitComplete(uint64_t moment_nanos, uint64_t deadline_nanos) = 0;
  // The same until readers see everything up to `sequence`; looks only if that is not so yet.
  virtual Status AwaitShown(journal::Sequence sequence, uint64_t deadline_nanos) = 0;
  // Something was appended to the stream: look now. Does not wait.
  virtual void Hint() = 0;
  // Ends it: nothing uses universe() any more. What it knows is for OpenLed (Lead::inherited); null
  // when it knows nothing of use.
  virtual std::unique_ptr<Inheritance> Stop() = 0;
};

// `options.location` is not looked at. Returns once the manifests are open; the stream is applied
// meanwhile, see FollowedState. Errors: kStreamMissing while nobody has led this universe yet (try
// again), kNotSupported where streams cannot be followed, those of the Kernel's reads.
Result<std::unique_ptr<FollowedUniverse>> OpenFollowed(const Options& options,
                                                       const Components& components, Follow follow);

}  // namespace luna::universe
