#include "simulation/sim_kernel/sim_storage.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/try.h"
#include "kernel/storage/names.h"
#include "simulation/sim_kernel/objects.h"

namespace luna::sim_kernel {

namespace {

using storage::CheckName;
using storage::CheckNames;
using Names = std::vector<std::string>;

class SimObject final : public storage::ObjectReader {
 public:
  SimObject(std::shared_ptr<Objects> objects, KnownObject known)
      : objects_(std::move(objects)), known_(std::move(known)) {}
  ~SimObject() override { objects_->Give(known_.name); }
  SimObject(const SimObject&) = delete;
  SimObject& operator=(const SimObject&) = delete;

  Status Read(uint64_t offset, size_t length, char* to) const override;
  uint64_t size() const override { return known_.size; }
  const std::string& name() const override { return known_.name; }

 private:
  const std::shared_ptr<Objects> objects_;
  const KnownObject known_;
};

Status SimObject::Read(uint64_t offset, size_t length, char* to) const {
  if (length > known_.size || offset > known_.size - length) {
    return Error(Reason::kLostData, "object " + known_.name + ", offset " + std::to_string(offset) +
                                        ": " + std::to_string(length) + " bytes of an object of " +
                                        std::to_string(known_.size));
  }
  const std::optional<std::string> piece = TRY(objects_->Read(known_, offset, length));
  if (!piece.has_value()) {
    return objects_->Missing(known_.name);
  }
  std::memcpy(to, piece->data(), length);
  return {};
}

class SimWriter final : public storage::ObjectWriter {
 public:
  SimWriter(std::shared_ptr<Objects> objects, std::string name)
      : objects_(std::move(objects)), name_(std::move(name)) {}

  Status Append(std::string_view bytes) override {
    LUNA_ASSERT(!finished_);
    bytes_ += bytes;
    return {};
  }
  Status Finish() override;
  uint64_t size() const override { return finished_ ? size_ : bytes_.size(); }

 private:
  const std::shared_ptr<Objects> objects_;
  const std::string name_;
  std::string bytes_;
  uint64_t size_ = 0;
  bool finished_ = false;
};

Status SimWriter::Finish() {
  LUNA_ASSERT(!finished_);
  finished_ = true;
  size_ = bytes_.size();
  const Put put =
      TRY(objects_->Write(name_, std::make_shared<const std::string>(std::move(bytes_))));
  if (put == Put::kFull) {
    return objects_->Full(name_);
  }
  if (put == Put::kTaken) {
    return Error(Reason::kObjectExists,
                 "object " + name_ + ": its name was taken since it was begun");
  }
  return {};
}

class SimStorage final : public storage::Storage {
 public:
  explicit SimStorage(std::shared_ptr<Endpoint> endpoint)
      : objects_(std::make_shared<Objects>(std::move(endpoint))) {}

  Result<std::unique_ptr<storage::ObjectWriter>> Create(const std::string& bucket,
                                                        const std::string& object) override;
  Result<std::unique_ptr<storage::ObjectReader>> Open(const std::string& bucket,
                                                      const std::string& object) override;
  Result<Names> List(const std::string& bucket) override;
  Result<Names> ListBuckets() override;
  Status Remove(const std::string& bucket, const std::string& object) override;
  Status RemoveBucket(const std::string& bucket) override;
  Status Link(const std::string& bucket, const std::string& object,
              const std::string& directory) override;

 private:
  const std::shared_ptr<Objects> objects_;
};

Result<std::unique_ptr<storage::ObjectWriter>> SimStorage::Create(const std::string& bucket,
                                                                  const std::string& object) {
  TRY(CheckNames(bucket, object));
  std::string name = bucket + "/" + object;
  const KnownObject known = TRY(objects_->Look(name));
  if (known.taken) {
    return Error(
        Reason::kObjectExists,
        "object " + name + (known.id != 0 ? " exists" : " was there before; a name is given once"));
  }
  return std::make_unique<SimWriter>(objects_, std::move(name));
}

Result<std::unique_ptr<storage::ObjectReader>> SimStorage::Open(const std::string& bucket,
                                                                const std::string& object) {
  TRY(CheckNames(bucket, object));
  const std::string name = bucket + "/" + object;
  if (!objects_->Take(name)) {
    return objects_->Missing(name);
  }
  Result<KnownObject> known = objects_->Look(name);
  if (!known.ok() || known->id == 0) {
    objects_->Give(name);
    return known.ok() ? objects_->Missing(name) : known.error();
  }
  return std::make_unique<SimObject>(objects_, std::move(known).value());
}

Result<Names> SimStorage::List(const std::string& bucket) {
  TRY(CheckName("bucket", bucket));
  Names names = TRY(objects_->List(bucket + "/"));
  std::erase_if(
      names, [&](const std::string& object) { return objects_->IsRemoved(bucket + "/" + object); });
  return names;
}

Result<Names> SimStorage::ListBuckets() {
  Names buckets;
  for (const std::string& name : TRY(objects_->List(""))) {
    std::string bucket = name.substr(0, name.find('/'));
    if (!objects_->IsRemoved(name) && (buckets.empty() || buckets.back() != bucket)) {
      buckets.push_back(std::move(bucket));
    }
  }
  std::sort(buckets.begin(), buckets.end());
  buckets.erase(std::unique(buckets.begin(), buckets.end()), buckets.end());
  return buckets;
}

Status SimStorage::Remove(const std::string& bucket, const std::string& object) {
  TRY(CheckNames(bucket, object));
  const KnownObject known = TRY(objects_->Look(bucket + "/" + object));
  if (known.id == 0 || objects_->RemoveLater(known)) {
    return {};
  }
  return objects_->Remove(known);
}

Status SimStorage::RemoveBucket(const std::string& bucket) {
  TRY(CheckName("bucket", bucket));
  for (const std::string& object : TRY(objects_->List(bucket + "/"))) {
    TRY(Remove(bucket, object));
  }
  return {};
}

Status SimStorage::Link(const std::string& bucket, const std::string& object,
                        const std::string& directory) {
  TRY(CheckNames(bucket, object));
  const std::string name = bucket + "/" + object;
  if (objects_->IsRemoved(name)) {
    return objects_->Missing(name);
  }
  switch (TRY(objects_->Link(name, directory))) {
    case Put::kDone:
      return {};
    case Put::kFull:
      return objects_->Full(name);
    case Put::kMissing:
      return objects_->Missing(name);
    case Put::kTaken:
      break;
  }
  return Error(Reason::kObjectExists, "object " + name + ": there is another one in " + directory);
}

}  // namespace

std::unique_ptr<storage::Storage> NewSimStorage(std::shared_ptr<Endpoint> endpoint) {
  return std::make_unique<SimStorage>(std::move(endpoint));
}

}  // namespace luna::sim_kernel
