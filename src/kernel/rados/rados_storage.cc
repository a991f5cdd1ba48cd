#include "kernel/rados/rados_storage.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "base/mutex.h"
#include "base/try.h"
#include "kernel/rados/rados_journal.h"
#include "kernel/rados/stream_format.h"
#include "kernel/storage/names.h"

namespace luna::rados {

namespace {

using storage::CheckName;
using storage::CheckNames;
using Names = std::vector<std::string>;

constexpr std::string_view kObjectPrefix = "object/";
constexpr std::string_view kPartPrefix = "part/";

// An object as its attributes describe it.
struct Stored {
  std::string name;  // "bucket/object"
  std::string id;
  uint64_t size = 0;

  std::string head() const { return std::string(kObjectPrefix) + name; }
  uint64_t parts() const { return size <= kPartBytes ? 0 : (size + kPartBytes - 1) / kPartBytes; }
  std::string part(uint64_t number) const {
    return std::string(kPartPrefix) + name + "/" + id + "/" + Digits(number);
  }
};

// Nothing when it is not there.
Result<std::optional<Stored>> Look(Space& space, const std::string& name) {
  Stored stored{.name = name, .id = {}, .size = 0};
  const std::string where = space.Where(stored.head());
  Found found;
  const int code = space.Read(stored.head(), 0, 0, found);
  if (code == -ENOENT) {
    return std::optional<Stored>();
  }
  if (code < 0) {
    return ToError(code, "reading " + where);
  }
  stored.id = found.attributes["id"];
  const std::optional<uint64_t> size = ParseDigits(found.attributes["size"]);
  if (stored.id.empty() || !size.has_value()) {
    return Error(Reason::kBadFormat, where + ": this is no object of Luna");
  }
  stored.size = *size;
  if (found.size != (stored.parts() == 0 ? stored.size : 0)) {
    return Error(Reason::kLostData, where + ": " + std::to_string(found.size) +
                                        " bytes of an object of " + std::to_string(stored.size));
  }
  return std::optional(std::move(stored));
}

Error Missing(Space& space, const std::string& name) {
  return Error(Reason::kObjectMissing, "there is no object " + name + ": " +
                                           space.Where(std::string(kObjectPrefix) + name));
}

// The object goes last: what is interrupted can be done again.
Status RemoveStored(Space& space, const Stored& stored) {
  for (uint64_t number = 0; number < stored.parts(); ++number) {
    TRY(space.Remove(stored.part(number)));
  }
  return space.Remove(stored.head());
}

Status WriteWhole(Space& space, const std::string& object, std::string_view bytes) {
  const int code =
      space.Write(object, [&](WriteOperation& operation) { operation.WriteAll(bytes); });
  return code < 0 ? Status(ToError(code, "writing " + space.Where(object))) : Status();
}

// kObjectExists when another writer's is there. Any other error leaves open whether it is.
Status Publish(Space& space, const Stored& stored, std::string_view bytes) {
  const int code = space.Write(stored.head(), [&](WriteOperation& operation) {
    operation.Create().Set("id", stored.id).Set("size", Digits(stored.size));
    if (!bytes.empty()) {
      operation.Write(0, bytes);
    }
  });
  if (code == -EEXIST) {
    const std::optional<Stored> there = TRY(Look(space, stored.name));
    if (there.has_value() && there->id == stored.id) {
      return {};  // our own, whose first answer was lost
    }
    return Error(Reason::kObjectExists,
                 "object " + stored.name + " exists since this one was begun");
  }
  return code < 0 ? Status(ToError(code, "writing " + space.Where(stored.head()))) : Status();
}

// "bucket/object" of "bucket/object/id/number"; empty: it is no part's name.
std::string_view ObjectOf(std::string_view part) {
  const size_t number = part.rfind('/');
  const size_t id = number == std::string_view::npos ? number : part.rfind('/', number - 1);
  return id == std::string_view::npos ? std::string_view() : part.substr(0, id);
}

// The names of parts, those that begin with `prefix`, which belong to no object that is there.
Result<Names> UnfinishedParts(Space& space, const std::string& prefix) {
  Names unfinished;
  std::string name;
  std::optional<Stored> stored;
  for (const std::string& rest : TRY(space.List(std::string(kPartPrefix) + prefix))) {
    std::string part = prefix + rest;
    const std::string_view object = ObjectOf(part);
    if (object.empty()) {
      continue;
    }
    if (object != name) {
      name = object;
      stored = TRY(Look(space, name));
    }
    const size_t id = object.size() + 1;
    if (!stored.has_value() || stored->id != part.substr(id, part.rfind('/') - id)) {
      unfinished.push_back(std::move(part));
    }
  }
  return unfinished;
}

// Which objects this process reads, and which of them are to go.
class OpenObjects {
 public:
  explicit OpenObjects(std::shared_ptr<Space> space) : space_(std::move(space)) {}

  // False when it was removed already.
  bool Take(const std::string& name) {
    base::MutexLock lock(mutex_);
    Use& use = uses_[name];
    if (use.removed.has_value()) {
      return false;
    }
    ++use.readers;
    return true;
  }
  void Give(const std::string& name) {
    std::optional<Stored> removed;
    {
      base::MutexLock lock(mutex_);
      Use& use = uses_[name];
      if (--use.readers > 0) {
        return;
      }
      removed = std::move(use.removed);
      uses_.erase(name);
    }
    if (removed.has_value()) {
      // What stays is garbage, and is collected as such.
      static_cast<void>(RemoveStored(*space_, *removed));
    }
  }
  // True when readers have it: then it goes later.
  bool RemoveLater(const Stored& stored) {
    base::MutexLock lock(mutex_);
    const auto use = uses_.find(stored.name);
    if (use == uses_.end()) {
      return false;
    }
    use->second.removed = stored;
    return true;
  }
  bool IsRemoved(const std::string& name) const {
    base::MutexLock lock(mutex_);
    const auto use = uses_.find(name);
    return use != uses_.end() && use->second.removed.has_value();
  }
  Space& space() { return *space_; }

 private:
  struct Use {
    uint64_t readers = 0;
    std::optional<Stored> removed;
  };

  const std::shared_ptr<Space> space_;
  mutable base::Mutex mutex_;
  std::map<std::string, Use> uses_ GUARDED_BY(mutex_);
};

// Safe.
class RadosObject final : public storage::ObjectReader {
 public:
  RadosObject(std::shared_ptr<OpenObjects> open, Stored stored)
      : open_(std::move(open)), stored_(std::move(stored)) {}
  ~RadosObject() override { open_->Give(stored_.name); }

  Status Read(uint64_t offset, size_t length, char* to) const override;
  uint64_t size() const override { return stored_.size; }
  const std::string& name() const override { return stored_.name; }

 private:
  const std::shared_ptr<OpenObjects> open_;
  const Stored stored_;
};

Status RadosObject::Read(uint64_t offset, size_t length, char* to) const {
  const auto lost = [&](uint64_t at) {
    return Error(Reason::kLostData, "object " + stored_.name + ", offset " + std::to_string(at) +
                                        ": " + std::to_string(length) + " bytes from " +
                                        std::to_string(offset) + " on are not all there");
  };
  if (length > stored_.size || offset > stored_.size - length) {
    return lost(stored_.size);
  }
  for (size_t done = 0; done < length;) {
    const uint64_t at = offset + done;
    const bool whole = stored_.parts() == 0;
    const std::string object = whole ? stored_.head() : stored_.part(at / kPartBytes);
    const uint64_t from = whole ? at : at % kPartBytes;
    const size_t most = std::min<uint64_t>(length - done, kPartBytes - from);
    const int64_t got = open_->space().ReadInto(object, from, most, to + done);
    if (got < 0) {
      return ToError(static_cast<int>(got), "reading " + open_->space().Where(object));
    }
    if (static_cast<size_t>(got) != most) {
      return lost(at + static_cast<uint64_t>(got));
    }
    done += most;
  }
  return {};
}

// Owned by one thread.
class RadosWriter final : public storage::ObjectWriter {
 public:
  RadosWriter(std::shared_ptr<Space> space, std::string name) : space_(std::move(space)) {
    stored_.name = std::move(name);
    stored_.id = Hex(space_->client().NewId());
  }
  ~RadosWriter() override { Discard(); }

  Status Append(std::string_view bytes) override;
  Status Finish() override;
  uint64_t size() const override { return written_ + buffer_.size(); }

 private:
  Status WritePart();
  void Discard();

  const std::shared_ptr<Space> space_;
  Stored stored_;
  std::string buffer_;
  uint64_t written_ = 0;  // in parts
  bool finished_ = false;
  std::optional<Error> failed_;
};

Status RadosWriter::Append(std::string_view bytes) {
  LUNA_ASSERT(!finished_);
  while (!bytes.empty()) {
    if (failed_.has_value()) {
      return *failed_;
    }
    // A full buffer is written once more comes: up to one part there are no parts.
    if (buffer_.size() == kPartBytes) {
      if (const Status written = WritePart(); !written.ok()) {
        failed_ = written.error();
        continue;
      }
    }
    const std::string_view piece = bytes.substr(0, kPartBytes - buffer_.size());
    buffer_ += piece;
    bytes.remove_prefix(piece.size());
  }
  return {};
}

Status RadosWriter::WritePart() {
  TRY(WriteWhole(*space_, stored_.part(written_ / kPartBytes), buffer_));
  written_ += buffer_.size();
  buffer_.clear();
  return {};
}

Status RadosWriter::Finish() {
  LUNA_ASSERT(!finished_);
  if (!failed_.has_value() && written_ > 0 && !buffer_.empty()) {
    if (const Status written = WritePart(); !written.ok()) {
      failed_ = written.error();
    }
  }
  if (failed_.has_value()) {
    Discard();
    return *failed_;
  }
  stored_.size = size();
  Status published = Publish(*space_, stored_, buffer_);
  if (!published.ok() && published.error().reason() == Reason::kObjectExists) {
    Discard();
  }
  finished_ = true;  // after another error the object may be there, so its parts stay
  buffer_ = std::string();
  return published;
}

void RadosWriter::Discard() {
  if (finished_) {
    return;
  }
  finished_ = true;
  for (uint64_t number = 0; number * kPartBytes < written_; ++number) {
    static_cast<void>(space_->Remove(stored_.part(number)));  // what stays is swept at an open
  }
}

class RadosStorage final : public storage::Storage {
 public:
  explicit RadosStorage(std::shared_ptr<Space> space)
      : space_(space), open_(std::make_shared<OpenObjects>(std::move(space))) {}

  Result<std::unique_ptr<storage::ObjectWriter>> Create(const std::string& bucket,
                                                        const std::string& object) override;
  Result<std::unique_ptr<storage::ObjectReader>> Open(const std::string& bucket,
                                                      const std::string& object) override;
  Result<Names> List(const std::string& bucket) override;
  Result<Names> ListBuckets() override;
  Status Remove(const std::string& bucket, const std::string& object) override;
  Status RemoveBucket(const std::string& bucket) override;
  Result<Names> ListUnfinished(const std::string& bucket) override;
  Status RemoveUnfinished(const std::string& bucket, const std::string& object) override;
  Status Link(const std::string& bucket, const std::string& object,
              const std::string& directory) override;

 private:
  const std::shared_ptr<Space> space_;
  const std::shared_ptr<OpenObjects> open_;
};

Result<std::unique_ptr<storage::ObjectWriter>> RadosStorage::Create(const std::string& bucket,
                                                                    const std::string& object) {
  TRY(CheckNames(bucket, object));
  std::string name = bucket + "/" + object;
  if (TRY(Look(*space_, name)).has_value()) {
    return Error(Reason::kObjectExists, "object " + name + " exists");
  }
  return std::make_unique<RadosWriter>(space_, std::move(name));
}

Result<std::unique_ptr<storage::ObjectReader>> RadosStorage::Open(const std::string& bucket,
                                                                  const std::string& object) {
  TRY(CheckNames(bucket, object));
  const std::string name = bucket + "/" + object;
  if (!open_->Take(name)) {
    return Missing(*space_, name);
  }
  Result<std::optional<Stored>> stored = Look(*space_, name);
  if (!stored.ok() || !stored->has_value()) {
    open_->Give(name);
    return stored.ok() ? Missing(*space_, name) : stored.error();
  }
  return std::make_unique<RadosObject>(open_, **std::move(stored));
}

Result<Names> RadosStorage::List(const std::string& bucket) {
  TRY(CheckName("bucket", bucket));
  Names names = TRY(space_->List(std::string(kObjectPrefix) + bucket + "/"));
  std::erase_if(names,
                [&](const std::string& object) { return open_->IsRemoved(bucket + "/" + object); });
  return names;
}

Result<Names> RadosStorage::ListBuckets() {
  Names buckets;
  for (const std::string& name : TRY(space_->List(std::string(kObjectPrefix)))) {
    std::string bucket = name.substr(0, name.find('/'));
    if (!open_->IsRemoved(name) && (buckets.empty() || buckets.back() != bucket)) {
      buckets.push_back(std::move(bucket));
    }
  }
  std::sort(buckets.begin(), buckets.end());
  buckets.erase(std::unique(buckets.begin(), buckets.end()), buckets.end());
  return buckets;
}

Status RadosStorage::Remove(const std::string& bucket, const std::string& object) {
  TRY(CheckNames(bucket, object));
  const std::optional<Stored> stored = TRY(Look(*space_, bucket + "/" + object));
  if (!stored.has_value() || open_->RemoveLater(*stored)) {
    return {};
  }
  return RemoveStored(*space_, *stored);
}

Status RadosStorage::RemoveBucket(const std::string& bucket) {
  TRY(CheckName("bucket", bucket));
  for (const std::string& object : TRY(space_->List(std::string(kObjectPrefix) + bucket + "/"))) {
    TRY(Remove(bucket, object));
  }
  return {};
}

Result<Names> RadosStorage::ListUnfinished(const std::string& bucket) {
  TRY(CheckName("bucket", bucket));
  Names objects;
  for (const std::string& part : TRY(UnfinishedParts(*space_, bucket + "/"))) {
    std::string object(ObjectOf(part).substr(bucket.size() + 1));
    if (objects.empty() || objects.back() != object) {
      objects.push_back(std::move(object));
    }
  }
  return objects;
}

Status RadosStorage::RemoveUnfinished(const std::string& bucket, const std::string& object) {
  TRY(CheckNames(bucket, object));
  for (const std::string& part : TRY(UnfinishedParts(*space_, bucket + "/" + object + "/"))) {
    TRY(space_->Remove(std::string(kPartPrefix) + part));
  }
  return {};
}

Status RadosStorage::Link(const std::string& bucket, const std::string& object,
                          const std::string& directory) {
  TRY(CheckNames(bucket, object));
  const std::shared_ptr<Space> target = TRY(OpenTarget(*space_, directory));
  const std::string name = bucket + "/" + object;
  const std::optional<Stored> stored = TRY(Look(*space_, name));
  if (!stored.has_value() || open_->IsRemoved(name)) {
    return Missing(*space_, name);
  }
  for (uint64_t number = 0; number < stored->parts(); ++number) {
    const std::string part = stored->part(number);
    Found found;
    if (const int code = space_->Read(part, 0, kPartBytes, found); code < 0) {
      return ToError(code, "reading " + space_->Where(part));
    }
    TRY(WriteWhole(*target, part, found.bytes));
  }
  Found found;
  if (const int code = space_->Read(stored->head(), 0, kPartBytes, found); code < 0) {
    return ToError(code, "reading " + space_->Where(stored->head()));
  }
  return Publish(*target, *stored, found.bytes);  // one that is there already has the same id
}

}  // namespace

std::unique_ptr<storage::Storage> NewRadosStorage(std::shared_ptr<Space> space) {
  return std::make_unique<RadosStorage>(std::move(space));
}

Status SweepParts(Space& space) {
  for (const std::string& part : TRY(UnfinishedParts(space, ""))) {
    TRY(space.Remove(std::string(kPartPrefix) + part));
  }
  return {};
}

}  // namespace luna::rados
