#include "simulation/sim_transport/sim_net.h"

#include "base/assert.h"
#include "base/try.h"
#include "runtime/network.h"

namespace luna::sim_transport {

namespace {

// Addresses of the simulation need no numbers.
std::string HostOf(const std::string& address) {
  return address.substr(0, address.rfind(':'));
}

}  // namespace

SimNet::~SimNet() {
  for (const auto& fiber : fibers_) {
    fiber->thread->Join();
  }
}

// --- Bad luck ---

void SimNet::SetCut(const std::string& from, const std::string& to, bool cut) {
  trace_.Add(cut ? "net cut" : "net mended", {}, from + " to " + to);
  if (cut) {
    cuts_.insert({from, to});
  } else {
    cuts_.erase({from, to});
  }
}

void SimNet::Kill(const std::string& host) {
  trace_.Add("net kill", {}, host);
  for (Life& life : lives_) {
    if (life.host == host && life.alive) {
      life.alive = false;
      if (life.end) {
        life.end();
      }
    }
  }
  for (auto place = places_.begin(); place != places_.end();) {
    if (lives_[place->second->life].alive) {
      ++place;
    } else {
      killed_.emplace_back(place->first, place->second);
      place = places_.erase(place);
    }
  }
}

// --- Lives and addresses ---

LifeId SimNet::Join(const std::string& host) {
  lives_.push_back({.host = host, .end = {}});
  return lives_.size() - 1;
}

void SimNet::AtEnd(LifeId life, std::function<void()> end) {
  lives_[life].end = std::move(end);
}

Result<std::string> SimNet::Open(LifeId life, const std::string& address, Handler handler) {
  runtime::HostAndPort real = TRY(runtime::ParseAddress(address));
  if (HostOf(address) != lives_[life].host) {
    return Error(Reason::kBadOption, address + " is no address of " + lives_[life].host);
  }
  if (real.port == 0) {
    real.port = next_port_++;
  }
  std::string open = runtime::FormatAddress(real);
  auto place = std::make_shared<Place>();
  place->life = life;
  place->handler = std::move(handler);
  place->idle = world_.NewEvent();
  place->idle->Set();
  if (!places_.emplace(open, std::move(place)).second) {
    return Error(Reason::kAddressInUse, "another server listens on " + open);
  }
  return open;
}

void SimNet::Close(LifeId life, const std::string& address) {
  std::shared_ptr<Place> place;
  if (const auto found = places_.find(address);
      found != places_.end() && found->second->life == life) {
    place = found->second;
    places_.erase(found);
  }
  for (const auto& [where, killed] : killed_) {
    place = where == address && killed->life == life ? killed : place;
  }
  LUNA_ASSERT(place != nullptr);
  place->idle->Wait();
  std::erase_if(killed_, [&](const auto& killed) { return killed.second == place; });
}

// --- Messages ---

// A Join lets others run, so the fibers are taken out first.
void SimNet::Reap() {
  std::vector<std::unique_ptr<Fiber>> ended;
  for (auto& fiber : fibers_) {
    if (fiber->ended && fiber->thread != nullptr) {
      ended.push_back(std::move(fiber));
    }
  }
  std::erase(fibers_, nullptr);
  for (const auto& fiber : ended) {
    fiber->thread->Join();
  }
}

void SimNet::Carry(LifeId from, const std::string& address, const std::string& bytes,
                   Arrived arrived) {
  Reap();
  const int copies = random_.Chance(faults_.twice_per_mille) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    auto fiber = std::make_unique<Fiber>();
    Fiber* const self = fiber.get();
    fibers_.push_back(std::move(fiber));
    self->thread = world_.Spawn("net-request", runtime::ThreadClass::kForeground,
                                [this, self, from, address, bytes, arrived] {
                                  Deliver(from, address, bytes, arrived);
                                  self->ended = true;
                                });
  }
}

void SimNet::Travel() {
  const uint64_t width = faults_.delay_most_nanos - faults_.delay_least_nanos;
  const uint64_t nanos = faults_.delay_least_nanos + (width == 0 ? 0 : random_.Below(width + 1));
  if (nanos > 0) {
    world_.Sleep(nanos);
  }
}

void SimNet::Deliver(LifeId from, const std::string& address, const std::string& bytes,
                     const Arrived& arrived) {
  const std::string sender = lives_[from].host;
  const std::string receiver = HostOf(address);
  trace_.Add("net send", {from, bytes.size()}, address);
  const bool lost_request = random_.Chance(faults_.lost_request_per_mille);
  const bool lost_reply = random_.Chance(faults_.lost_reply_per_mille);
  Travel();
  if (lost_request || IsCut(sender, receiver)) {
    trace_.Add("net lost request", {from}, address);
    return;
  }
  std::optional<std::string> reply;
  if (const auto found = places_.find(address); found != places_.end()) {
    const std::shared_ptr<Place> place = found->second;
    ++place->handling;
    place->idle->Reset();
    reply = place->handler(bytes);
    if (--place->handling == 0) {
      place->idle->Set();
    }
    if (!alive(place->life)) {
      return;
    }
  }
  Travel();
  if (lost_reply || IsCut(receiver, sender) || !alive(from)) {
    trace_.Add("net lost reply", {from}, address);
    return;
  }
  arrived(std::move(reply));
}

}  // namespace luna::sim_transport
