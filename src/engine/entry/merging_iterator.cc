#include "engine/entry/merging_iterator.h"

#include <utility>

#include "base/assert.h"
#include "base/coding.h"

namespace luna::entry {
namespace {

// base::KeyHead without a call for the common length: it is taken at every step.
inline uint64_t HeadOf(std::string_view key) {
  return key.size() >= sizeof(uint64_t) ? __builtin_bswap64(base::LoadFixed64(key.data()))
                                        : base::KeyHead(key);
}

class EmptyIterator final : public EntryIterator {
 public:
  void SeekToFirst() override {}
  void SeekToLast() override {}
  void Seek(std::string_view, Timestamp) override {}
  void SeekForPrev(std::string_view, Timestamp) override {}
  void Next() override { LUNA_ASSERT(false && "Next of an iterator that is not valid"); }
  void Prev() override { LUNA_ASSERT(false && "Prev of an iterator that is not valid"); }
  Status status() const override { return {}; }
};

// Leaf i of the tree is source i, at place k + i; the inner places 1 .. k-1 hold the loser of the
// game between their children 2p and 2p + 1. The winner stands in winner_. When a winner wins
// again, the best of the losers it met is the runner-up: as long as the winner stays before it, no
// other game can change, and one comparison a step is enough.
class Merger final : public EntryIterator {
 public:
  explicit Merger(std::vector<std::unique_ptr<EntryIterator>> sources)
      : sources_(std::move(sources)),
        leaves_(sources_.size()),
        losers_(sources_.size()),
        winners_(2 * sources_.size()) {
    for (size_t i = 0; i < sources_.size(); ++i) {
      leaves_[i].source = sources_[i].get();
    }
  }

  void SeekToFirst() override {
    Place(true, [](EntryIterator& source) { source.SeekToFirst(); });
  }
  void SeekToLast() override {
    Place(false, [](EntryIterator& source) { source.SeekToLast(); });
  }
  void Seek(std::string_view key, Timestamp timestamp) override {
    Place(true, [&](EntryIterator& source) { source.Seek(key, timestamp); });
  }
  void SeekForPrev(std::string_view key, Timestamp timestamp) override {
    Place(false, [&](EntryIterator& source) { source.SeekForPrev(key, timestamp); });
  }
  void Next() override {
    LUNA_ASSERT(valid_);
    if (!forward_) [[unlikely]] {
      Turn(true);
      return;
    }
    leaves_[winner_].source->Next();
    Advance();
  }
  void Prev() override {
    LUNA_ASSERT(valid_);
    if (forward_) [[unlikely]] {
      Turn(false);
      return;
    }
    leaves_[winner_].source->Prev();
    Advance();
  }
  Status status() const override { return failed_ == nullptr ? Status() : failed_->status(); }

 private:
  struct Leaf {
    EntryIterator* source = nullptr;
    // The key's head, inverted when going backward so that the smaller always wins; all ones for a
    // source at its end, which a tie tells from a real head.
    uint64_t head = 0;
  };
  static constexpr uint32_t kNone = UINT32_MAX;

  template <typename Move>
  void Place(bool forward, Move move) {
    forward_ = forward;
    failed_ = nullptr;
    valid_ = false;
    for (uint32_t i = 0; i < leaves_.size(); ++i) {
      move(*leaves_[i].source);
      if (!Load(i)) {
        return;
      }
    }
    Build();
    Show();
  }

  // Takes up where a source stands now. False if the source failed: the merge stops with it.
  bool Load(uint32_t i) {
    Leaf& leaf = leaves_[i];
    if (leaf.source->Valid()) [[likely]] {
      const uint64_t head = HeadOf(leaf.source->entry().key);
      leaf.head = forward_ ? head : ~head;
      return true;
    }
    leaf.head = UINT64_MAX;
    if (!leaf.source->status().ok()) {
      failed_ = leaf.source;
      valid_ = false;
      return false;
    }
    return true;
  }

  // Whether leaf a comes out before leaf b in the present direction.
  bool Before(uint32_t a, uint32_t b) const {
    if (leaves_[a].head != leaves_[b].head) {
      return leaves_[a].head < leaves_[b].head;
    }
    return TieBefore(a, b);
  }

  bool TieBefore(uint32_t a, uint32_t b) const {
    const EntryIterator& left = *leaves_[a].source;
    const EntryIterator& right = *leaves_[b].source;
    if (!left.Valid() || !right.Valid()) {
      return left.Valid() || (!right.Valid() && a < b);
    }
    const std::strong_ordering order = Compare(left.entry().key, left.entry().timestamp,
                                               right.entry().key, right.entry().timestamp);
    if (order == 0) {
      return forward_ ? a < b : a > b;
    }
    return forward_ ? order < 0 : order > 0;
  }

  void Build() {
    const auto count = static_cast<uint32_t>(leaves_.size());
    for (uint32_t i = 0; i < count; ++i) {
      winners_[count + i] = i;
    }
    for (uint32_t place = count - 1; place >= 1; --place) {
      const uint32_t a = winners_[2 * place];
      const uint32_t b = winners_[2 * place + 1];
      const bool first = Before(a, b);
      winners_[place] = first ? a : b;
      losers_[place] = first ? b : a;
    }
    winner_ = winners_[1];
    runner_up_ = kNone;
  }

  // After the winner's source moved.
  void Advance() {
    if (!Load(winner_)) [[unlikely]] {
      return;
    }
    if (runner_up_ == kNone || !Before(winner_, runner_up_)) {
      Replay();
    }
    Show();
  }

  // Plays the winner's games again from its leaf to the root.
  void Replay() {
    const uint32_t before = winner_;
    uint32_t winner = winner_;
    for (uint32_t place = (static_cast<uint32_t>(leaves_.size()) + winner) / 2; place >= 1;
         place /= 2) {
      if (Before(losers_[place], winner)) {
        std::swap(losers_[place], winner);
      }
    }
    winner_ = winner;
    runner_up_ = winner == before ? BestLoser() : kNone;
  }

  uint32_t BestLoser() const {
    uint32_t place = (static_cast<uint32_t>(leaves_.size()) + winner_) / 2;
    uint32_t best = losers_[place];
    for (place /= 2; place >= 1; place /= 2) {
      if (Before(losers_[place], best)) {
        best = losers_[place];
      }
    }
    return best;
  }

  void Show() {
    const EntryIterator& source = *leaves_[winner_].source;
    valid_ = source.Valid();
    if (valid_) {
      entry_ = source.entry();
    }
  }

  // Turns round: every other source is placed anew beside the current entry, which the winner's
  // source holds still meanwhile. (Moving them one step from where they stand would not do: a
  // memtable may have got entries since.) Of equal entries those of earlier sources come first.
  void Turn(bool forward) {
    const Entry current = leaves_[winner_].source->entry();
    forward_ = forward;
    for (uint32_t i = 0; i < leaves_.size(); ++i) {
      EntryIterator& source = *leaves_[i].source;
      if (i == winner_) {
        continue;
      }
      if (forward) {
        source.Seek(current.key, current.timestamp);
        if (i < winner_ && Stands(source, current)) {
          source.Next();
        }
      } else {
        source.SeekForPrev(current.key, current.timestamp);
        if (i > winner_ && Stands(source, current)) {
          source.Prev();
        }
      }
      if (!Load(i)) {
        return;
      }
    }
    EntryIterator& turned = *leaves_[winner_].source;
    forward ? turned.Next() : turned.Prev();
    if (!Load(winner_)) {
      return;
    }
    Build();
    Show();
  }

  static bool Stands(const EntryIterator& source, const Entry& at) {
    return source.Valid() && source.entry().timestamp == at.timestamp &&
           source.entry().key == at.key;
  }

  const std::vector<std::unique_ptr<EntryIterator>> sources_;
  std::vector<Leaf> leaves_;
  std::vector<uint32_t> losers_;
  std::vector<uint32_t> winners_;
  uint32_t winner_ = 0;
  uint32_t runner_up_ = kNone;
  bool forward_ = true;
  const EntryIterator* failed_ = nullptr;
};

}  // namespace

std::unique_ptr<EntryIterator> NewMergingIterator(
    std::vector<std::unique_ptr<EntryIterator>> sources) {
  if (sources.empty()) {
    return std::make_unique<EmptyIterator>();
  }
  if (sources.size() == 1) {
    return std::move(sources.front());
  }
  return std::make_unique<Merger>(std::move(sources));
}

}  // namespace luna::entry
