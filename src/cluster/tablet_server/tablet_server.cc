#include "cluster/tablet_server/tablet_server.h"

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "cluster/tablet_server/followed_reads.h"
#include "engine/group/oracle.h"
#include "engine/group/records.h"
#include "kernel/kernel_view.h"
#include "runtime/runtime.h"

namespace luna::tablet_server {

namespace {

constexpr uint64_t kMillisecond = 1'000'000;
// What was led ends so much later: whoever takes over needs the machines more.
constexpr uint64_t kClosingNanos = 20 * kMillisecond;
// Threads that mostly wait for workers.
constexpr uint32_t kOffloadThreads = 4;

// Renews the lease as long as it lives: the thread that does so otherwise is busy.
class Alive {
 public:
  Alive(runtime::Runtime& runtime, group::Group& group, uint64_t every_nanos)
      : over_(runtime.NewEvent()),
        thread_(runtime.Spawn("tablet-alive", runtime::ThreadClass::kForeground,
                              [this, &group, every_nanos] { Run(group, every_nanos); })) {}
  ~Alive() {
    over_->Set();
    thread_->Join();
  }
  Alive(const Alive&) = delete;
  Alive& operator=(const Alive&) = delete;

 private:
  void Run(group::Group& group, uint64_t every_nanos) {
    while (!over_->WaitFor(every_nanos)) {
      if (!group.Renew(false).ok()) {
        return;  // deposed; the replica has heard of it
      }
    }
  }

  const std::unique_ptr<runtime::Event> over_;
  const std::unique_ptr<runtime::Thread> thread_;
};

Error NotLed() {
  return Error(Reason::kFenced, "this server does not lead the group");
}

std::string RoleName(replica::Role role, bool serves) {
  switch (role) {
    case replica::Role::kFollowing:
      return "following";
    case replica::Role::kLeading:
      return serves ? "leading" : "taking-over";
    case replica::Role::kHandingOver:
      return "handing-over";
    case replica::Role::kFencing:
    case replica::Role::kCatchingUp:
    case replica::Role::kStarting:
      break;
  }
  return "taking-over";
}

}  // namespace

Result<std::unique_ptr<TabletServer>> TabletServer::Open(kernel::Kernel& kernel,
                                                         TabletServerOptions options,
                                                         Serving& serving) {
  options.universe.location = kernel.location();
  TRY(options.universe.Validate());
  auto server = std::make_unique<TabletServer>(kernel, std::move(options), serving);
  server->replica_ = TRY(replica::ReplicaServer::Open(kernel.runtime(), kernel.journal(),
                                                      server->options_.replica, *server));
  return server;
}

TabletServer::TabletServer(kernel::Kernel& kernel, TabletServerOptions options, Serving& serving)
    : kernel_(kernel),
      options_(std::move(options)),
      serving_(serving),
      stopping_(kernel.runtime().NewEvent()),
      reads_(std::make_unique<FollowedReads>(
          kernel_, options_, [this] { return standing().leader; }, serving_)) {}

TabletServer::~TabletServer() {
  Stop();
}

Status TabletServer::Start() {
  TRY(SendClientsOn());
  reads_->Start();
  replica_->Start();
  return {};
}

void TabletServer::Stop() {
  if (replica_ == nullptr || stopping_->IsSet()) {
    return;
  }
  stopping_->Set();
  replica_->Stop();
  (void)reads_->Stop();
  reads_->Await();
  if (std::exchange(follows_, false)) {
    serving_.StopFollowing();
  }
}

Standing TabletServer::standing() const {
  const replica::ReplicaServer::Standing now = replica_->standing();
  const replica::Nanos clock = kernel_.runtime().clock().MonotonicNanos();
  base::MutexLock lock(mutex_);
  Standing standing = told_;
  standing.role = RoleName(now.role, serves_);
  standing.epoch = now.epoch;
  // While the lead changes hands here, nobody is to be sent to who led before, or came here.
  const bool follows = now.role == replica::Role::kFollowing;
  const bool own = now.leader == options_.replica.server;
  standing.leader = follows != own && (follows || serves_) ? now.leader : "";
  standing.leader_peers = standing.leader.empty() ? "" : now.leader_peers;
  standing.leader_tls = !standing.leader.empty() && now.leader_tls;
  standing.offloaded = offloaded_.figures();
  standing.lease_left_millis = now.lease_end > clock ? (now.lease_end - clock) / kMillisecond : 0;
  return standing;
}

void TabletServer::ExpectLead(replica::Epoch epoch, journal::Sequence tail) {
  replica_->Expect();
  reads_->Expect(epoch, tail);
}

Status TabletServer::ExpectHandOver() {
  if (group_ == nullptr) {
    return NotLed();
  }
  group_->ExpectHandOver();
  return {};
}

bool TabletServer::is_ready_to_lead() const {
  return !reads_->reads();
}

std::optional<universe::FollowedState> TabletServer::followed() const {
  return reads_->state();
}

Status TabletServer::Configure(const std::function<Status(group::Group&)>& change) {
  TRY(group_ == nullptr ? Status(NotLed()) : change(*group_));
  base::MutexLock lock(mutex_);
  told_.removed = group_->Removed();
  return {};
}

Status TabletServer::Remove(const std::string& server) {
  return Configure([&](group::Group& group) { return group.Remove(server); });
}

Status TabletServer::Readmit(const std::string& server) {
  return Configure([&](group::Group& group) { return group.Readmit(server); });
}

std::optional<journal::Sequence> TabletServer::tail() const {
  base::MutexLock lock(mutex_);
  return led_ == nullptr ? std::nullopt : std::optional(led_->counts().tail);
}

std::optional<ReadPoint> TabletServer::read_point() const {
  base::MutexLock lock(mutex_);
  if (led_ == nullptr) {
    return std::nullopt;
  }
  const group::Group::Counts counts = led_->counts();
  return ReadPoint{.tail = counts.tail, .published = counts.published};
}

// --- The host of the replica ---

Status TabletServer::SendClientsOn() {
  follows_ = true;
  return serving_.Follow();
}

Status TabletServer::Lead(group::Leadership leadership, group::AppendObserver& observer) {
  const uint64_t renew_nanos = leadership.renew_nanos;
  auto inherited = reads_->Stop();
  if (options_.offload) {
    merges_ = std::make_unique<worker::OffloadedMerges>(
        kernel_, leadership.epoch,
        worker::OffloadOptions{.tally = &offloaded_, .log = options_.log});
  }
  const uint32_t own_threads = options_.universe.compaction_threads;
  const uint32_t threads =
      merges_ != nullptr ? std::max(kOffloadThreads, own_threads) : own_threads;
  auto led = TRY(universe::OpenLed(
      options_.universe, {.listener = options_.listener, .runtime = &kernel_.runtime()},
      {.kernel =
           kernel::NewKernelView(kernel_, {.flush_threads = 1, .compaction_threads = threads}),
       .leadership = std::move(leadership),
       .observer = &observer,
       .inherited = std::move(inherited),
       .merges = merges_.get()}));
  universe_ = std::move(led.universe);
  group_ = led.group;
  const Alive alive(kernel_.runtime(), *group_, renew_nanos);
  if (std::exchange(follows_, false)) {
    serving_.StopFollowing();
  }
  asked_to_serve_ = true;
  return serving_.Serve(*universe_);
}

Status TabletServer::BecomeLeader(group::Leadership leadership, group::AppendObserver& observer) {
  runtime::Clock& clock = kernel_.runtime().clock();
  const uint64_t began = clock.MonotonicNanos();
  const replica::Epoch epoch = leadership.epoch;
  options_.log.Info("taking-over", {{"epoch", epoch}});
  const Status led = Lead(std::move(leadership), observer);
  const uint64_t millis = (clock.MonotonicNanos() - began) / kMillisecond;
  if (!led.ok()) {
    options_.log.Error("take-over-failed",
                       {{"epoch", epoch}, {"millis", millis}, {"error", led.error().ToString()}});
    if (led.error().reason() == Reason::kNewerFormat) {
      serving_.CannotLead(led.error());
    }
  } else {
    options_.log.Info("leading", {{"epoch", epoch}, {"millis", millis}});
  }
  base::MutexLock lock(mutex_);
  told_.removed = led.ok() ? group_->Removed() : std::vector<std::string>();
  serves_ = led.ok();
  led_ = led.ok() ? group_ : nullptr;
  told_.terms += led.ok() ? 1 : 0;
  told_.failures += led.ok() ? 0 : 1;
  told_.last_error = led.ok() ? "" : led.error().ToString();
  told_.takeover_millis = led.ok() ? millis : told_.takeover_millis;
  return led;
}

void TabletServer::StopLeading(replica::Epoch epoch) {
  {
    base::MutexLock lock(mutex_);
    serves_ = false;
    told_.removed.clear();
    led_ = nullptr;
  }
  // Clients are sent to the leader at once: what ends below takes time, and may wait for the store.
  const bool returns = !follows_ && !stopping_->IsSet();
  const Status follows = returns ? SendClientsOn() : Status();
  if (returns) {
    (void)stopping_->WaitFor(kClosingNanos);
  }
  if (std::exchange(asked_to_serve_, false)) {
    serving_.StopServing();
  }
  group_ = nullptr;
  if (universe_ != nullptr) {
    // What it could not finish is the next leader's, which has the stream.
    (void)universe_->Close();
    universe_.reset();
    options_.log.Info("leads-no-more", {{"epoch", epoch}});
  }
  merges_.reset();
  if (returns && follows.ok()) {
    reads_->Start();
  }
  if (!follows.ok()) {
    options_.log.Error("cannot-follow", {{"error", follows.error().ToString()}});
    base::MutexLock lock(mutex_);
    told_.last_error = follows.error().ToString();
  }
}

std::vector<std::string> TabletServer::LimitsOf(replica::Epoch epoch) {
  constexpr size_t kMost = 256;  // the fence is small; readers of more wait a little
  const std::vector<catalog::DatabaseId> databases = reads_->databases();
  std::vector<std::string> records;
  if (databases.size() > kMost) {
    return records;
  }
  const Timestamp limit = group::LimitAt(kernel_.runtime().clock().WallMillis());
  for (const catalog::DatabaseId database : databases) {
    group::Encode({.epoch = epoch, .closed = 0, .database = database}, group::TsLimit{limit},
                  records.emplace_back());
  }
  return records;
}

Status TabletServer::Renew(bool resting) {
  return group_ == nullptr ? NotLed() : group_->Renew(resting);
}

Status TabletServer::HandOver(const std::string& target) {
  options_.log.Info("handing-over", {{"to", target.empty() ? "whoever comes first" : target}});
  if (group_ == nullptr) {
    return NotLed();
  }
  serving_.Rest();
  return group_->HandOver(target);
}

Result<journal::StreamState> TabletServer::Yield(const std::string& target) {
  options_.log.Info("handing-over", {{"to", target}, {"by", "word"}});
  if (group_ == nullptr) {
    return NotLed();
  }
  serving_.Rest();
  return group_->Yield(target);
}

}  // namespace luna::tablet_server
