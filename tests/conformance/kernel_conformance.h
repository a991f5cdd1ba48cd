// The suite that every Kernel passes, K1 to K8 in short; see kernel_test.cc. To add one: write a
// factory and INSTANTIATE_TEST_SUITE_P(Name, KernelConformance, ...).
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/try.h"
#include "kernel/kernel.h"

namespace luna::conformance {

inline Result<std::unique_ptr<kernel::Kernel>> OpenAt(const std::string& url,
                                                      runtime::Runtime& runtime,
                                                      bool create = true) {
  return kernel::OpenKernel(url, runtime, {.create_if_missing = create, .background = {}});
}

// Room for a universe and a checkpoint; what they hold goes with it.
class KernelPlace {
 public:
  virtual ~KernelPlace() = default;
  virtual runtime::Runtime& runtime() = 0;
  virtual std::string url() const = 0;
  virtual std::string checkpoint() const = 0;  // where the kernel's runtime has room for one
  // What no URL leads to is opened otherwise.
  virtual Result<std::unique_ptr<kernel::Kernel>> Open(const std::string& url,
                                                       runtime::Runtime& runtime, bool create) {
    return OpenAt(url, runtime, create);
  }
};

using KernelFactory = std::unique_ptr<KernelPlace> (*)();

inline journal::AppendResult AppendOne(journal::Stream& stream, std::string_view record) {
  const journal::StreamState state = stream.state();
  return stream.Append(state.epoch, state.tail, std::span(&record, 1), Durability::kDevice);
}

inline std::vector<std::string> ReadAll(journal::Stream& stream, journal::Sequence after) {
  std::vector<std::string> records;
  const auto reader = stream.Read(after).value();
  while (const auto record = reader->Next().value()) {
    EXPECT_EQ(record->sequence, ++after);
    records.emplace_back(record->payload);
  }
  return records;
}

inline Status PutIn(storage::Storage& storage, const std::string& object,
                    const std::string& bytes) {
  const auto writer = TRY(storage.Create("b", object));
  TRY(writer->Append(bytes));
  return writer->Finish();
}

class KernelConformance : public testing::TestWithParam<KernelFactory> {
 protected:
  Result<std::unique_ptr<kernel::Kernel>> OpenAt(const std::string& url, runtime::Runtime& runtime,
                                                 bool create = true) {
    return place_->Open(url, runtime, create);
  }
  std::string Target() const { return place_->checkpoint(); }
  std::unique_ptr<journal::Stream> Stream() {
    return kernel_->journal().Open("s", {.segment_bytes = 64 << 10}).value();
  }

  const std::unique_ptr<KernelPlace> place_ = GetParam()();
  std::unique_ptr<kernel::Kernel> kernel_ = OpenAt(place_->url(), place_->runtime()).value();
};

}  // namespace luna::conformance
