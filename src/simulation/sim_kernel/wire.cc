#include "simulation/sim_kernel/wire.h"

#include <algorithm>

#include "base/assert.h"

namespace luna::sim_kernel {

namespace {

constexpr uint64_t kNanosPerMilli = 1'000'000;

}  // namespace

// --- Servers ---

ServerId Wire::Join(const SimFaults& faults) {
  servers_.push_back({.faults = faults});
  return servers_.size() - 1;
}

void Wire::SetFaults(ServerId server, const SimFaults& faults) {
  Advance();
  servers_[server].faults = faults;
}

void Wire::SetCut(ServerId server, Cut cut) {
  Advance();
  trace_.Add("cut", {server, static_cast<uint64_t>(cut)});
  servers_[server].cut = cut;
  if (cut == Cut::kHold) {
    return;
  }
  std::vector<LetterPtr> held;
  held.swap(held_);
  for (LetterPtr& letter : held) {
    if (letter->server != server) {
      held_.push_back(std::move(letter));
    } else if (cut == Cut::kNone) {
      const uint64_t due_nanos = Now() + Draw(servers_[server].faults.request_delay);
      Insert(std::move(letter), due_nanos);
    }
  }
  Poke([&](const Waiter& waiter) { return waiter.server == server || waiter.wants_all; });
}

void Wire::Kill(ServerId server) {
  Advance();
  trace_.Add("kill", {server});
  servers_[server].alive = false;
  std::erase_if(held_, [&](const LetterPtr& letter) { return letter->server == server; });
  Poke([&](const Waiter& waiter) { return waiter.server == server; });
}

// --- Waiting ---

Fate Wire::Exchange(ServerId server, runtime::Runtime& runtime, Request request) {
  runtime.Yield();
  if (!alive(server)) {
    return Fate::kNotSent;
  }
  const uint64_t deadline = Now() + faults(server).timeout_millis * kNanosPerMilli;
  Waiter waiter{.server = server, .wants_all = false, .event = runtime.NewEvent()};
  const LetterPtr letter = Send(server, std::move(request), /*awaited=*/true);
  Advance();
  while (!letter->answered && alive(server) && Now() < deadline) {
    Doze(waiter, std::min(deadline, letter->due_nanos.value_or(deadline)));
  }
  letter->awaited = false;
  const Fate fate = letter->answered ? Fate::kAnswered : Fate::kUnknown;
  trace_.Add("fate", {letter->number, static_cast<uint64_t>(fate)});
  return fate;
}

void Wire::Post(ServerId server, Request request) {
  if (alive(server)) {
    Send(server, std::move(request), /*awaited=*/false);
  }
}

bool Wire::Await(ServerId server, runtime::Runtime& runtime, uint64_t nanos,
                 const std::function<bool()>& done) {
  const uint64_t now_nanos = Now();
  const uint64_t deadline = now_nanos + std::min(nanos, ~now_nanos);
  Waiter waiter{.server = server, .wants_all = true, .event = runtime.NewEvent()};
  Advance();
  while (!done() && alive(server) && Now() < deadline) {
    const uint64_t next = travelling_.empty() ? deadline : travelling_.begin()->first.first;
    Doze(waiter, std::min(deadline, next));
  }
  return done();
}

void Wire::Doze(Waiter& waiter, uint64_t until_nanos) {
  const uint64_t now_nanos = Now();
  waiter.event->Reset();
  dozing_.push_back(&waiter);
  waiter.event->WaitFor(until_nanos - std::min(until_nanos, now_nanos));
  std::erase(dozing_, &waiter);
  Advance();
}

// Waking one may let others run, who begin or end to doze.
void Wire::Poke(const std::function<bool(const Waiter&)>& whom) {
  std::vector<Waiter*> left = dozing_;
  while (!left.empty()) {
    Waiter* const waiter = left.back();
    left.pop_back();
    if (std::find(dozing_.begin(), dozing_.end(), waiter) != dozing_.end() && whom(*waiter)) {
      waiter->event->Set();
    }
  }
}

// --- Messages ---

uint64_t Wire::Draw(const MillisRange& range) {
  LUNA_ASSERT(range.least <= range.most);
  const uint64_t width = (range.most - range.least) * kNanosPerMilli;
  return range.least * kNanosPerMilli + (width == 0 ? 0 : random_.Below(width + 1));
}

Wire::LetterPtr Wire::Send(ServerId server, Request request, bool awaited) {
  const SimFaults& faults = servers_[server].faults;
  auto letter = std::make_shared<Letter>();
  letter->number = ++letters_;
  letter->server = server;
  letter->request = std::move(request);
  letter->awaited = awaited;
  uint64_t delay_nanos = Draw(faults.request_delay);
  const bool late = random_.Chance(faults.late_per_mille);
  if (late) {
    delay_nanos = faults.timeout_millis * kNanosPerMilli + 1 + Draw(faults.late);
  }
  const bool lost = random_.Chance(faults.lost_request_per_mille);
  trace_.Add(lost ? "lost request" : "send", {letter->number, server, delay_nanos},
             letter->request.object);
  if (!lost) {
    Insert(letter, Now() + delay_nanos);
    Poke([](const Waiter& waiter) { return waiter.wants_all; });
  }
  return letter;
}

void Wire::Hint(ServerId server, std::function<void()> deliver) {
  const SimFaults& faults = servers_[server].faults;
  const uint64_t delay_nanos = Draw(faults.reply_delay);
  if (random_.Chance(faults.lost_hint_per_mille)) {
    trace_.Add("lost hint", {server});
    return;
  }
  auto letter = std::make_shared<Letter>();
  letter->number = ++letters_;
  letter->server = server;
  letter->request.act = [deliver = std::move(deliver)](const Arrival&) { deliver(); };
  letter->way = Letter::Way::kHint;
  Insert(std::move(letter), Now() + delay_nanos);
}

void Wire::Insert(LetterPtr letter, uint64_t due_nanos) {
  letter->due_nanos = due_nanos;
  travelling_.emplace(std::pair(due_nanos, ++sequence_), std::move(letter));
}

void Wire::Advance() {
  LUNA_ASSERT(!advancing_ && "an act must not look at the store in the way its callers do");
  advancing_ = true;
  while (!travelling_.empty() && travelling_.begin()->first.first <= Now()) {
    const auto first = travelling_.begin();
    const uint64_t now_nanos = first->first.first;
    const LetterPtr letter = std::move(first->second);
    travelling_.erase(first);
    letter->due_nanos.reset();
    Arrive(letter, now_nanos);
  }
  advancing_ = false;
}

void Wire::Arrive(const LetterPtr& letter, uint64_t now_nanos) {
  const Server& server = servers_[letter->server];
  const bool request = letter->way == Letter::Way::kRequest;
  if (server.cut == Cut::kDrop || (!request && !server.alive)) {
    trace_.Add("dropped", {letter->number});
    return;
  }
  if (server.cut == Cut::kHold) {
    trace_.Add("held", {letter->number});
    held_.push_back(letter);
    return;
  }
  if (request) {
    Apply(letter, now_nanos);
  } else if (letter->way == Letter::Way::kReply) {
    letter->answered = true;
  } else {
    letter->request.act({});
  }
}

std::optional<uint64_t> Wire::Stalled(Letter& letter, uint64_t now_nanos) {
  const SimFaults& faults = servers_[letter.server].faults;
  uint64_t& until_nanos = stalled_until_[letter.request.object];
  if (!letter.met_stall) {
    letter.met_stall = true;
    if (random_.Chance(faults.stall_per_mille)) {
      until_nanos = std::max(until_nanos, now_nanos + Draw(faults.stall));
    }
  }
  if (until_nanos > now_nanos) {
    return until_nanos;
  }
  stalled_until_.erase(letter.request.object);
  return std::nullopt;
}

void Wire::Apply(const LetterPtr& letter, uint64_t now_nanos) {
  const SimFaults& faults = servers_[letter->server].faults;
  if (const std::optional<uint64_t> until_nanos = Stalled(*letter, now_nanos)) {
    trace_.Add("stalled", {letter->number, *until_nanos});
    Insert(letter, *until_nanos);
    return;
  }
  trace_.Add("arrive", {letter->number, letter->awaited ? 0u : 1u});
  letter->request.act({.late = !letter->awaited});
  if (!letter->awaited) {
    return;
  }
  if (random_.Chance(faults.lost_reply_per_mille)) {
    trace_.Add("lost reply", {letter->number});
    return;
  }
  uint64_t delay_nanos = Draw(faults.reply_delay);
  if (letter->request.reads && random_.Chance(faults.slow_read_per_mille)) {
    delay_nanos += Draw(faults.slow_read);
  }
  letter->way = Letter::Way::kReply;
  Insert(letter, now_nanos + delay_nanos);
}

}  // namespace luna::sim_kernel
