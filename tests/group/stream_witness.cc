#include "group/stream_witness.h"

#include <algorithm>
#include <variant>

#include "base/hash.h"
#include "engine/group/group.h"
#include "engine/group/records.h"

namespace luna::test {

const sim_kernel::StoredStream* StreamWitness::Find() {
  store_.wire().Advance();
  const auto& streams = store_.space("u").streams;
  const auto found = streams.find(group::kStreamName);
  return found == streams.end() ? nullptr : &found->second;
}

uint64_t StreamWitness::epoch() {
  const sim_kernel::StoredStream* const stream = Find();
  return stream == nullptr ? 0 : stream->view().state.epoch;
}

void StreamWitness::Blame(const std::string& what) {
  if (violation_.empty()) {
    violation_ = "the stream: " + what;
  }
}

void StreamWitness::Look() {
  const sim_kernel::StoredStream* const stream = Find();
  if (stream == nullptr) {
    return;
  }
  const journal::StreamState state = stream->view().state;
  if (state.epoch < epoch_ || state.released < released_ || state.tail < looked_upto_) {
    Blame("epoch, tail or release went back");
    return;
  }
  epoch_ = state.epoch;
  released_ = state.released;
  const auto& records = stream->records();
  if (looked_upto_ > released_ &&
      base::Hash(records[looked_upto_ - released_ - 1].payload) != newest_hash_) {
    Blame("record " + std::to_string(looked_upto_) + " is not what it was");
  }
  for (uint64_t at = looked_upto_ > released_ ? looked_upto_ - released_ : 0; at < records.size();
       ++at) {
    if (records[at].sequence != released_ + at + 1) {
      Blame("record " + std::to_string(records[at].sequence) + " stands where " +
            std::to_string(released_ + at + 1) + " should");
    }
    Note(records[at]);
  }
}

void StreamWitness::Note(const sim_kernel::StoredRecord& record) {
  const std::string which = "record " + std::to_string(record.sequence);
  if (record.epoch < record_epoch_) {
    Blame(which + " is of epoch " + std::to_string(record.epoch) + ", one before it of epoch " +
          std::to_string(record_epoch_));
  }
  looked_upto_ = record.sequence;
  record_epoch_ = record.epoch;
  newest_hash_ = base::Hash(record.payload);
  const auto decoded = group::Decode(record.payload);
  if (!decoded.ok()) {
    Blame(which + ": " + decoded.error().ToString());
    return;
  }
  if (decoded->envelope.epoch != record.epoch) {
    Blame(which + " says epoch " + std::to_string(decoded->envelope.epoch) +
          " but was appended under " + std::to_string(record.epoch));
  }
  NoteBody(which, record.epoch, *decoded);
  NoteTime(which, *decoded);
}

void StreamWitness::NoteBody(const std::string& which, uint64_t epoch,
                             const group::Decoded& decoded) {
  if (epoch == handed_over_) {
    Blame(which + " follows the Transfer of epoch " + std::to_string(epoch));
  }
  if (const auto* start = std::get_if<group::LeaderStart>(&decoded.body)) {
    const auto [leader, first] = leaders_.emplace(epoch, start->server);
    if (!first) {
      Blame(which + ": epoch " + std::to_string(epoch) + " begins a second time, led by " +
            start->server + ", before by " + leader->second);
    }
  } else if (std::holds_alternative<group::Transfer>(decoded.body)) {
    handed_over_ = epoch;
  }
}

void StreamWitness::NoteTime(const std::string& which, const group::Decoded& decoded) {
  if (std::holds_alternative<group::Renew>(decoded.body)) {
    closed_for_all_ = std::max(closed_for_all_, decoded.envelope.closed);
    return;
  }
  Timestamp timestamp = 0;
  if (const auto* commit = std::get_if<group::Commit>(&decoded.body)) {
    timestamp = commit->timestamp;
  } else if (const auto* abort = std::get_if<group::Abort>(&decoded.body)) {
    timestamp = abort->timestamp;
  } else {
    return;
  }
  Timestamp& newest = newest_[decoded.envelope.database];
  Timestamp& closed = closed_[decoded.envelope.database];
  closed = std::max(closed, closed_for_all_);
  if (timestamp <= newest || timestamp <= closed) {
    Blame(which + " commits at " + std::to_string(timestamp) + ", after " + std::to_string(newest) +
          " and a closed " + std::to_string(closed));
  }
  newest = timestamp;
  closed = std::max(closed, decoded.envelope.closed);
}

}  // namespace luna::test
