// The one strong read of LeaseModel. What it finds is taken when it arrives: a leader's memory only
// grows, so this is the worst moment.
#include "protocols/lease_model.h"

namespace luna::protocols {
namespace {

// By lease: the check that opens a round is shared by the requests that come during it, so it may
// be older than a request; or (check_after_arrival) each request has its own.
enum Phase : uint8_t { kIdle, kRoundOpen, kTaken, kUnchecked };
enum Confirmation : uint8_t { kNotAsked, kAsked, kReplied };

char Name(int server) {
  return Byte('A' + server) & 0x7f;
}

}  // namespace

void LeaseModel::BeginReadByLease(const LeaseState& state, int server,
                                  Steps<LeaseState>& steps) const {
  const LeaseServer& leader = state.servers[server];
  if (leader.role != LeaseRole::kLeader) return;
  LeaseState next = state;
  next.reader = Byte(server);
  if (setting_.check_after_arrival) {
    next.read = kUnchecked;
    next.need = state.acked;
    next.got = Memory(state, server);
    steps.Add(Name(server), "a read arrives", next);
  } else if (leader.lease > 0 || Is(LeaseMutant::kNoFirstCheck)) {
    next.read = kRoundOpen;
    steps.Add(Name(server), "a round of reads is opened by a look at the lease", next);
  }
}

void LeaseModel::ReadByLease(const LeaseState& state, int server, Steps<LeaseState>& steps) const {
  if (state.read == kIdle) return BeginReadByLease(state, server, steps);
  if (state.reader != server) return;
  const LeaseServer& leader = state.servers[server];
  const bool leads = leader.role == LeaseRole::kLeader;
  const bool valid = leads && leader.lease > 0;
  LeaseState next = state;
  if (state.read == kRoundOpen && leads) {
    next.read = kTaken;
    next.need = state.acked;
    next.got = Memory(state, server);
    steps.Add(Name(server), "a read arrives", next);
  } else if (state.read == kUnchecked && (valid || Is(LeaseMutant::kNoFirstCheck))) {
    next.read = kTaken;
    steps.Add(Name(server), "a read passes the first check", next);
  } else if (state.read == kTaken && (valid || Is(LeaseMutant::kNoSecondCheck))) {
    Answer(next);
    steps.Add(Name(server), "a read is answered", next);
  } else {
    ForgetRead(next);
    steps.Add(Name(server),
              state.read == kTaken ? "a read is refused by the second check" : "a read is refused",
              next);
  }
}

// By confirmation: one read of the stream's epoch, asked for after the request arrived.
void LeaseModel::ReadByConfirm(const LeaseState& state, int server,
                               Steps<LeaseState>& steps) const {
  const bool busy = state.read != kIdle || state.confirm != kNotAsked;
  if (busy && state.reader != server) return;
  const bool leads = state.servers[server].role == LeaseRole::kLeader;
  LeaseState next = state;
  next.reader = Byte(server);
  if (state.read == kIdle && leads && state.confirm != kReplied) {
    next.read = kTaken;
    next.need = state.acked;
    next.got = Memory(state, server);
    steps.Add(Name(server), "a read arrives", next);
    next.read = kIdle;
    next.need = next.got = 0;
  }
  if (state.confirm == kNotAsked && leads) {
    next.confirm = kAsked;
    next.asked_after = state.read == kTaken ? 1 : 0;
    steps.Add(Name(server), "a leader asks for the epoch", next);
  }
  if (state.confirm == kAsked) {
    next.confirm = kReplied;
    next.confirmed_epoch = state.epoch;
    steps.Add(Name(server), "the epoch is read", next);
  }
  if (state.confirm == kReplied) AnswerByConfirm(state, server, steps);
}

void LeaseModel::AnswerByConfirm(const LeaseState& state, int server,
                                 Steps<LeaseState>& steps) const {
  const LeaseServer& leader = state.servers[server];
  LeaseState next = state;
  if (leader.role != LeaseRole::kLeader || state.confirmed_epoch != leader.epoch) {
    ForgetRead(next);
    if (leader.role == LeaseRole::kLeader) StepDown(next.servers[server]);
    steps.Add(Name(server), "a read is refused: the epoch has moved", next);
    return;
  }
  if (state.read == kIdle) {
    // Other reads were waiting for this one; ours may still come before the reply is looked at.
    LeaseState arrived = state;
    arrived.read = kTaken;
    arrived.need = state.acked;
    arrived.got = Memory(state, server);
    steps.Add(Name(server), "a read arrives", arrived);
    ForgetRead(next);
    steps.Add(Name(server), "an epoch reply confirms other reads", next);
    return;
  }
  if (state.asked_after == 1 || Is(LeaseMutant::kConfirmAskedBefore)) {
    Answer(next);
    steps.Add(Name(server), "a read is answered", next);
  } else {
    next.confirm = next.confirmed_epoch = 0;
    steps.Add(Name(server), "an epoch reply is too old for a read", next);
  }
}

}  // namespace luna::protocols
