#include "apps/luna_simulate/mixed_load.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>

#include "luna/luna.h"
#include "simulation/seeded_random.h"

namespace luna::simulate {

namespace {

constexpr uint64_t kKeys = 2'000'000;
constexpr uint64_t kLookEvery = 200;  // operations

uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t total = 0;
  uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

std::string KeyOf(uint64_t number) {
  std::string digits = std::to_string(number % kKeys);
  return "key-" + std::string(8 - std::min<size_t>(digits.size(), 8), '0') + digits;
}

class Load {
 public:
  Load(Collection& collection, uint64_t seed) : collection_(collection), random_(seed) {}

  Status Operation() {
    const uint64_t kind = random_.Below(1000);
    const std::string key = KeyOf(random_.Next());
    if (kind < 600) {
      return Put(key, 100 + random_.Below(1900));
    }
    if (kind < 602) {
      return Put(key, 65'536 + random_.Below(1 << 20));
    }
    if (kind < 660) {
      return collection_.Delete(key);
    }
    if (kind < 661) {
      return collection_.DeleteRange(key, key.substr(0, key.size() - 2) + "~");  // some hundred
    }
    if (kind < 960) {
      const auto got = collection_.Get(key);
      return got.ok() ? Status() : Status(got.error());
    }
    return Scan(key);
  }
  uint64_t written() const { return written_; }

 private:
  Status Put(const std::string& key, uint64_t bytes) {
    value_.assign(bytes, static_cast<char>('a' + bytes % 26));
    for (size_t i = 0; i + 8 < value_.size(); i += 64) {
      const uint64_t noise = random_.Next();
      value_.replace(i, 8, reinterpret_cast<const char*>(&noise), 8);
    }
    written_ += bytes;
    return collection_.Put(key, value_);
  }
  Status Scan(const std::string& key) {
    ScanOptions options;
    options.begin = key;
    options.limit = 1 + random_.Below(200);
    auto scan = collection_.Scan(options);
    if (!scan.ok()) {
      return scan.error();
    }
    for (; (*scan)->Valid(); (*scan)->Next()) {
      read_ += (*scan)->value().size();
    }
    return (*scan)->status();
  }

  Collection& collection_;
  simulation::SeededRandom random_;
  std::string value_;
  uint64_t written_ = 0;
  uint64_t read_ = 0;
};

}  // namespace

test::Verdict RunMixedLoad(const std::string& directory, uint64_t seed, const LoadLimits& limits) {
  Options options{.location = directory + "/universe",
                  .memory_budget_bytes = limits.budget_bytes,
                  .durability = Durability::kProcess};
  auto universe = Universe::Open(options);
  if (!universe.ok()) {
    return {false, universe.error().ToString(), 0};
  }
  auto database = (*universe)->OpenOrCreateDatabase("load");
  if (!database.ok()) {
    return {false, database.error().ToString(), 0};
  }
  auto collection = (*database)->OpenOrCreateCollection("load");
  if (!collection.ok()) {
    return {false, collection.error().ToString(), 0};
  }
  Load load(**collection, seed);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(limits.seconds);
  const uint64_t allowed = limits.budget_bytes / 5 * 6;
  uint64_t highest = 0;
  uint64_t operations = 0;
  while (std::chrono::steady_clock::now() < end && load.written() < limits.written_bytes) {
    for (uint64_t i = 0; i < kLookEvery; ++i, ++operations) {
      if (const Status done = load.Operation(); !done.ok()) {
        return {false, done.error().ToString(), 0};
      }
    }
    highest = std::max(highest, ResidentBytes());
  }
  const std::string told = std::to_string(operations) + " operations, " +
                           std::to_string(load.written() >> 20) + " MiB written, at most " +
                           std::to_string(highest >> 20) + " MiB resident of " +
                           std::to_string(limits.budget_bytes >> 20) + " MiB budget";
  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), told.c_str());
  return {highest <= allowed, told, 0};
}

}  // namespace luna::simulate
