#include "engine/basestore/object_names.h"

#include <charconv>

#include "base/text.h"
#include "engine/compaction/merge_task.h"

namespace luna::basestore {

std::string BucketName(uint64_t database) {
  return "db-" + std::to_string(database);
}

namespace {

// Takes "<number>." from the front; nothing if that is not there.
std::optional<uint64_t> TakeNumber(std::string_view& rest) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc() || end == rest.data() + rest.size() || *end != '.') {
    return std::nullopt;
  }
  rest.remove_prefix(static_cast<size_t>(end - rest.data()) + 1);
  return number;
}

}  // namespace

std::optional<Origin> OriginOf(std::string_view object) {
  const bool led = object.starts_with("t-") || object.starts_with("b-");
  if (!led && !object.starts_with("j-")) {
    return std::nullopt;
  }
  object.remove_prefix(2);
  const std::optional<uint64_t> first = TakeNumber(object);
  if (!first.has_value() || object.empty()) {
    return std::nullopt;
  }
  if (!led) {
    return Origin{.job = *first};
  }
  const std::optional<uint64_t> epoch = TakeNumber(object);
  if (!epoch.has_value() || object.empty()) {
    return std::nullopt;
  }
  return Origin{.group = *first, .epoch = *epoch};
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
  return compaction::RunName(job, runtime_.random().Next());
}

base::Id128 ObjectNames::NextSalt() {
  const uint64_t high = runtime_.random().Next();
  return {.high = high, .low = runtime_.random().Next()};
}

}  // namespace luna::basestore
