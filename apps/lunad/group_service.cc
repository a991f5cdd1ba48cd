#include "apps/lunad/group_service.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <limits>
#include <utility>

#include "base/try.h"
#include "service/server/metrics_page.h"

namespace luna::lunad {

namespace {

std::optional<command::GroupStanding::Offloaded> OffloadedOf(
    bool offloads, const worker::OffloadFigures& figures) {
  if (!offloads) {
    return std::nullopt;
  }
  return command::GroupStanding::Offloaded{.offered = figures.offered,
                                           .done = figures.done,
                                           .taken_back = figures.unclaimed + figures.silent,
                                           .failed = figures.failed + figures.refused,
                                           .bytes_read = figures.bytes_read,
                                           .bytes_written = figures.bytes_written};
}

}  // namespace

GroupService::GroupService(runtime::Runtime& runtime, runtime::Network& network,
                           const server::Settings& settings, server::ServiceSettings service,
                           tls::TlsNetwork* to_leader)
    : runtime_(runtime),
      network_(network),
      settings_(settings),
      service_settings_(std::move(service)),
      log_(service_settings_.log),
      port_(runtime, network, PortSettings(to_leader)) {}

GroupService::~GroupService() {
  port_.End();  // it may still hand clients on
}

follower::FollowerSettings GroupService::PortSettings(tls::TlsNetwork* to_leader) {
  const connection::ConnectionSettings& connections = service_settings_.connections;
  follower::FollowerSettings settings;
  settings.addresses = connections.addresses;
  settings.tls_addresses = connections.tls_addresses;
  settings.tls_network = connections.tls_network;
  settings.handshake_nanos = connections.handshake_seconds * 1'000'000'000;
  settings.self = server::AdvertisedAddress(settings_);
  settings.forward = settings_.writes == "forward";
  settings.leader = [this] {
    tablet_server::Standing standing = server_->standing();
    return follower::Leader{.address = std::move(standing.leader),
                            .tls = standing.leader_tls,
                            .soon_here = standing.role == "taking-over"};
  };
  if (to_leader != nullptr) {
    settings.dial_tls = [to_leader](const std::string& address, const std::string& host) {
      return to_leader->DialHost(address, host);
    };
  }
  settings.status = [this] { return command::GroupText(Standing()); };
  settings.take = [this](command::Departing& client) { return Take(client); };
  settings.takes = [this] { return Takes(); };
  settings.hand_on = [this](command::Departing client) { HandOn(std::move(client)); };
  settings.max_clients = connections.max_clients;
  // Longer than a take-over takes: clients need not notice it.
  settings.wait_nanos =
      std::max(uint64_t{5'000'000'000}, 3 * static_cast<uint64_t>(settings_.lease) * 1'000'000);
  settings.log = log_;
  return settings;
}

bool GroupService::stop_requested() const {
  base::MutexLock lock(mutex_);
  return stop_requested_ || !trouble_.ok() ||
         std::ranges::any_of(std::array{&service_, &ending_, &reads_}, [](const auto* service) {
           return *service != nullptr && (*service)->stop_requested();
         });
}

Status GroupService::trouble() const {
  base::MutexLock lock(mutex_);
  return trouble_;
}

// --- Clients that stay ---

void GroupService::EndClients() {
  std::vector<command::Departing> ended;  // closed when the lock is gone
  base::MutexLock lock(mutex_);
  ends_clients_ = true;
  ended.swap(between_);
}

void GroupService::HandOn(command::Departing client) {
  base::MutexLock lock(mutex_);
  if (ends_clients_) {
    return;
  }
  if (service_ != nullptr) {
    service_->Give(std::move(client));
  } else if (!port_.PassOn(client)) {
    between_.push_back(std::move(client));
  }
}

// --- Leading ---

std::unique_ptr<server::Service> GroupService::NewService() {
  server::ServiceSettings settings = service_settings_;
  settings.read_gate = this;
  settings.group = this;
  settings.connections.hand_on = [this](command::Departing client) { HandOn(std::move(client)); };
  return std::make_unique<server::Service>(runtime_, network_, std::move(settings));
}

void GroupService::PrepareToServe() {
  auto service = NewService();
  base::MutexLock lock(mutex_);
  prepared_.swap(service);
}

std::unique_ptr<server::Service> GroupService::TakePrepared() {
  base::MutexLock lock(mutex_);
  return std::move(prepared_);
}

Status GroupService::Serve(Universe& universe) {
  std::unique_ptr<server::Service> service = TakePrepared();
  if (service == nullptr) {
    service = NewService();
  }
  TRY(service->Start(universe));
  base::MutexLock lock(mutex_);
  service_ = std::move(service);
  for (command::Departing& client : std::exchange(between_, {})) {
    service_->Give(std::move(client));
  }
  return {};
}

// By the thread that starts and stops the service, and that renews the lease: it has to run on.
void GroupService::Rest() {
  constexpr uint64_t kRestNanos = 500'000'000;  // then what is begun still is refused
  const uint64_t lease = static_cast<uint64_t>(settings_.lease) * 1'000'000;
  server::Service* service = nullptr;
  {
    base::MutexLock lock(mutex_);
    service = service_.get();
  }
  if (service != nullptr) {
    service->Rest(std::min(kRestNanos, lease / 4));
  }
}

void GroupService::StopServing() {
  std::unique_ptr<server::Service> service;
  bool ends_clients = false;
  {
    base::MutexLock lock(mutex_);
    service = std::move(ending_ != nullptr ? ending_ : service_);
    stop_requested_ = stop_requested_ || (service != nullptr && service->stop_requested());
    ends_clients = ends_clients_;
  }
  if (ends_clients) {
    port_.End();
  }
  service = nullptr;  // with what it began, and with its clients if they were not handed on
}

// Clients of the service go to the port, which listens where the service did.
void GroupService::EndServing() {
  server::Service* ending = nullptr;
  {
    base::MutexLock lock(mutex_);
    ending_ = std::move(service_);
    ending = ending_.get();
  }
  if (ending != nullptr) {
    ending->HandOn();
  }
}

Result<command::ReadGate::Ticket> GroupService::Begin(const command::Freshness& /*freshness*/,
                                                      bool may_wait) {
  replica::ReplicaServer& replica = server_->replica();
  if (may_wait) {
    const replica::ReadTicket ticket = TRY(replica.BeginRead());
    return Ticket{.epoch = ticket.epoch, .question = ticket.question};
  }
  const auto ticket = replica.BeginReadAtOnce();
  if (!ticket.has_value()) {
    return Error(Reason::kNotInMemory, "the lease does not allow it");
  }
  return Ticket{.epoch = ticket->epoch, .question = ticket->question};
}

Status GroupService::End(const Ticket& ticket, bool may_wait) {
  const replica::ReadTicket begun{.epoch = ticket.epoch, .question = ticket.question};
  replica::ReplicaServer& replica = server_->replica();
  if (may_wait) {
    return replica.EndRead(begun);
  }
  if (!replica.MayAnswerAtOnce(begun)) {
    return Error(Reason::kNotInMemory, "the lease does not allow it any more");
  }
  return {};
}

// --- Following ---

Status GroupService::Follow() {
  EndServing();
  Status begun = port_.Start();
  if (begun.ok() && !settings_.http_listen.empty()) {
    page_ = std::make_unique<server::HttpPage>(runtime_, network_, Pages());
    begun = page_->Listen(settings_.http_listen);
    if (begun.ok()) {
      page_->Start();
    }
  }
  if (!begun.ok()) {
    base::MutexLock lock(mutex_);
    trouble_ = begun;
    return begun;
  }
  base::MutexLock lock(mutex_);
  for (command::Departing& client : std::exchange(between_, {})) {
    (void)port_.PassOn(client);  // it has just begun
  }
  return begun;
}

void GroupService::StopFollowing() {
  std::vector<command::Departing> left = port_.Stop();
  page_ = nullptr;
  {
    base::MutexLock lock(mutex_);
    if (!ends_clients_) {
      std::ranges::move(left, std::back_inserter(between_));
      return;
    }
  }
  port_.End();
}

server::ServiceSettings GroupService::ReadSettings(command::ReadGate& gate) {
  constexpr uint64_t kGraceNanos = 100'000'000;  // whoever takes over waits for it
  server::ServiceSettings settings = service_settings_;
  settings.connections.addresses.clear();
  settings.connections.tls_addresses.clear();
  settings.http_address.clear();
  settings.grace_nanos = std::min(settings.grace_nanos, kGraceNanos);
  settings.read_gate = &gate;
  settings.group = this;
  settings.follows = true;
  if (settings_.writes == "forward") {
    settings.connections.pass_on = [this](command::Departing client) { HandOn(std::move(client)); };
  }
  settings.connections.hand_on = [this](command::Departing client) { HandOn(std::move(client)); };
  return settings;
}

// Empty: there is no way to ask.
follower::AskLeader GroupService::Asking() {
  if (peers_ == nullptr) {
    return {};
  }
  return [this](uint64_t nanos, std::function<void(Result<follower::LeaderPoint>)> done) {
    peers_->ReadIndex(nanos, [done = std::move(done)](const Result<wire::ReadIndexReply>& reply) {
      done(reply.ok() ? Result<follower::LeaderPoint>(follower::LeaderPoint{
                            .tail = reply->sequence, .published = reply->published})
                      : reply.error());
    });
  };
}

Status GroupService::ServeReads(universe::FollowedUniverse& followed) {
  TakePrepared().reset();  // the lead did not come
  auto gate = std::make_unique<follower::FreshnessGate>(
      runtime_,
      follower::FreshnessGate::Followed{
          .complete_nanos = [&followed] { return followed.state().complete_nanos; },
          .await = [&followed](
                       uint64_t moment,
                       uint64_t deadline) { return followed.AwaitComplete(moment, deadline); },
          .await_shown = [&followed](
                             uint64_t sequence,
                             uint64_t deadline) { return followed.AwaitShown(sequence, deadline); },
          .shown_at_most = [&followed] { return followed.state().shown_at_most; }},
      Asking());
  auto reads = std::make_unique<server::Service>(runtime_, network_, ReadSettings(*gate));
  TRY(reads->Start(followed.universe()));
  freshness_gate_ = std::move(gate);
  if (peers_ != nullptr) {
    peers_->Follows(peers::FollowedHere{
        .hint = [&followed] { followed.Hint(); },
        .applied = [&followed] { return followed.state().applied; },
        .complete_nanos = [&followed] { return followed.state().complete_nanos; }});
  }
  base::MutexLock lock(mutex_);
  reads_ = std::move(reads);
  return {};
}

void GroupService::StopReads() {
  if (peers_ != nullptr) {
    peers_->Follows({});
  }
  std::unique_ptr<server::Service> reads;
  bool ends_clients = false;
  {
    base::MutexLock lock(mutex_);
    reads = std::move(reads_);
    stop_requested_ = stop_requested_ || (reads != nullptr && reads->stop_requested());
    ends_clients = ends_clients_;
  }
  if (freshness_gate_ != nullptr) {
    freshness_gate_->Stop();  // whoever takes over does not wait for who waits for the leader
  }
  if (reads != nullptr) {
    ends_clients ? reads->Stop() : reads->HandOn();
  }
  reads = nullptr;
  freshness_gate_ = nullptr;
}

bool GroupService::Takes() const {
  base::MutexLock lock(mutex_);
  return reads_ != nullptr;
}

bool GroupService::Take(command::Departing& client) {
  base::MutexLock lock(mutex_);
  if (reads_ == nullptr) {
    return false;
  }
  reads_->Give(std::move(client));
  return true;
}

// An older build among newer ones: it stops, so that whoever runs it hears of it.
void GroupService::CannotLead(const Error& error) {
  base::MutexLock lock(mutex_);
  trouble_ = trouble_.ok() ? Status(error) : trouble_;
}

server::HttpPage::Pages GroupService::Pages() {
  return {{"/metrics",
           [this] {
             return server::HttpAnswer{.body = server::GroupMetricsText(Standing()),
                                       .type = "text/plain; version=0.0.4; charset=utf-8"};
           }},
          {"/healthz", [] { return server::HttpAnswer{.body = "ok\n"}; }},
          {"/readyz", [this] { return Readiness(); }}};
}

// Ready is who gets clients to the leader.
server::HttpAnswer GroupService::Readiness() {
  const command::GroupStanding standing = Standing();
  if (standing.leader.empty()) {
    return {.status = 503, .body = standing.role + ": no server leads just now\n"};
  }
  const std::string who = standing.role + ": " + standing.leader + " leads\n";
  return settings_.writes == "forward" ? server::HttpAnswer{.body = "ready: " + who}
                                       : server::HttpAnswer{.status = 503, .body = who};
}

// --- The group ---

command::GroupStanding GroupService::Standing() {
  const tablet_server::Standing standing = server_->standing();
  std::optional<command::GroupStanding::Followed> followed;
  if (const auto state = server_->followed(); state.has_value()) {
    const uint64_t now = runtime_.clock().MonotonicNanos();
    const uint64_t complete = state->complete_nanos;
    followed = {.applied = state->applied,
                .behind_millis = complete == 0
                                     ? std::nullopt
                                     : std::optional((now - std::min(now, complete)) / 1'000'000),
                .trouble = state->trouble};
  }
  return {.role = standing.role,
          .epoch = standing.epoch,
          .server = server_->server(),
          .leader = standing.leader,
          .lease_left_millis = standing.lease_left_millis,
          .followers = peers_ != nullptr && standing.role == "leading"
                           ? peers_->followers()
                           : std::vector<command::GroupStanding::Follower>(),
          .terms = standing.terms,
          .failures = standing.failures,
          .last_error = standing.last_error,
          .takeover_millis = standing.takeover_millis,
          .removed = standing.removed,
          .offloaded = OffloadedOf(settings_.offload, standing.offloaded),
          .followed = std::move(followed)};
}

Status GroupService::Transfer(const std::string& target) {
  if (peers_ == nullptr || server_->replica().standing().role != replica::Role::kLeading) {
    return server_->replica().Transfer(target);
  }
  // Who is not prepared reads more while nobody leads.
  return Prepare(target,
                 [this, target](bool ready) { (void)server_->replica().Transfer(target, ready); });
}

// From here on the lead is given away whatever the target answers: its manifests may be taken. Who
// leads no more by then has nothing to give.
Status GroupService::Prepare(const std::string& target, std::function<void(bool ready)> then) {
  constexpr uint64_t kPrepareNanos = 600'000'000;
  TRY(server_->ExpectHandOver());
  peers_->Prepare(
      target, kPrepareNanos, [log = log_, target, then = std::move(then)](const Status& ready) {
        if (!ready.ok()) {
          log.Info("not-prepared", {{"server", target}, {"error", ready.error().ToString()}});
        }
        then(ready.ok());
      });
  return {};
}

std::string GroupService::Heir() const {
  const std::vector<std::string> removed = server_->standing().removed;
  std::vector<command::GroupStanding::Follower> followers = peers_->followers();
  std::erase_if(followers, [&removed](const auto& follower) {
    return std::ranges::find(removed, follower.server) != removed.end();
  });
  const auto most =
      std::ranges::max_element(followers, {}, &command::GroupStanding::Follower::applied);
  return most == followers.end() ? std::string() : most->server;
}

// Where it served it listens as a follower then, and who came by way of another server was given
// back to it.
bool GroupService::HasSentClientsOn() const {
  if (port_.addresses().empty()) {
    return false;
  }
  base::MutexLock lock(mutex_);
  return between_.empty() && port_.counts().returning == 0;
}

// Who just stops says so in the stream, where somebody has to look; to clients of other servers
// this is a pause of some milliseconds. Whoever is not ready for it is as good as the others.
void GroupService::GiveLeadAway() {
  constexpr uint64_t kPatienceNanos = 1'500'000'000;  // to prepare, to rest, to send clients on
  constexpr uint64_t kLookNanos = 1'000'000;
  if (peers_ == nullptr || server_->replica().standing().role != replica::Role::kLeading) {
    return;
  }
  const std::string heir = Heir();
  const auto refused = std::make_shared<std::atomic<bool>>(false);
  const auto give = [this, heir, refused](bool ready) {
    *refused = !ready || !server_->replica().Transfer(heir, ready).ok();
  };
  if (heir.empty() || !Prepare(heir, give).ok()) {
    return;
  }
  const uint64_t began = runtime_.clock().MonotonicNanos();
  while (!*refused && !HasSentClientsOn() &&
         runtime_.clock().MonotonicNanos() - began < kPatienceNanos) {
    runtime_.Sleep(kLookNanos);
  }
}

Status GroupService::Remove(const std::string& server) {
  return server_->Remove(server);
}

Status GroupService::Readmit(const std::string& server) {
  return server_->Readmit(server);
}

tablet_server::TabletServerOptions TabletServerOptionsOf(const server::Settings& settings,
                                                         base::Log log) {
  constexpr uint64_t kMillisecond = 1'000'000;
  const uint64_t lease = static_cast<uint64_t>(settings.lease) * kMillisecond;
  tablet_server::TabletServerOptions options;
  options.replica.server = server::AdvertisedAddress(settings);
  options.replica.peers = server::PeerAddress(settings);
  options.replica.tls = !settings.tls_listen.empty();
  options.replica.settings = {.lease_nanos = lease,
                              .jitter_nanos = lease / 20,
                              // A silent leader may be a dead one: it never rests.
                              .idle_nanos = std::numeric_limits<uint64_t>::max(),
                              .confirm = settings.confirm};
  options.offload = settings.offload;
  options.log = log;
  return options;
}

}  // namespace luna::lunad
