#include "simulation/sim_kernel/sim_reader.h"

#include "base/assert.h"
#include "base/try.h"

namespace luna::sim_kernel {

namespace {

struct Glance {
  uint64_t id = 0;  // 0: there is no such stream
  StreamView view = {};
};

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

Result<journal::StreamState> SimFollower::Look() {
  const std::string object = "stream/" + name_;
  const Glance glance = TRY(
      endpoint_->Ask<Glance>(object, Access::kRead, [name = name_](Space& space, const Arrival&) {
        const auto found = space.streams.find(name);
        return found == space.streams.end()
                   ? Glance{}
                   : Glance{.id = found->second.id(), .view = found->second.view()};
      }));
  if (glance.id == 0) {
    return Error(Reason::kStreamMissing, endpoint_->Where(object) + ": there is no such stream");
  }
  if (opened_ == nullptr || opened_->id != glance.id) {
    opened_ = std::make_shared<OpenedStream>(
        OpenedStream{.endpoint = endpoint_, .name = name_, .id = glance.id});
  }
  opened_->Learn(glance.view);
  return glance.view.state;
}

Result<std::unique_ptr<journal::StreamReader>> SimFollower::Read(Sequence after) {
  LUNA_ASSERT(opened_ != nullptr);
  if (after < opened_->view.state.released) {
    return opened_->Released(after);
  }
  return std::unique_ptr<journal::StreamReader>(std::make_unique<SimReader>(opened_, after));
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
