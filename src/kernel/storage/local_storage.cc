#include "kernel/storage/local_storage.h"

#include <atomic>
#include <optional>
#include <set>
#include <utility>

#include "base/assert.h"
#include "base/mutex.h"
#include "base/try.h"
#include "kernel/storage/names.h"

namespace luna::storage {

namespace {

constexpr size_t kBufferBytes = size_t{256} << 10;
constexpr uint64_t kWritebackBytes = 1 << 20;  // a sync of more at once would hold up others

using runtime::FileSystem;
using runtime::JoinPath;

Status WithoutMissing(Status status) {
  return !status.ok() && status.error().reason() == Reason::kFileMissing ? Status() : status;
}

// Owned by one thread.
class FileWriter : public ObjectWriter {
 public:
  struct Place {
    std::string directory;  // of the bucket
    std::string path;       // the object's
    std::string fresh;      // where it is written
    std::string name;       // "bucket/object"
  };

  FileWriter(FileSystem& files, Place place, std::unique_ptr<runtime::File> file)
      : files_(files), place_(std::move(place)), file_(std::move(file)) {
    buffer_.reserve(kBufferBytes);
  }
  ~FileWriter() override { Discard(); }

  Status Append(std::string_view bytes) override;
  Status Finish() override;
  uint64_t size() const override { return written_ + buffer_.size(); }

 private:
  Status Write(std::string_view bytes);
  Status Publish();
  void Discard();

  FileSystem& files_;
  const Place place_;
  std::unique_ptr<runtime::File> file_;  // none once finished
  std::string buffer_;
  uint64_t written_ = 0;
  uint64_t started_ = 0;         // what is on its way to the device
  std::optional<Error> failed_;  // the first error; the bytes in the file are no longer known
};

Status FileWriter::Append(std::string_view bytes) {
  LUNA_ASSERT(file_ != nullptr);
  if (failed_.has_value()) {
    return *failed_;
  }
  if (buffer_.size() + bytes.size() > kBufferBytes) {
    TRY(Write(buffer_));
    buffer_.clear();
  }
  if (bytes.size() >= kBufferBytes) {
    return Write(bytes);
  }
  buffer_ += bytes;
  return {};
}

Status FileWriter::Write(std::string_view bytes) {
  if (bytes.empty()) {
    return {};
  }
  Status status = file_->Write(written_, bytes);
  if (!status.ok()) {
    failed_ = status.error();
    return status;
  }
  written_ += bytes.size();
  if (written_ - started_ >= kWritebackBytes) {
    file_->StartWriteback(started_, written_ - started_);
    started_ = written_;
  }
  return status;
}

Status FileWriter::Finish() {
  LUNA_ASSERT(file_ != nullptr);
  Status status = failed_.has_value() ? Status(*failed_) : Publish();
  Discard();
  return status;
}

Status FileWriter::Publish() {
  TRY(Write(buffer_));
  buffer_.clear();
  TRY(file_->Sync());
  const Status linked = files_.Link(place_.fresh, place_.path);
  if (!linked.ok()) {
    if (linked.error().reason() != Reason::kFileExists) {
      return linked;
    }
    return Error(Reason::kObjectExists,
                 "object " + place_.name + " exists since this one was begun: " + place_.path);
  }
  // Nobody may rely on the name before it is durable; after an error nobody does.
  Status synced = files_.SyncDirectory(place_.directory);
  if (!synced.ok()) {
    static_cast<void>(files_.Remove(place_.path));
  }
  return synced;
}

void FileWriter::Discard() {
  if (file_ == nullptr) {
    return;
  }
  file_.reset();
  // Best effort: opening the storage removes what stays.
  static_cast<void>(files_.Remove(place_.fresh));
}

// Immutable.
class FileReader : public ObjectReader {
 public:
  FileReader(std::string name, std::unique_ptr<runtime::File> file, uint64_t size)
      : name_(std::move(name)), file_(std::move(file)), size_(size) {}

  Status Read(uint64_t offset, size_t length, char* to) const override;
  Result<bool> ReadCached(uint64_t offset, size_t length, char* to) const override {
    return file_->ReadCached(offset, length, to);
  }
  uint64_t size() const override { return size_; }
  const std::string& name() const override { return name_; }

 private:
  const std::string name_;
  const std::unique_ptr<runtime::File> file_;
  const uint64_t size_;
};

Status FileReader::Read(uint64_t offset, size_t length, char* to) const {
  const bool inside = offset <= size_ && length <= size_ - offset;
  if (inside && TRY(file_->Read(offset, length, to)) == length) {
    return {};
  }
  return Error(Reason::kLostData, "object " + name_ + " ends before offset " +
                                      std::to_string(offset) + " + " + std::to_string(length) +
                                      " bytes (it had " + std::to_string(size_) +
                                      " when it was opened); restore it from a backup");
}

class LocalStorage : public Storage {
 public:
  LocalStorage(FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  Status RemoveLeftovers();

  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& bucket,
                                               const std::string& object) override;
  Result<std::unique_ptr<ObjectReader>> Open(const std::string& bucket,
                                             const std::string& object) override;
  Result<std::vector<std::string>> List(const std::string& bucket) override;
  Result<std::vector<std::string>> ListBuckets() override;
  Status Remove(const std::string& bucket, const std::string& object) override;
  Status RemoveBucket(const std::string& bucket) override;
  Status Link(const std::string& bucket, const std::string& object,
              const std::string& directory) override;

 private:
  std::string BucketPath(const std::string& bucket) const { return JoinPath(directory_, bucket); }
  Status MakeBucket(const std::string& bucket);
  Status Copy(const std::string& from, const std::string& to);

  FileSystem& files_;
  const std::string directory_;
  std::atomic<uint64_t> writers_{0};
  base::Mutex mutex_;
  // Buckets whose names this object has made durable.
  std::set<std::string> durable_buckets_ GUARDED_BY(mutex_);
};

Status LocalStorage::RemoveLeftovers() {
  for (const std::string& bucket : TRY(ListBuckets())) {
    const std::string path = BucketPath(bucket);
    for (const std::string& name : TRY(files_.List(path))) {
      if (name.ends_with(kNewSuffix)) {
        TRY(files_.Remove(JoinPath(path, name)));
      }
    }
  }
  return {};
}

Status LocalStorage::MakeBucket(const std::string& bucket) {
  {
    base::MutexLock lock(mutex_);
    if (durable_buckets_.contains(bucket)) {
      return {};
    }
  }
  // The directory may be there, made by somebody who has not synced its name yet.
  TRY(files_.CreateDirectories(BucketPath(bucket)));
  TRY(files_.SyncDirectory(directory_));
  base::MutexLock lock(mutex_);
  durable_buckets_.insert(bucket);
  return {};
}

Result<std::unique_ptr<ObjectWriter>> LocalStorage::Create(const std::string& bucket,
                                                           const std::string& object) {
  TRY(CheckNames(bucket, object));
  TRY(MakeBucket(bucket));
  const uint64_t writer = writers_.fetch_add(1, std::memory_order_relaxed);
  FileWriter::Place place;
  place.directory = BucketPath(bucket);
  place.path = JoinPath(place.directory, object);
  place.fresh = place.path + "." + std::to_string(writer) + std::string(kNewSuffix);
  place.name = bucket + "/" + object;
  if (TRY(files_.Exists(place.path))) {
    return Error(Reason::kObjectExists, "object " + place.name + " exists: " + place.path);
  }
  auto file = TRY(files_.Open(place.fresh, runtime::OpenMode::kCreateNew));
  return std::make_unique<FileWriter>(files_, std::move(place), std::move(file));
}

Result<std::unique_ptr<ObjectReader>> LocalStorage::Open(const std::string& bucket,
                                                         const std::string& object) {
  TRY(CheckNames(bucket, object));
  const std::string path = JoinPath(BucketPath(bucket), object);
  auto file = files_.Open(path, runtime::OpenMode::kRead);
  if (!file.ok()) {
    return file.error().reason() == Reason::kFileMissing
               ? Error(Reason::kObjectMissing,
                       "there is no object " + bucket + "/" + object + ": " + path)
               : file.error();
  }
  const uint64_t size = TRY((*file)->Size());
  return std::make_unique<FileReader>(bucket + "/" + object, std::move(*file), size);
}

Result<std::vector<std::string>> LocalStorage::List(const std::string& bucket) {
  TRY(CheckName("bucket", bucket));
  auto names = files_.List(BucketPath(bucket));
  if (!names.ok()) {
    const bool missing = names.error().reason() == Reason::kFileMissing;
    return missing ? Result<std::vector<std::string>>(std::vector<std::string>()) : names;
  }
  std::erase_if(*names, [](const std::string& name) { return !CheckName("object", name).ok(); });
  return names;
}

Result<std::vector<std::string>> LocalStorage::ListBuckets() {
  std::vector<std::string> buckets = TRY(files_.List(directory_));
  std::erase_if(buckets, [](const std::string& name) { return !CheckName("bucket", name).ok(); });
  return buckets;
}

Status LocalStorage::Remove(const std::string& bucket, const std::string& object) {
  TRY(CheckNames(bucket, object));
  // Not synced: an object that comes back after a power cut is garbage and is collected as such.
  return WithoutMissing(files_.Remove(JoinPath(BucketPath(bucket), object)));
}

Status LocalStorage::RemoveBucket(const std::string& bucket) {
  TRY(CheckName("bucket", bucket));
  {
    base::MutexLock lock(mutex_);
    durable_buckets_.erase(bucket);
  }
  const std::string path = BucketPath(bucket);
  if (!TRY(files_.Exists(path))) {
    return {};
  }
  for (const std::string& name : TRY(files_.List(path))) {
    TRY(WithoutMissing(files_.Remove(JoinPath(path, name))));
  }
  TRY(WithoutMissing(files_.RemoveDirectory(path)));
  return files_.SyncDirectory(directory_);
}

Status LocalStorage::Link(const std::string& bucket, const std::string& object,
                          const std::string& directory) {
  TRY(CheckNames(bucket, object));
  const std::string from = JoinPath(BucketPath(bucket), object);
  const std::string target = JoinPath(directory, bucket);
  TRY(files_.CreateDirectories(target));
  const std::string to = JoinPath(target, object);
  Status linked = files_.Link(from, to);
  if (linked.ok() || linked.error().reason() == Reason::kFileExists) {
    return {};  // names are never reused, so what is there is this object
  }
  if (linked.error().reason() == Reason::kFileMissing) {
    return Error(Reason::kObjectMissing,
                 "there is no object " + bucket + "/" + object + ": " + from);
  }
  if (linked.error().reason() == Reason::kDiskFull) {
    return linked;
  }
  return Copy(from, to);  // another device, or one without links
}

Status LocalStorage::Copy(const std::string& from, const std::string& to) {
  const auto source = TRY(files_.Open(from, runtime::OpenMode::kRead));
  const auto target = TRY(files_.Open(to, runtime::OpenMode::kCreateNew));
  std::string buffer(kBufferBytes, '\0');
  uint64_t offset = 0;
  while (true) {
    const size_t count = TRY(source->Read(offset, buffer.size(), buffer.data()));
    if (count == 0) {
      return target->Sync();
    }
    TRY(target->Write(offset, std::string_view(buffer).substr(0, count)));
    offset += count;
  }
}

}  // namespace

Result<std::unique_ptr<Storage>> OpenLocalStorage(runtime::Runtime& runtime,
                                                  std::string directory) {
  TRY(runtime.files().CreateDirectories(directory));
  auto storage = std::make_unique<LocalStorage>(runtime.files(), std::move(directory));
  TRY(storage->RemoveLeftovers());
  return std::unique_ptr<Storage>(std::move(storage));
}

}  // namespace luna::storage
