#include "protocols/lease_model.h"

#include <algorithm>

namespace luna::protocols {
namespace {

constexpr uint8_t kLeaderStart = 100;
constexpr uint8_t kAnyTail = 255;
constexpr int kLeaseUnits = 6;
constexpr int kWaitUnits = 12;

enum Broken : uint8_t { kWhole, kStaleRead, kAppendedAfterFence, kAppliedTwice };

uint8_t Bit(int write) {
  return Byte(1 << write);
}
bool IsWrite(uint8_t record) {
  return record < kLeaderStart;
}
char Name(int server) {
  return Byte('A' + server) & 0x7f;
}

uint8_t WritesIn(const LeaseState& state, int from, int upto) {
  int bits = 0;
  for (int at = from; at < std::min<int>(upto, state.tail); ++at) {
    if (IsWrite(state.records[at])) bits |= Bit(state.records[at]);
  }
  return Byte(bits);
}

bool HasRoom(const LeaseState& state) {
  return state.tail + 1 < kLeaseRecords;
}

void SendAppend(LeaseServer& server, uint8_t record, int at) {
  server.record = record;
  server.append_epoch = server.epoch;
  server.append_at = Byte(at);
  server.append = Flight::kSent;
}

}  // namespace

LeaseState LeaseModel::Initial() const {
  LeaseState state;
  LeaseServer& leader = state.servers[0];
  leader.role = LeaseRole::kLeader;
  leader.epoch = 1;
  leader.lease = setting_.confirm ? 0 : kLeaseUnits;
  if (setting_.confirm) return state;
  for (int server = 1; server < kLeaseServers; ++server) state.servers[server].seen_epoch = 1;
  return state;
}

std::string_view LeaseModel::Violation(const LeaseState& state) const {
  const uint8_t stored = WritesIn(state, 0, state.tail);
  if ((state.acked & ~stored) != 0) return "an acknowledged write is not in the stream";
  if ((state.failed & stored) != 0) return "a write that was answered failed is in the stream";
  if (state.broken == kAppendedAfterFence) return "a deposed leader appended after the fence";
  if (state.broken == kAppliedTwice) return "a write is in the stream twice";
  if (state.broken == kStaleRead) return "a strong read misses an acknowledged write";
  return "";
}

void LeaseModel::Next(const LeaseState& state, Steps<LeaseState>& steps) const {
  if (!setting_.confirm && state.servers[0].rate == 0) return ChooseRates(state, steps);
  if (!setting_.confirm) Tick(state, steps);
  for (int server = 0; server < kLeaseServers; ++server) {
    DeliverAppend(state, server, steps);
    DeliverFence(state, server, steps);
    Follow(state, server, steps);
    TryToLead(state, server, steps);
    Lead(state, server, steps);
    if (setting_.gives) {
      Give(state, server, steps);
      TakeGiven(state, server, steps);
    }
    HearAppend(state, server, steps);
    LoseAppendReply(state, server, steps);
    Resolve(state, server, steps);
    if (setting_.confirm) {
      ReadByConfirm(state, server, steps);
    } else {
      ReadByLease(state, server, steps);
    }
  }
  for (auto& step : steps.all()) Tidy(step.next);
}

void LeaseModel::ChooseRates(const LeaseState& state, Steps<LeaseState>& steps) const {
  for (const uint8_t rate : {setting_.slow, setting_.fast}) {
    LeaseState next = state;
    next.servers[0].rate = setting_.slow;
    next.servers[1].rate = rate;
    next.servers[2].rate = setting_.fast;
    steps.Add('-', "clock rates are chosen", next);
  }
}

// What nobody will look at and the stream would refuse is forgotten: fewer states.
void LeaseModel::Tidy(LeaseState& state) const {
  for (LeaseServer& server : state.servers) {
    if (server.fence == Flight::kLeft && server.fence_from < state.epoch) {
      server.fence = Flight::kNone;
    }
    if (server.fence == Flight::kNone) server.fence_from = server.fence_tail = 0;
    const bool fenced = server.append_epoch < state.epoch && !Is(LeaseMutant::kAppendIgnoresEpoch);
    const bool passed = server.append_at < state.tail && !Is(LeaseMutant::kAppendIgnoresTail);
    if (server.append == Flight::kLeft && (fenced || passed)) server.append = Flight::kNone;
    if (server.append == Flight::kNone && server.role != LeaseRole::kUnsure) {
      server.record = server.append_epoch = server.append_at = 0;
    }
  }
}

void LeaseModel::Tick(const LeaseState& state, Steps<LeaseState>& steps) const {
  LeaseState next = state;
  for (LeaseServer& server : next.servers) {
    server.lease = Byte(std::max(server.lease - server.rate, 0));
    server.pending_lease = Byte(std::max(server.pending_lease - server.rate, 0));
    if (server.role == LeaseRole::kFollower) {
      server.wait = Byte(std::min(server.wait + server.rate, kWaitUnits));
    }
  }
  steps.Add('-', "time passes", next);
}

// The stream compares epoch and position, and appends, in one operation.
void LeaseModel::DeliverAppend(const LeaseState& state, int server,
                               Steps<LeaseState>& steps) const {
  const LeaseServer& sender = state.servers[server];
  if (sender.append == Flight::kNone || sender.append == Flight::kNo) return;
  const bool late = sender.append == Flight::kLeft;
  const bool same_epoch = sender.append_epoch == state.epoch;
  const bool same_tail = sender.append_at == state.tail;
  LeaseState next = state;
  if ((same_epoch || Is(LeaseMutant::kAppendIgnoresEpoch)) &&
      (same_tail || Is(LeaseMutant::kAppendIgnoresTail))) {
    if (state.tail == kLeaseRecords) return;
    if (!same_epoch) next.broken = kAppendedAfterFence;
    if (IsWrite(sender.record) && (WritesIn(state, 0, state.tail) & Bit(sender.record)) != 0) {
      next.broken = kAppliedTwice;
    }
    next.records[next.tail++] = sender.record;
    if (!late) next.servers[server].append = Flight::kYes;
    steps.Add(Name(server), late ? "a late append is accepted" : "an append is accepted", next);
    return;
  }
  if (sender.append == Flight::kYes) {  // the first reply counts
    steps.Add(Name(server), "an append that comes twice is refused", next);
    return;
  }
  next.servers[server].append = late ? Flight::kNone : Flight::kNo;
  steps.Add(Name(server),
            !same_epoch ? "a deposed leader's late append is refused"
                        : "an append is refused: the tail has moved",
            next);
}

void LeaseModel::DeliverFence(const LeaseState& state, int server, Steps<LeaseState>& steps) const {
  const LeaseServer& sender = state.servers[server];
  if (sender.fence != Flight::kSent && sender.fence != Flight::kLeft) return;
  const bool late = sender.fence == Flight::kLeft;
  const bool same_epoch = Is(LeaseMutant::kFenceAcceptsEqual) ? sender.fence_from + 1 >= state.epoch
                                                              : sender.fence_from == state.epoch;
  const bool same_tail = sender.fence_tail == kAnyTail || sender.fence_tail == state.tail;
  LeaseState next = state;
  LeaseServer& after = next.servers[server];
  if (same_epoch && same_tail) {
    next.epoch = Byte(sender.fence_from + 1);
    after.fence = late ? Flight::kNone : Flight::kYes;
    steps.Add(Name(server), late ? "a late fence is accepted" : "a fence is accepted", next);
    return;
  }
  after.fence = late ? Flight::kNone : Flight::kNo;
  steps.Add(Name(server),
            !same_epoch ? "a fence is refused: somebody else fenced"
                        : "a fence is refused: the tail had moved",
            next);
}

// A candidate looks at the stream, waits, and fences what it saw. By confirm it fences at once.
void LeaseModel::Follow(const LeaseState& state, int server, Steps<LeaseState>& steps) const {
  const LeaseServer& follower = state.servers[server];
  if (follower.role != LeaseRole::kFollower) return;
  LeaseState next = state;
  LeaseServer& after = next.servers[server];
  const int seen_epoch = setting_.confirm ? state.epoch : follower.seen_epoch;
  if (!setting_.confirm && (follower.seen != state.tail || follower.seen_epoch != state.epoch)) {
    after.seen = state.tail;
    after.seen_epoch = state.epoch;
    after.wait = 0;
    steps.Add(Name(server), "a candidate sees something new and waits again", next);
    next = state;
  }
  const int wait = Is(LeaseMutant::kShortWait) ? kWaitUnits - setting_.fast : kWaitUnits;
  if (!setting_.confirm && follower.wait < wait) return;
  if (seen_epoch >= setting_.epochs) return;
  if (Is(LeaseMutant::kSkipFence)) {
    if (!HasRoom(state) || follower.append == Flight::kSent) return;
    steps.Add(Name(server), "a candidate starts without a fence",
              Started(state, server, state.epoch, state.tail));
    return;
  }
  after.role = LeaseRole::kFencing;
  after.wait = 0;
  after.fence_from = Byte(seen_epoch);
  after.fence_tail = setting_.confirm || Is(LeaseMutant::kFenceAnyTail) ? kAnyTail : follower.seen;
  after.fence = Flight::kSent;
  steps.Add(Name(server), "a candidate fences", next);
}

// The fence's reply: read the tail, then LeaderStart. Serving begins when that is in the stream.
void LeaseModel::TryToLead(const LeaseState& state, int server, Steps<LeaseState>& steps) const {
  const LeaseServer& candidate = state.servers[server];
  if (candidate.role != LeaseRole::kFencing) return;
  LeaseState next = state;
  LeaseServer& after = next.servers[server];
  if (candidate.fence == Flight::kYes && HasRoom(state)) {
    LeaseState started = Started(state, server, candidate.fence_from + 1, state.tail);
    started.servers[server].fence = Flight::kNone;
    if (Is(LeaseMutant::kServesBeforeTail)) started.servers[server].start = state.tail;
    steps.Add(Name(server), "a candidate reads the tail and writes LeaderStart", started);
  }
  after.role = LeaseRole::kFollower;
  after.fence = candidate.fence == Flight::kSent ? Flight::kLeft : Flight::kNone;
  steps.Add(Name(server),
            candidate.fence == Flight::kNo ? "a candidate hears that its fence was refused"
                                           : "a candidate gives up on its fence",
            next);
}

LeaseState LeaseModel::Started(const LeaseState& state, int server, int epoch, int applied) {
  LeaseState next = state;
  LeaseServer& leader = next.servers[server];
  leader.role = LeaseRole::kStarting;
  leader.epoch = Byte(epoch);
  leader.seen = leader.seen_epoch = leader.wait = 0;
  leader.start = 0;
  leader.applied = Byte(applied);
  SendAppend(leader, kLeaderStart, applied);
  leader.pending_lease = leader.rate == 0 ? 0 : kLeaseUnits;
  return next;
}

void LeaseModel::Lead(const LeaseState& state, int server, Steps<LeaseState>& steps) const {
  const LeaseServer& leader = state.servers[server];
  const bool idle = leader.append == Flight::kNone || leader.append == Flight::kLeft;
  if (leader.role != LeaseRole::kLeader || !idle) return;
  if (state.writes_sent == setting_.writes || leader.applied + 1 >= kLeaseRecords) return;
  LeaseState next = state;
  SendAppend(next.servers[server], next.writes_sent++, leader.applied);
  next.servers[server].pending_lease = setting_.confirm ? 0 : kLeaseUnits;
  steps.Add(Name(server), "a leader appends a write", next);
}

// A, once, when nothing of its own is on its way.
void LeaseModel::Give(const LeaseState& state, int server, Steps<LeaseState>& steps) const {
  const LeaseServer& leader = state.servers[server];
  const bool idle = leader.append == Flight::kNone || leader.append == Flight::kLeft;
  if (leader.role != LeaseRole::kLeader || !idle || leader.epoch != 1) return;
  if (state.word_epoch != 0) return;
  LeaseState next = state;
  LeaseServer& after = next.servers[server];
  next.word_epoch = leader.epoch;
  next.word_tail = leader.applied;
  if (!Is(LeaseMutant::kGivesAndReads) && !Is(LeaseMutant::kGivesAndAppends)) {
    StepDown(after);
    if (setting_.confirm) after.role = LeaseRole::kFollower;
    if (state.reader == server) ForgetRead(next);  // a read belongs to the epoch it began in
  }
  if (Is(LeaseMutant::kGivesAndAppends)) after.lease = 0;
  steps.Add(Name(server), "a leader gives its lead away", next);
}

// B is told, now or later; who gave it away takes it back when B does not come.
void LeaseModel::TakeGiven(const LeaseState& state, int server, Steps<LeaseState>& steps) const {
  if (state.word_epoch == 0 || state.word_epoch >= setting_.epochs || server == 2) return;
  if (state.servers[server].role != LeaseRole::kFollower) return;
  LeaseState next = state;
  LeaseServer& after = next.servers[server];
  after.role = LeaseRole::kFencing;
  after.wait = 0;
  after.fence_from = state.word_epoch;
  after.fence_tail = Is(LeaseMutant::kWordAnyTail) ? kAnyTail : state.word_tail;
  after.fence = Flight::kSent;
  steps.Add(Name(server), "who was given the lead fences", next);
}

void LeaseModel::HearAppend(const LeaseState& state, int server, Steps<LeaseState>& steps) const {
  const LeaseServer& sender = state.servers[server];
  if (sender.role != LeaseRole::kLeader && sender.role != LeaseRole::kStarting) return;
  LeaseState next = state;
  LeaseServer& after = next.servers[server];
  if (sender.append == Flight::kYes) {
    after.append = Flight::kLeft;
    after.applied = Byte(sender.append_at + 1);
    const bool from_ack = Is(LeaseMutant::kLeaseFromAck) && !setting_.confirm;
    after.lease = from_ack ? kLeaseUnits : std::max(sender.lease, sender.pending_lease);
    after.pending_lease = 0;
    after.role = LeaseRole::kLeader;
    if (IsWrite(sender.record)) next.acked |= Bit(sender.record);
    steps.Add(Name(server),
              IsWrite(sender.record) ? "a write is acknowledged" : "a new leader serves", next);
  }
  if (sender.append == Flight::kNo) {
    after.append = Flight::kNone;
    if (IsWrite(sender.record)) next.failed |= Bit(sender.record);
    StepDown(after);
    steps.Add(Name(server), "a leader hears that it is deposed", next);
  }
}

// No reply in time: the outcome is unknown, whatever it was.
void LeaseModel::LoseAppendReply(const LeaseState& state, int server,
                                 Steps<LeaseState>& steps) const {
  const LeaseServer& sender = state.servers[server];
  const bool waits = sender.append == Flight::kSent || sender.append == Flight::kYes ||
                     sender.append == Flight::kNo;
  if (!waits || sender.role != LeaseRole::kLeader) return;
  LeaseState next = state;
  LeaseServer& after = next.servers[server];
  after.append = sender.append == Flight::kNo ? Flight::kNone : Flight::kLeft;
  after.pending_lease = 0;
  if (Is(LeaseMutant::kUnknownIsFailed)) {
    next.failed |= Bit(sender.record);
  } else if (Is(LeaseMutant::kUnknownIsOk)) {
    next.acked |= Bit(sender.record);
    after.applied = Byte(sender.append_at + 1);
  } else {
    after.role = LeaseRole::kUnsure;
  }
  steps.Add(Name(server), "the outcome of an append is unknown", next);
}

// An unknown outcome becomes known by a fence: of its own, with the next epoch, or of another.
void LeaseModel::Resolve(const LeaseState& state, int server, Steps<LeaseState>& steps) const {
  const LeaseServer& unsure = state.servers[server];
  if (unsure.role != LeaseRole::kUnsure) return;
  LeaseState next = state;
  LeaseServer& after = next.servers[server];
  const bool idle = unsure.fence == Flight::kNone || unsure.fence == Flight::kLeft;
  if (idle && unsure.epoch == state.epoch && unsure.epoch < setting_.epochs) {
    after.fence_from = unsure.epoch;
    after.fence_tail = kAnyTail;
    after.fence = Flight::kSent;
    steps.Add(Name(server), "a leader fences itself", next);
    return;
  }
  if (unsure.epoch == state.epoch) return;  // its fence is on its way
  const bool stored = (WritesIn(state, 0, state.tail) & Bit(unsure.record)) != 0;
  (stored ? next.acked : next.failed) |= Bit(unsure.record);
  const bool own = unsure.fence == Flight::kYes;
  after.fence = Flight::kNone;  // the stream's epoch has moved: one on its way is refused
  if (own) {
    after.epoch = Byte(unsure.fence_from + 1);
    after.applied = state.tail;
    after.role = LeaseRole::kLeader;
  } else {
    StepDown(after);
  }
  steps.Add(Name(server),
            own ? "a fence of its own tells a leader what became of its append"
                : "a deposed leader learns what became of its append",
            next);
  if (own && unsure.fence == Flight::kYes) {  // or the reply is lost: it cannot know whose it was
    LeaseState lost = next;
    StepDown(lost.servers[server]);
    steps.Add(Name(server), "a deposed leader learns what became of its append", lost);
  }
}

void LeaseModel::StepDown(LeaseServer& server) {
  if (server.append == Flight::kSent || server.append == Flight::kYes) {
    server.append = Flight::kLeft;
  } else if (server.append == Flight::kNo) {
    server.append = Flight::kNone;
  }
  server.role = LeaseRole::kOut;
  server.epoch = server.start = server.applied = 0;
  server.seen = server.seen_epoch = server.wait = 0;
  server.lease = server.pending_lease = 0;
}

uint8_t LeaseModel::Memory(const LeaseState& state, int server) {
  return WritesIn(state, state.servers[server].start, state.servers[server].applied);
}

void LeaseModel::Answer(LeaseState& state) {
  if ((state.need & ~state.got) != 0) state.broken = kStaleRead;
  ForgetRead(state);
}

void LeaseModel::ForgetRead(LeaseState& state) {
  state.reader = state.read = state.need = state.got = 0;
  state.confirm = state.confirmed_epoch = state.asked_after = 0;
}

Report Check(const LeaseSetting& setting) {
  return Explore(LeaseModel(setting));
}

}  // namespace luna::protocols
