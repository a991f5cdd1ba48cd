#include "simulation/sim_kernel/sim_reader.h"

#include "base/try.h"

namespace luna::sim_kernel {

namespace {

struct Page {
  Verdict verdict = Verdict::kMissing;
  StreamView view = {};
  std::vector<StoredRecord> records = {};
};

}  // namespace

void OpenedStream::Learn(const StreamView& news) {
  if (news.change > view.change) {
    view = news;
  }
}

Error OpenedStream::Missing() const {
  return Error(Reason::kStreamMissing, where() + ": there is no such stream any more");
}

Error OpenedStream::Released(Sequence after) const {
  return Error(Reason::kLostData, where() + ": record " + std::to_string(after + 1) +
                                      " was released; records are kept after " +
                                      std::to_string(view.state.released));
}

Result<std::optional<journal::Record>> SimReader::Next() {
  if (next_ == fetched_.size()) {
    TRY(Fetch());
  }
  if (next_ == fetched_.size()) {
    return std::optional<journal::Record>();
  }
  const StoredRecord& record = fetched_[next_++];
  after_ = record.sequence;
  return std::optional(journal::Record{
      .sequence = record.sequence, .epoch = record.epoch, .payload = record.payload});
}

Status SimReader::Fetch() {
  fetched_.clear();
  next_ = 0;
  Page page = TRY(opened_->endpoint->Ask<Page>(
      opened_->object(), Access::kRead,
      [name = opened_->name, id = opened_->id, after = after_](Space& space, const Arrival&) {
        Page found;
        if (const StoredStream* stream = space.FindStream(name, id)) {
          found.view = stream->view();
          found.verdict = stream->Read(after, found.records);
        }
        return found;
      }));
  if (page.verdict == Verdict::kMissing) {
    return opened_->Missing();
  }
  opened_->Learn(page.view);
  if (page.verdict == Verdict::kReleased) {
    return opened_->Released(after_);
  }
  fetched_ = std::move(page.records);
  return {};
}

}  // namespace luna::sim_kernel
