#include "group/group_server.h"

#include "base/try.h"

namespace luna::test {

namespace {

constexpr uint64_t kMillisecond = 1'000'000;

}  // namespace

GroupServer::GroupServer(sim_kernel::SimStore& store, simulation::SimulatedRuntime& world,
                         const ServerSettings& settings)
    : store_(store),
      name_(settings.name),
      runtime_(world, settings.rate_per_million, settings.wall_ahead_millis) {
  while (kernel_ == nullptr) {
    auto opened = sim_kernel::SimKernel::Open(store, runtime_, "sim:u", {}, settings.faults);
    if (opened.ok()) {
      kernel_ = std::move(opened).value();
    } else {
      runtime_.Sleep(kMillisecond);
    }
  }
  follower_ = std::make_unique<GroupFollower>(
      *kernel_,
      FollowerSettings{.options = settings.host.options,
                       .look_nanos = settings.look_nanos,
                       .grace_nanos = settings.host.removal.grace_nanos,
                       .travel_nanos = settings.travel_nanos,
                       .ask_leader = [this, find = settings.find] { return AskLeader(find); }},
      settings.seed);
  host_ = std::make_unique<EngineHost>(*kernel_, settings.host, *follower_);
  replica_ =
      replica::ReplicaServer::Open(
          runtime_, kernel_->journal(),
          {.settings = settings.replica,
           .server = settings.name,
           .appended = [appended = settings.appended, name = settings.name] { appended(name); },
           .segment_bytes = settings.segment_bytes},
          *host_)
          .value();
  follower_->Start();
  replica_->Start();
}

GroupServer::~GroupServer() {
  Stop();
  follower_ = nullptr;  // its questions go through the replica to the end
}

void GroupServer::Stop() {
  runtime_.PauseUntil(0);
  replica_->Stop();  // once is enough, and it knows
  (void)follower_->Stop();
}

// Never holds on to itself.
Result<follower::LeaderPoint> GroupServer::AskLeader(const ServerSettings::Find& find) {
  const std::string name = replica_->standing().leader;
  const auto leader = name == name_ || !alive() ? nullptr : find(name);
  if (leader == nullptr) {
    return Error(Reason::kUnreachable, "nobody is there");
  }
  return leader->TellPoint();
}

Result<follower::LeaderPoint> GroupServer::TellPoint() {
  const replica::ReadTicket ticket = TRY(replica_->BeginRead());
  runtime_.Yield();
  const auto counts = host_->With([](Led& led) { return led.group->counts(); });
  runtime_.Yield();
  TRY(replica_->EndRead(ticket));
  if (!counts.has_value() || !alive()) {
    return Error(Reason::kUnreachable, "it does not lead");
  }
  return follower::LeaderPoint{.tail = counts->tail, .published = counts->published};
}

void GroupServer::Kill() {
  runtime_.PauseUntil(0);
  store_.wire().Kill(kernel_->server());
}

}  // namespace luna::test
