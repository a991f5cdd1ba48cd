#include "cluster/peers/tablet_member.h"

#include <algorithm>
#include <utility>

#include "base/try.h"

namespace luna::peers {

namespace {

constexpr uint64_t kMilli = 1'000'000;
constexpr uint64_t kLookNanos = 5 * kMilli;  // whether what was hinted at is there
constexpr uint64_t kEndNanos = 1 * kMilli;   // whether it is ready

}  // namespace

void TabletMember::Follows(std::optional<FollowedHere> followed) {
  base::MutexLock lock(mutex_);
  followed_ = std::move(followed);
}

wire::StandingReply TabletMember::Standing() {
  const tablet_server::Standing standing = server_.standing();
  wire::StandingReply reply;
  reply.role = standing.role;
  reply.epoch = standing.epoch;
  reply.leader = {.clients = standing.leader, .peers = standing.leader_peers};
  if (const auto tail = server_.tail(); tail.has_value()) {
    reply.applied = *tail;
    reply.complete_age_millis = 0;
    return reply;
  }
  const uint64_t now = Now();
  base::MutexLock lock(mutex_);
  if (followed_.has_value()) {
    const uint64_t complete = followed_->complete_nanos();
    reply.applied = followed_->applied();
    reply.complete_age_millis =
        complete == 0 ? wire::StandingReply::kNever : (now - std::min(now, complete)) / kMilli;
  }
  return reply;
}

// The lease is looked at again after the stream: it was this leader's all the time between.
Result<wire::ReadIndexReply> TabletMember::ReadIndex(uint64_t /*budget_nanos*/) {
  replica::ReplicaServer& replica = server_.replica();
  const replica::ReadTicket ticket = TRY(replica.BeginRead());
  const auto point = server_.read_point();
  if (!point.has_value()) {
    return Error(Reason::kBackPressure, server_.server() + " is taking the lead; try again");
  }
  TRY(replica.EndRead(ticket));
  return wire::ReadIndexReply{
      .epoch = ticket.epoch, .sequence = point->tail, .published = point->published};
}

std::optional<Handover> TabletMember::HandedOver() {
  std::optional<replica::Given> given = server_.replica().standing().given;
  if (!given.has_value()) {
    return std::nullopt;
  }
  return Handover{.epoch = given->epoch,
                  .tail = given->tail,
                  .end = given->end,
                  .target = std::move(given->target)};
}

void TabletMember::Hint(const wire::Appended& hint) {
  const bool mine = hint.last && hint.target == server_.server();
  const replica::Hinted lead{
      .epoch = hint.epoch, .tail = hint.tail, .end = hint.end, .leader = hint.target, .mine = mine};
  if (hint.last) {
    server_.replica().Hint(lead);
  }
  if (mine) {
    server_.ExpectLead(hint.epoch + 1, hint.tail);
  } else if (hint.target.empty()) {
    Hint();  // not when another was named: what is read here waits, as that one needs the store
  }
}

void TabletMember::Hint() {
  base::MutexLock lock(mutex_);
  if (followed_.has_value()) {
    followed_->hint();
  }
}

Result<wire::PrepareReply> TabletMember::Prepare(uint64_t epoch, uint64_t budget_nanos) {
  const uint64_t began = Now();
  wire::PrepareReply reply;
  while (true) {
    Hint();
    {
      base::MutexLock lock(mutex_);
      const bool ready = followed_.has_value() && followed_->complete_nanos() >= began;
      if (ready || !followed_.has_value() || Now() - began + kLookNanos >= budget_nanos) {
        reply = {.applied = followed_.has_value() ? followed_->applied() : 0, .ready = ready};
        break;
      }
    }
    runtime_.Sleep(kLookNanos);
  }
  const bool leads = server_.replica().standing().seen_epoch == epoch;
  server_.ExpectLead(leads ? epoch + 1 : 0, 0);
  const uint64_t rest = budget_nanos / 8;  // for the answer to get there in time
  while (!server_.is_ready_to_lead() && Now() - began + rest < budget_nanos) {
    runtime_.Sleep(kEndNanos);
  }
  return reply;
}

}  // namespace luna::peers
