#include "engine/basestore/object_names.h"

#include "base/text.h"

namespace luna::basestore {

std::string BucketName(uint64_t database) {
  return "db-" + std::to_string(database);
}

ObjectNames::ObjectNames(runtime::Runtime& runtime, uint64_t group, uint64_t epoch)
    : runtime_(runtime), group_(group), epoch_(epoch) {}

std::string ObjectNames::NextTable() {
  return "t-" + std::to_string(group_) + "." + std::to_string(epoch_) + "." +
         std::to_string(counter_.fetch_add(1, std::memory_order_relaxed) + 1);
}

std::string ObjectNames::NextBlob() {
  return "b-" + std::to_string(group_) + "." + std::to_string(epoch_) + "." +
         std::to_string(counter_.fetch_add(1, std::memory_order_relaxed) + 1);
}

std::string ObjectNames::JobRun(uint64_t job) {
  std::string random(8, '\0');
  uint64_t bits = runtime_.random().Next();
  for (char& byte : random) {
    byte = static_cast<char>(bits & 0xff);
    bits >>= 8;
  }
  return "j-" + std::to_string(job) + "." + base::Hex(random);
}

base::Id128 ObjectNames::NextSalt() {
  const uint64_t high = runtime_.random().Next();
  return {.high = high, .low = runtime_.random().Next()};
}

}  // namespace luna::basestore
