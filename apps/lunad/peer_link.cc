#include "apps/lunad/peer_link.h"

#include <algorithm>
#include <utility>

#include "base/mutex.h"
#include "base/try.h"
#include "base/writer.h"

#ifdef LUNA_RPC
#include "cluster/grpc_transport/grpc_transport.h"
#include "cluster/peers/peers.h"
#endif

namespace luna::lunad {

#ifdef LUNA_RPC

namespace {

constexpr uint64_t kMilli = 1'000'000;

class GrpcPeerLink final : public PeerLink {
 public:
  GrpcPeerLink(runtime::Runtime& runtime, const server::Settings& settings, std::string group,
               std::unique_ptr<transport::Transport> transport)
      : runtime_(runtime),
        settings_(settings),
        group_(std::move(group)),
        transport_(std::move(transport)) {}
  ~GrpcPeerLink() override { Stop(); }

  Status Start(tablet_server::TabletServer& server) override {
    auto talk = std::make_shared<Talk>(
        runtime_, *transport_, server,
        peers::PeersOptions{
            .group = group_,
            .self = {.clients = server.server(), .peers = server::PeerAddress(settings_)},
            .build = std::string(base::kVersion),
        });
    TRY(talk->peers.Start(settings_.peer_listen));
    base::MutexLock lock(mutex_);
    talk->self.Follows(std::exchange(followed_, std::nullopt));
    talk_ = std::move(talk);
    return {};
  }

  void Stop() override {
    std::shared_ptr<Talk> talk;
    {
      base::MutexLock lock(mutex_);
      talk = std::move(talk_);
    }
    if (talk != nullptr) {
      talk->peers.Stop();
    }
  }

  void Appended() override {
    if (const auto talk = current(); talk != nullptr) {
      talk->peers.Appended();
    }
  }

  void Follows(std::optional<peers::FollowedHere> followed) override {
    base::MutexLock lock(mutex_);
    if (talk_ != nullptr) {
      talk_->self.Follows(std::move(followed));
    } else {
      followed_ = std::move(followed);
    }
  }

  void Prepare(const std::string& server, uint64_t nanos,
               std::function<void(const Status& ready)> then) override {
    const auto talk = current();
    if (talk == nullptr) {
      then(Error(Reason::kUnreachable, "this server does not talk to others just now"));
      return;
    }
    // Who cannot be asked, or does not get there in time, reads more when it leads.
    talk->peers.Prepare(server, nanos,
                        [this, then = std::move(then)](const Result<wire::PrepareReply>& reply) {
                          base::MutexLock lock(mutex_);
                          if (talk_ != nullptr) {
                            then(Readiness(reply));
                          }
                        });
  }

  std::vector<command::GroupStanding::Follower> followers() override {
    std::vector<command::GroupStanding::Follower> followers;
    const uint64_t now = runtime_.clock().MonotonicNanos();
    if (const auto talk = current(); talk != nullptr) {
      for (const peers::Follower& follower : talk->peers.followers()) {
        followers.push_back({.server = follower.server.clients,
                             .applied = follower.applied,
                             .heard_millis = (now - std::min(now, follower.heard_nanos)) / kMilli});
      }
    }
    return followers;
  }

  void ReadIndex(uint64_t nanos, std::function<void(Result<wire::ReadIndexReply>)> done) override {
    const auto talk = current();
    if (talk == nullptr) {
      done(Error(Reason::kUnreachable, "this server does not talk to others just now"));
      return;
    }
    talk->peers.ReadIndex(nanos, std::move(done));
  }

 private:
  static Status Readiness(const Result<wire::PrepareReply>& reply) {
    if (!reply.ok()) {
      return reply.error();
    }
    return reply->ready ? Status()
                        : Status(Error(Reason::kBackPressure,
                                       "it has applied " + std::to_string(reply->applied) +
                                           " records, and not all that there were"));
  }

  struct Talk {
    Talk(runtime::Runtime& runtime, transport::Transport& transport,
         tablet_server::TabletServer& server, peers::PeersOptions options)
        : self(runtime, server), peers(runtime, transport, self, std::move(options)) {}
    peers::TabletMember self;
    peers::Peers peers;
  };

  std::shared_ptr<Talk> current() {
    base::MutexLock lock(mutex_);
    return talk_;
  }

  runtime::Runtime& runtime_;
  const server::Settings& settings_;
  const std::string group_;
  const std::unique_ptr<transport::Transport> transport_;
  base::Mutex mutex_;
  std::shared_ptr<Talk> talk_ GUARDED_BY(mutex_);                   // from Start to Stop
  std::optional<peers::FollowedHere> followed_ GUARDED_BY(mutex_);  // given before Start
};

}  // namespace

Result<std::unique_ptr<PeerLink>> PeerLink::Open(runtime::Runtime& runtime,
                                                 const server::Settings& settings,
                                                 const std::string& group) {
  if (settings.peer_listen.empty()) {
    return std::unique_ptr<PeerLink>();
  }
  auto transport =
      TRY(grpc_transport::OpenGrpcTransport(runtime, {.ca_file = settings.peer_tls_ca,
                                                      .certificate_file = settings.peer_tls_cert,
                                                      .key_file = settings.peer_tls_key}));
  return std::make_unique<GrpcPeerLink>(runtime, settings, group, std::move(transport));
}

#else

Result<std::unique_ptr<PeerLink>> PeerLink::Open(runtime::Runtime& /*runtime*/,
                                                 const server::Settings& settings,
                                                 const std::string& /*group*/) {
  if (settings.peer_listen.empty()) {
    return std::unique_ptr<PeerLink>();
  }
  return Error(Reason::kNotSupported,
               "peer-listen: this build has no gRPC; configure it with -DLUNA_RPC=ON, or leave "
               "peer-listen out");
}

#endif

}  // namespace luna::lunad
