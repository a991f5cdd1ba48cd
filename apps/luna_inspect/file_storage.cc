#include "apps/luna_inspect/file_storage.h"

#include <utility>
#include <vector>

#include "base/try.h"

namespace luna::inspect {
namespace {

class FileReader final : public storage::ObjectReader {
 public:
  FileReader(std::unique_ptr<runtime::File> file, std::string path, uint64_t size)
      : file_(std::move(file)), path_(std::move(path)), size_(size) {}

  Status Read(uint64_t offset, size_t length, char* to) const override {
    const size_t got = TRY(file_->Read(offset, length, to));
    if (got < length) {
      return Error(Reason::kLostData, path_ + " ends at offset " + std::to_string(offset + got) +
                                          ", " + std::to_string(length - got) +
                                          " bytes too early; restore it from a backup");
    }
    return {};
  }
  uint64_t size() const override { return size_; }
  const std::string& name() const override { return path_; }

 private:
  const std::unique_ptr<runtime::File> file_;
  const std::string path_;
  const uint64_t size_;
};

Error Refused(const std::string& object) {
  return Error(Reason::kNotSupported, object + ": luna-inspect changes nothing; use luna");
}

class FileStorage final : public storage::Storage {
 public:
  explicit FileStorage(runtime::FileSystem& files) : files_(files) {}

  Result<std::unique_ptr<storage::ObjectReader>> Open(const std::string& bucket,
                                                      const std::string& object) override {
    std::string path = runtime::JoinPath(bucket, object);
    auto file = files_.Open(path, runtime::OpenMode::kRead);
    if (!file.ok()) {
      const bool missing = file.error().reason() == Reason::kFileMissing;
      return missing ? Error(Reason::kObjectMissing, path + " is not there") : file.error();
    }
    const uint64_t size = TRY((*file)->Size());
    return std::make_unique<FileReader>(std::move(*file), std::move(path), size);
  }
  Result<std::vector<std::string>> List(const std::string& bucket) override {
    return files_.List(bucket);
  }
  Result<std::vector<std::string>> ListBuckets() override { return Refused("buckets"); }
  Result<std::unique_ptr<storage::ObjectWriter>> Create(const std::string&,
                                                        const std::string& object) override {
    return Refused(object);
  }
  Status Remove(const std::string&, const std::string& object) override { return Refused(object); }
  Status RemoveBucket(const std::string& bucket) override { return Refused(bucket); }
  Status Link(const std::string&, const std::string& object, const std::string&) override {
    return Refused(object);
  }

 private:
  runtime::FileSystem& files_;
};

}  // namespace

std::unique_ptr<storage::Storage> NewFileStorage(runtime::FileSystem& files) {
  return std::make_unique<FileStorage>(files);
}

}  // namespace luna::inspect
