#include "kernel/journal/local_journal.h"

#include <map>
#include <utility>

#include "base/assert.h"
#include "base/mutex.h"
#include "base/try.h"
#include "kernel/journal/local_reader.h"
#include "kernel/journal/local_stream.h"
#include "kernel/journal/names.h"
#include "kernel/journal/segments.h"

namespace luna::journal {
namespace {

// The open streams by name; null while one is being opened or removed. Outlives the journal while
// streams do.
struct OpenStreams {
  base::Mutex mutex;
  std::map<std::string, LocalStream*> streams GUARDED_BY(mutex);
  // What streams show, while they are open or somebody follows them: nobody outside this process
  // writes, so what a closed one showed last still holds.
  std::map<std::string, std::weak_ptr<const Published>> published GUARDED_BY(mutex);
};

void Unclaim(OpenStreams& open, const std::string& name) {
  base::MutexLock lock(open.mutex);
  open.streams.erase(name);
}

class LocalJournal final : public Journal {
 public:
  LocalJournal(runtime::Runtime& runtime, std::string directory)
      : runtime_(runtime),
        directory_(std::move(directory)),
        open_(std::make_shared<OpenStreams>()) {}

  Result<std::unique_ptr<Stream>> Open(const std::string& name,
                                       const StreamOptions& options) override {
    std::unique_ptr<LocalStream> stream = TRY(OpenLocal(name, options));
    base::MutexLock lock(open_->mutex);
    open_->streams[name] = stream.get();
    open_->published[name] = stream->published();
    return std::unique_ptr<Stream>(std::move(stream));
  }

  Result<std::unique_ptr<StreamFollower>> Follow(const std::string& name) override {
    TRY(CheckName(name));
    return std::unique_ptr<StreamFollower>(std::make_unique<Follower>(*this, name));
  }

  // The newest that is known of the stream, which is opened for a moment if nothing is.
  Result<std::shared_ptr<const Published>> Show(const std::string& name) {
    {
      base::MutexLock lock(open_->mutex);
      const auto found = open_->published.find(name);
      if (auto shown = found == open_->published.end() ? nullptr : found->second.lock()) {
        return shown;
      }
    }
    if (!TRY(Exists(name))) {
      return Missing(name);
    }
    const std::unique_ptr<LocalStream> stream = TRY(OpenLocal(name, StreamOptions{}));
    std::shared_ptr<const Published> shown = stream->published();
    base::MutexLock lock(open_->mutex);
    open_->published[name] = shown;
    return shown;
  }

  Result<bool> Exists(const std::string& name) override {
    TRY(CheckName(name));
    const auto mark = TRY(SegmentDirectory(runtime_.files(), PathOf(name)).ReadEpoch());
    return mark.has_value() && !mark->removed;
  }

  Result<std::vector<std::string>> List() override {
    std::vector<std::string> streams;
    for (std::string& name : TRY(runtime_.files().List(directory_))) {
      if (CheckName(name).ok() && TRY(Exists(name))) {
        streams.push_back(std::move(name));
      }
    }
    return streams;
  }

  Status Remove(const std::string& name) override {
    if (!TRY(Exists(name))) {
      return Missing(name);
    }
    TRY(Claim(name));
    const Status removed = RemoveClaimed(name);
    Unclaim(*open_, name);
    return removed;
  }

  Status Link(const std::string& name, const std::string& directory) override {
    if (!TRY(Exists(name))) {
      return Missing(name);
    }
    TRY(runtime_.files().CreateDirectories(directory));
    const std::string copy = runtime::JoinPath(directory, name);
    LocalStream* stream = nullptr;
    {
      base::MutexLock lock(open_->mutex);
      const auto found = open_->streams.find(name);
      stream = found == open_->streams.end() ? nullptr : found->second;
    }
    if (stream != nullptr) {
      return stream->LinkTo(copy);
    }
    const std::unique_ptr<LocalStream> closed = TRY(OpenLocal(name, StreamOptions{}));
    return closed->LinkTo(copy);
  }

 private:
  // Does not outlive the journal.
  class Follower final : public StreamFollower {
   public:
    Follower(LocalJournal& journal, std::string name) : journal_(journal), name_(std::move(name)) {}
    Result<StreamState> Look() override {
      shown_ = TRY(journal_.Show(name_));
      base::MutexLock lock(shown_->mutex);
      return shown_->state;
    }
    Result<std::unique_ptr<StreamReader>> Read(Sequence after) override {
      LUNA_ASSERT(shown_ != nullptr);
      return LocalStreamReader::Open(shown_, after);
    }

   private:
    LocalJournal& journal_;
    const std::string name_;
    std::shared_ptr<const Published> shown_;
  };

  std::string PathOf(const std::string& name) const { return runtime::JoinPath(directory_, name); }

  Error Missing(const std::string& name) const {
    return Error(Reason::kStreamMissing, PathOf(name) + ": there is no such stream");
  }

  Status Claim(const std::string& name) {
    base::MutexLock lock(open_->mutex);
    if (!open_->streams.emplace(name, nullptr).second) {
      return Error(Reason::kStreamExists, PathOf(name) + ": the stream is open; close it first");
    }
    return {};
  }

  Result<std::unique_ptr<LocalStream>> OpenLocal(const std::string& name,
                                                 const StreamOptions& options) {
    TRY(CheckName(name));
    if (!options.create && !TRY(Exists(name))) {
      return Missing(name);
    }
    TRY(Claim(name));
    if (Status made = runtime_.files().CreateDirectories(PathOf(name)); !made.ok()) {
      Unclaim(*open_, name);
      return made.error();
    }
    return LocalStream::Open(runtime_, PathOf(name), options,
                             [open = open_, name] { Unclaim(*open, name); });
  }

  Status RemoveClaimed(const std::string& name) {
    TRY(SegmentDirectory(runtime_.files(), PathOf(name)).Erase());
    {
      base::MutexLock lock(open_->mutex);
      open_->published.erase(name);
    }
    TRY(runtime_.files().RemoveDirectory(PathOf(name)));
    return runtime_.files().SyncDirectory(directory_);
  }

  runtime::Runtime& runtime_;
  const std::string directory_;
  const std::shared_ptr<OpenStreams> open_;
};

}  // namespace

Result<std::unique_ptr<Journal>> OpenLocalJournal(runtime::Runtime& runtime,
                                                  std::string directory) {
  TRY(runtime.files().CreateDirectories(directory));
  return std::unique_ptr<Journal>(std::make_unique<LocalJournal>(runtime, std::move(directory)));
}

}  // namespace luna::journal
