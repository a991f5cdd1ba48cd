#include "service/connection/surroundings.h"

#include <utility>

namespace luna::connection {

void Surroundings::Register(std::shared_ptr<ClientCard> card) {
  const base::MutexLock lock(mutex_);
  const uint64_t id = card->id();
  cards_[id] = std::move(card);
}

void Surroundings::Forget(const ClientCard& card) {
  const base::MutexLock lock(mutex_);
  cards_.erase(card.id());
}

std::vector<std::shared_ptr<ClientCard>> Surroundings::Cards() const {
  std::vector<std::shared_ptr<ClientCard>> cards;
  const base::MutexLock lock(mutex_);
  cards.reserve(cards_.size());
  for (const auto& [id, card] : cards_) {
    cards.push_back(card);
  }
  return cards;
}

void Surroundings::Complain(std::string_view event, const std::string& peer,
                            std::string_view reason) {
  if (!settings.log.Wants(base::LogLevel::kWarning)) {
    return;
  }
  if (const auto silent = throttle_.Admit(now()); silent.has_value()) {
    settings.log.Warning(event, {{"peer", peer}, {"reason", reason}, {"untold", *silent}});
  }
}

void Surroundings::Count(const Tally& tally) {
  commands_.Add(tally.commands);
  errors_.Add(tally.errors);
  bytes_in_.Add(tally.bytes_in);
  bytes_out_.Add(tally.bytes_out);
}

Surroundings::Totals Surroundings::Now() const {
  return {accepted_.value(), refused_.value(),  commands_.value(),
          errors_.value(),   bytes_in_.value(), bytes_out_.value()};
}

void Surroundings::Fill(command::ServiceCounts& counts) const {
  const Totals totals = Now();
  const base::MutexLock lock(mutex_);
  counts.connections = open.load();
  counts.connections_accepted = totals[0] - before_[0];
  counts.connections_refused = totals[1] - before_[1];
  counts.commands = totals[2] - before_[2];
  counts.errors = totals[3] - before_[3];
  counts.bytes_in = totals[4] - before_[4];
  counts.bytes_out = totals[5] - before_[5];
}

void Surroundings::ResetCounts() {
  const base::MutexLock lock(mutex_);
  before_ = Now();
}

}  // namespace luna::connection
