// The suite that every Storage passes (Kernel contract K6), see storage_test.cc. To add an
// implementation: write a factory and INSTANTIATE_TEST_SUITE_P(Name, StorageConformance, ...).
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "kernel/storage/storage.h"

namespace luna::conformance {

// An empty storage; what it holds goes with it.
class StoragePlace {
 public:
  virtual ~StoragePlace() = default;
  virtual storage::Storage& storage() = 0;
  virtual void Reopen() = 0;
  // A storage over what Link put below `directory`.
  virtual storage::Storage& Linked(const std::string& directory) = 0;
  virtual std::string directory_for_links() const = 0;
};

using StorageFactory = std::unique_ptr<StoragePlace> (*)();

class StorageConformance : public testing::TestWithParam<StorageFactory> {
 protected:
  storage::Storage& storage() { return place_->storage(); }
  void Put(const std::string& bucket, const std::string& object, std::string_view bytes) {
    auto writer = storage().Create(bucket, object).value();
    writer->Append(bytes).value();
    writer->Finish().value();
  }
  static std::string All(const storage::ObjectReader& reader) {
    std::string bytes(reader.size(), '\0');
    reader.Read(0, bytes.size(), bytes.data()).value();
    return bytes;
  }
  std::string Get(const std::string& bucket, const std::string& object) {
    return All(*storage().Open(bucket, object).value());
  }

  const std::unique_ptr<StoragePlace> place_ = GetParam()();
};

}  // namespace luna::conformance
