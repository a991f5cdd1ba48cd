// TabletServer: one of several processes that serve one universe on a Kernel which they share. It
// runs a replica of the universe's group: while that leads, the universe is open here and is
// served; else this server follows, and keeps a universe that follows for reads that may be old.
// What serving and following mean is the embedder's (Serving): a service at an address, and a port
// there that sends clients to the leader, or reads here.
// Invariant: the universe is led exactly between a fence that was won and the end of StopServing.
// Clients are served or sent on, never both: StopFollowing comes before Serve, and Follow takes
// them from the service, which StopServing ends a little later.
// Thread rule: safe; Start and Stop once each.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"
#include "cluster/replica/replica_server.h"
#include "cluster/worker/offloaded_merges.h"
#include "engine/universe/followed_universe.h"
#include "engine/universe/led_universe.h"
#include "kernel/kernel.h"
#include "luna/components.h"
#include "luna/options.h"
#include "luna/universe.h"

namespace luna::tablet_server {

// What is done with a universe that is led here, and without one. Calls come one at a time and may
// wait; while they do, the lease is renewed.
class Serving {
 public:
  virtual ~Serving() = default;
  // Serve comes in a moment, or ServeReads if the lead does not come here after all: what takes
  // time and needs no universe may be made.
  virtual void PrepareToServe() {}
  // Begins to answer from `universe`, which stays until StopServing returned.
  virtual Status Serve(Universe& universe) = 0;
  // The lead is given away next: begins nothing any more, and returns soon, when what was begun is
  // done if that does not take long. Follow or StopServing comes next.
  virtual void Rest() {}
  // Returns when nothing uses the universe any more. Also after a Serve that failed.
  virtual void StopServing() = 0;
  // Begins to send clients to the leader, those of Serve too, if StopServing is still to come.
  virtual Status Follow() = 0;
  // Also after a Follow that failed.
  virtual void StopFollowing() = 0;

  // Begins to answer reads from `followed`, which stays until StopReads returned; an error: not
  // yet, to be tried again. After Follow.
  virtual Status ServeReads(universe::FollowedUniverse& /*followed*/) { return {}; }
  // Returns when nothing uses it any more. Others of these calls may come meanwhile, when that
  // takes long.
  virtual void StopReads() {}

  // The universe holds what this build does not know (kNewerFormat): it can never be led here, and
  // each attempt would keep it from those who can. Called at each such attempt.
  virtual void CannotLead(const Error&) {}
};

class FollowedReads;

struct TabletServerOptions {
  Options universe{};  // the location is the Kernel's
  std::shared_ptr<EventListener> listener{};
  replica::ReplicaOptions replica{};  // its server: how others reach this one
  bool offload = false;               // merges go to workers, where there are any
  base::Log log{};
};

// What strong reads at other servers go by (engine's Group::Counts).
struct ReadPoint {
  journal::Sequence tail = 0;       // what was acknowledged, or read here, is at or before it
  journal::Sequence published = 0;  // what is at or before it, whoever reads here sees
};

struct Standing {
  std::string role{};  // "leading", "following", "taking-over", "handing-over"
  replica::Epoch epoch = 0;
  std::string leader{};        // as far as known; nobody while this server takes over
  std::string leader_peers{};  // where that listens to other servers; empty: not known, or nowhere
  bool leader_tls = false;     // that speaks TLS with clients
  uint64_t lease_left_millis = 0;
  uint64_t terms = 0;                  // served
  uint64_t failures = 0;               // attempts to lead
  std::string last_error{};            // of the last such attempt, or of Follow
  uint64_t takeover_millis = 0;        // of the last term: from the fence to serving
  std::vector<std::string> removed{};  // servers that may not lead, as the leader knows
  worker::OffloadFigures offloaded{};  // of all terms
};

class TabletServer final : public replica::Host {
 public:
  // `kernel`, which is shared, and `serving` outlive the server. kBadOption.
  static Result<std::unique_ptr<TabletServer>> Open(kernel::Kernel& kernel,
                                                    TabletServerOptions options, Serving& serving);
  TabletServer(kernel::Kernel& kernel, TabletServerOptions options, Serving& serving);
  ~TabletServer() override;  // stops

  // Follows, and leads when nobody else does. Errors: those of Follow.
  Status Start();
  // Gives the lead to whoever comes first; returns when neither serving nor following.
  void Stop();

  // Takes a server out of the group: it leads no more; or lets it lead again. kFenced: another
  // leads. By threads of what serves only.
  Status Remove(const std::string& server);
  Status Readmit(const std::string& server);

  Standing standing() const;
  // Of the universe that is followed here; nothing while there is none.
  std::optional<universe::FollowedState> followed() const;
  // Of the stream, while this server leads: what was acknowledged by now is at or before it.
  std::optional<journal::Sequence> tail() const;
  // Nothing while it does not. Says nothing of the lease.
  std::optional<ReadPoint> read_point() const;
  // A hint that this server leads in a moment: what is read here ends (followed() then says
  // nothing), and what leading needs is made ready, for some time, and taken: the leader before
  // edits no manifest from here on, and gives its lead away, whatever comes (ExpectHandOver).
  // `epoch`: what it will lead under; 0: not known, so nothing is taken yet. `tail`: where the
  // leader before ended; 0: it has not yet. Does not wait.
  void ExpectLead(replica::Epoch epoch, journal::Sequence tail);
  // Whether that is done, or there is nothing to be done.
  bool is_ready_to_lead() const;
  // This server, which leads, gives the lead away in a moment. kFenced: another leads. By threads
  // of what serves only.
  Status ExpectHandOver();
  // For the lease around reads.
  replica::ReplicaServer& replica() { return *replica_; }
  const std::string& server() const { return options_.replica.server; }

  Status BecomeLeader(group::Leadership leadership, group::AppendObserver& observer) override;
  void StopLeading(replica::Epoch epoch) override;
  std::vector<std::string> LimitsOf(replica::Epoch epoch) override;
  Status Renew(bool resting) override;
  Status HandOver(const std::string& target) override;
  Result<journal::StreamState> Yield(const std::string& target) override;

 private:
  Status Lead(group::Leadership leadership, group::AppendObserver& observer);
  Status SendClientsOn();
  Status Configure(const std::function<Status(group::Group&)>& change);

  kernel::Kernel& kernel_;
  const TabletServerOptions options_;
  Serving& serving_;
  const std::unique_ptr<runtime::Event> stopping_;
  std::unique_ptr<replica::ReplicaServer> replica_;
  std::unique_ptr<FollowedReads> reads_;  // between Follow and taking over

  worker::OffloadTally offloaded_;

  // The replica's actor's, but before Start and after Stop.
  std::unique_ptr<worker::OffloadedMerges> merges_;  // outlives the universe
  std::unique_ptr<Universe> universe_;
  group::Group* group_ = nullptr;  // the universe's
  bool asked_to_serve_ = false;
  bool follows_ = false;

  mutable base::Mutex mutex_;
  bool serves_ GUARDED_BY(mutex_) = false;
  group::Group* led_ GUARDED_BY(mutex_) = nullptr;  // group_, while it is served
  Standing told_ GUARDED_BY(mutex_);                // its counts and errors
};

}  // namespace luna::tablet_server
