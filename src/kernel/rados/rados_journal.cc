#include "kernel/rados/rados_journal.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "base/mutex.h"
#include "base/try.h"
#include "kernel/journal/names.h"
#include "kernel/rados/chain.h"
#include "kernel/rados/rados_reader.h"
#include "kernel/rados/rados_stream.h"

namespace luna::rados {

namespace {

using journal::CheckName;

constexpr uint64_t kCopyBytes = uint64_t{4} << 20;
constexpr int kMaxCopies = 10;  // each one is void when a segment was released meanwhile

// Outlives the journal while streams do.
struct OpenStreams {
  base::Mutex mutex;
  std::set<std::string> names GUARDED_BY(mutex);
};

class RadosJournal final : public journal::Journal {
 public:
  explicit RadosJournal(std::shared_ptr<Space> space)
      : space_(std::move(space)), open_(std::make_shared<OpenStreams>()) {}

  Result<std::unique_ptr<journal::Stream>> Open(const std::string& name,
                                                const journal::StreamOptions& options) override;
  Result<std::unique_ptr<journal::StreamFollower>> Follow(const std::string& name) override;
  Result<bool> Exists(const std::string& name) override;
  Result<std::vector<std::string>> List() override;
  Status Remove(const std::string& name) override;
  Status Link(const std::string& name, const std::string& directory) override;

 private:
  Status Claim(const std::string& name);
  Status Find(Chain& chain, const std::string& name, bool create);
  Status RemoveClaimed(const std::string& name);
  Status FinishRemoval(const std::string& name, const Head& head);
  // False when a segment was released on the way.
  Result<bool> Copy(Chain& chain, Space& target);
  Result<bool> CopySegment(const Segment& segment, Space& target);

  const std::shared_ptr<Space> space_;
  const std::shared_ptr<OpenStreams> open_;
};

void Unclaim(OpenStreams& open, const std::string& name) {
  base::MutexLock lock(open.mutex);
  open.names.erase(name);
}

Status RadosJournal::Claim(const std::string& name) {
  base::MutexLock lock(open_->mutex);
  if (!open_->names.insert(name).second) {
    return Error(Reason::kStreamExists, space_->Where(std::string(kStreamPrefix) + name) +
                                            ": the stream is open; close it first");
  }
  return {};
}

Result<std::unique_ptr<journal::Stream>> RadosJournal::Open(const std::string& name,
                                                            const journal::StreamOptions& options) {
  TRY(CheckName(name));
  TRY(Claim(name));
  auto chain = std::make_shared<Chain>(space_, name);
  if (const Status found = Find(*chain, name, options.create); !found.ok()) {
    Unclaim(*open_, name);
    return found.error();
  }
  return RadosStream::Open(space_, name, std::move(chain), options,
                           [open = open_, name] { Unclaim(*open, name); });
}

// Walks to the end, as far as there is one, and ends an interrupted Remove.
Status RadosJournal::Find(Chain& chain, const std::string& name, bool create) {
  const Result<Segment> end = chain.FindEnd();
  if (end.ok() || end.error().reason() != Reason::kStreamMissing || !create) {
    return end.ok() ? Status() : Status(end.error());
  }
  const std::optional<Head> head = TRY(chain.ReadHead());
  return head.has_value() && head->removed ? FinishRemoval(name, *head) : Status();
}

Result<std::unique_ptr<journal::StreamFollower>> RadosJournal::Follow(const std::string& name) {
  TRY(CheckName(name));
  return std::unique_ptr<journal::StreamFollower>(
      std::make_unique<RadosFollower>(std::make_shared<Chain>(space_, name)));
}

Result<bool> RadosJournal::Exists(const std::string& name) {
  TRY(CheckName(name));
  const std::optional<Head> head = TRY(Chain(space_, name).ReadHead());
  return head.has_value() && !head->removed;
}

Result<std::vector<std::string>> RadosJournal::List() {
  std::vector<std::string> streams;
  for (std::string& name : TRY(space_->List(std::string(kStreamPrefix)))) {
    if (CheckName(name).ok() && TRY(Exists(name))) {
      streams.push_back(std::move(name));
    }
  }
  return streams;
}

Status RadosJournal::Remove(const std::string& name) {
  TRY(CheckName(name));
  TRY(Claim(name));
  const Status removed = RemoveClaimed(name);
  Unclaim(*open_, name);
  return removed;
}

Status RadosJournal::RemoveClaimed(const std::string& name) {
  Chain chain(space_, name);
  std::optional<Head> head = TRY(chain.ReadHead());
  if (!head.has_value() || head->removed) {
    return chain.Missing();
  }
  const uint64_t before = head->version;
  head->removed = true;
  ++head->version;
  const int code = space_->Write(chain.HeadName(), [&](WriteOperation& operation) {
    operation.Compare("version", Digits(before))
        .WriteAll(EncodeHead(*head))
        .Set("version", Digits(head->version));
  });
  if (code == -ECANCELED || code == -ENOENT) {
    const std::optional<Head> now = TRY(chain.ReadHead());
    if (!now.has_value()) {
      return {};
    }
    if (!now->removed) {
      return Error(Reason::kBackPressure, chain.Where(chain.HeadName()) +
                                              ": somebody still uses the stream; close it first");
    }
    return FinishRemoval(name, *now);
  }
  return code < 0 ? Status(ToError(code, "removing " + chain.Where(chain.HeadName())))
                  : FinishRemoval(name, *head);
}

// The head goes last, so that this can be done again.
Status RadosJournal::FinishRemoval(const std::string& name, const Head& head) {
  const std::string prefix = std::string(kSegmentPrefix) + name + "/";
  for (const std::string& segment : TRY(space_->List(prefix))) {
    TRY(space_->Remove(prefix + segment));
  }
  const std::string object = std::string(kStreamPrefix) + name;
  const int code = space_->Write(object, [&](WriteOperation& operation) {
    operation.Compare("version", Digits(head.version)).Remove();
  });
  const bool gone = code >= 0 || code == -ENOENT || code == -ECANCELED;
  return gone ? Status() : Status(ToError(code, "removing " + space_->Where(object)));
}

Status RadosJournal::Link(const std::string& name, const std::string& directory) {
  TRY(CheckName(name));
  const std::shared_ptr<Space> target = TRY(OpenTarget(*space_, directory));
  if (TRY(Chain(target, name).ReadHead()).has_value()) {
    return Error(Reason::kStreamExists, target->Where(std::string(kStreamPrefix) + name) +
                                            ": the stream is there already");
  }
  for (int attempt = 0; attempt < kMaxCopies; ++attempt) {
    Chain chain(space_, name);
    if (TRY(Copy(chain, *target))) {
      return {};
    }
  }
  return Error(Reason::kBackPressure, space_->Where(std::string(kStreamPrefix) + name) +
                                          ": the stream is released faster than it is copied; "
                                          "try again");
}

Result<bool> RadosJournal::Copy(Chain& chain, Space& target) {
  TRY(chain.FindEnd());
  const std::deque<Segment> segments = chain.segments();
  for (const Segment& segment : segments) {
    if (!TRY(CopySegment(segment, target))) {
      return false;
    }
  }
  const Head head{.first = segments.front().first, .segment = segments.front().name};
  const int code = target.Write(chain.HeadName(), [&](WriteOperation& operation) {
    operation.WriteAll(EncodeHead(head)).Set("version", Digits(head.version));
  });
  if (code < 0) {
    return ToError(code, "writing " + target.Where(chain.HeadName()));
  }
  return true;
}

Result<bool> RadosJournal::CopySegment(const Segment& segment, Space& target) {
  uint64_t offset = 0;
  do {
    Found found;
    const uint64_t length = std::min(kCopyBytes, segment.length - offset);
    int code = space_->Read(segment.name, offset, length, found);
    if (code == -ENOENT) {
      return false;
    }
    if (code < 0 || found.bytes.size() != length) {
      return ToError(code < 0 ? code : -EIO, "reading " + space_->Where(segment.name));
    }
    code = target.Write(segment.name, [&](WriteOperation& operation) {
      SetSegment(operation, segment);
      if (length > 0) {
        operation.Write(offset, found.bytes);
      }
    });
    if (code < 0) {
      return ToError(code, "writing " + target.Where(segment.name));
    }
    offset += length;
  } while (offset < segment.length);
  return true;
}

}  // namespace

Result<std::shared_ptr<Space>> OpenTarget(Space& space, const std::string& directory) {
  const Location location = TRY(ParseLocation(directory));
  if (!location.SameCluster(space.client().location())) {
    return Error(
        Reason::kBadOption,
        "checkpoint '" + directory +
            "': it must lie in the cluster of the universe, with the same conf and client");
  }
  return Space::Open(space.shared_client(), location.pool, location.name_space);
}

std::unique_ptr<journal::Journal> NewRadosJournal(std::shared_ptr<Space> space) {
  return std::make_unique<RadosJournal>(std::move(space));
}

}  // namespace luna::rados
