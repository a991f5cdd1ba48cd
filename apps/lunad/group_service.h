// GroupService: what clients meet at the address of a server of a group: the service while it
// leads, the port of a follower otherwise; and the page for metrics and health beside both. Reads
// of the service are answered within the replica's lease.
// Beside the port there is a second service, without an address of its own, while there is a
// universe that follows: the port offers it every client, and gets back those whose requests are
// for the leader.
// When the lead moves, clients stay connected where nothing is lost by it: those that wait between
// two requests, and those of which nothing was passed on yet, go from service to port, from port to
// service and from the second service to either, with what nobody began of theirs.
// Thread rule: Join before anything else; Serving by one thread at a time; the rest is safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/lunad/peer_link.h"
#include "base/log.h"
#include "base/mutex.h"
#include "cluster/tablet_server/tablet_server.h"
#include "runtime/tls/tls_network.h"
#include "service/command/elsewhere.h"
#include "service/command/read_gate.h"
#include "service/command/server_group.h"
#include "service/follower/follower_port.h"
#include "service/follower/freshness_gate.h"
#include "service/server/http_page.h"
#include "service/server/service.h"
#include "service/server/settings.h"

namespace luna::lunad {

class GroupService final : public tablet_server::Serving,
                           public command::ReadGate,
                           public command::ServerGroup {
 public:
  // `service`: how it serves while it leads, with whose log. `to_leader`: how a leader is reached
  // with TLS; null: there is none here. All outlive it.
  GroupService(runtime::Runtime& runtime, runtime::Network& network,
               const server::Settings& settings, server::ServiceSettings service,
               tls::TlsNetwork* to_leader);
  ~GroupService() override;

  // Whose Serving this is, and (or null) how it talks to others; both outlive every other call.
  void Join(tablet_server::TabletServer& server, PeerLink* peers) {
    server_ = &server;
    peers_ = peers;
  }

  // SHUTDOWN, or the address was lost to another process.
  bool stop_requested() const;
  // Why its address was lost.
  Status trouble() const;
  // Before an end in order, while the service is used by others still: a leader gives its lead to
  // the follower that has most, if one was heard of. Returns when its clients were sent on, or
  // after a while without that.
  void GiveLeadAway();
  // From now on whatever ends closes its clients: the process stops.
  void EndClients();

  void PrepareToServe() override;
  Status Serve(Universe& universe) override;
  void Rest() override;
  void StopServing() override;
  Status Follow() override;
  void StopFollowing() override;
  Status ServeReads(universe::FollowedUniverse& followed) override;
  void StopReads() override;
  void CannotLead(const Error& error) override;

  Result<Ticket> Begin(const command::Freshness& freshness, bool may_wait) override;
  Status End(const Ticket& ticket, bool may_wait) override;

  command::GroupStanding Standing() override;
  Status Transfer(const std::string& target) override;
  Status Remove(const std::string& server) override;
  Status Readmit(const std::string& server) override;

 private:
  follower::FollowerSettings PortSettings(tls::TlsNetwork* to_leader);
  std::unique_ptr<server::Service> NewService();
  std::unique_ptr<server::Service> TakePrepared();
  void EndServing();
  // Has a follower catch up to be given the lead; `then` is called once, or never. kFenced.
  Status Prepare(const std::string& target, std::function<void(bool ready)> then);
  bool HasSentClientsOn() const;
  // Who has applied most of those heard of that may lead; empty: nobody.
  std::string Heir() const;
  server::ServiceSettings ReadSettings(command::ReadGate& gate);
  follower::AskLeader Asking();
  bool Take(command::Departing& client);
  bool Takes() const;
  void HandOn(command::Departing client);
  server::HttpPage::Pages Pages();
  server::HttpAnswer Readiness();

  runtime::Runtime& runtime_;
  runtime::Network& network_;
  const server::Settings& settings_;
  const server::ServiceSettings service_settings_;
  const base::Log log_;
  tablet_server::TabletServer* server_ = nullptr;
  PeerLink* peers_ = nullptr;
  follower::FollowerPort port_;
  std::unique_ptr<server::HttpPage> page_;  // while following, if there is to be one

  std::unique_ptr<follower::FreshnessGate> freshness_gate_;  // from ServeReads to StopReads

  mutable base::Mutex mutex_;
  std::unique_ptr<server::Service> prepared_ GUARDED_BY(mutex_);  // what is to be service_ soon
  std::unique_ptr<server::Service> service_ GUARDED_BY(mutex_);   // while leading
  std::unique_ptr<server::Service> ending_ GUARDED_BY(mutex_);    // from Follow to StopServing
  std::unique_ptr<server::Service> reads_ GUARDED_BY(mutex_);     // while following
  // Clients of what ended, for what begins next.
  std::vector<command::Departing> between_ GUARDED_BY(mutex_);
  bool ends_clients_ GUARDED_BY(mutex_) = false;
  bool stop_requested_ GUARDED_BY(mutex_) = false;
  Status trouble_ GUARDED_BY(mutex_);
};

// How a server of a group leads and for how long, by the settings of lunad.
tablet_server::TabletServerOptions TabletServerOptionsOf(const server::Settings& settings,
                                                         base::Log log);

}  // namespace luna::lunad
