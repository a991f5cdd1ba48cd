// Random tables that go to the limits of keys and values, and what a reader should find in them.
#pragma once

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "unit/engine/table/map_storage.h"

namespace luna::table {

// How a random table looks.
struct Shape {
  size_t entries = 500;
  size_t keys = 300;  // distinct, at most
  size_t max_value = 200;
  bool large_keys = false;  // some up to 64 KiB
  Timestamp timestamps = 1000;
};

inline std::string RandomKey(std::mt19937_64& random, const Shape& shape) {
  const uint64_t number = random() % shape.keys;
  switch (number % 5) {
    case 0:
      return NumberedKey(number);
    case 1:
      return std::string(number % 7, '\0');  // the empty key, and keys of zeros
    case 2:
      return std::string("bin\xff\x00", 5) + static_cast<char>(number) +
             std::string(number % 3, '\0');
    case 3:
      return shape.large_keys ? std::string(65000 + number % 537, 'k')
                              : std::string(number % 50, 'k');
    default:
      return "user/with/a/long/shared/prefix/" + std::to_string(number);
  }
}

inline std::vector<OwnedEntry> RandomEntries(std::mt19937_64& random, const Shape& shape) {
  std::vector<OwnedEntry> entries;
  for (size_t i = 0; i < shape.entries; ++i) {
    OwnedEntry entry{.key = RandomKey(random, shape), .timestamp = 1 + random() % shape.timestamps};
    entry.type = random() % 10 == 0 ? uint8_t{3} : uint8_t{0};
    entry.expiry_millis = random() % 4 == 0 ? random() % 100000 : 0;
    const uint64_t kind = random() % 10;
    if (kind == 0) {
      entry.kind = entry::Kind::kDelete;
    } else if (kind == 1) {
      entry.kind = entry::Kind::kBlob;
      entry.value = entry::EncodeBlobReference({"blob." + std::to_string(i), 70000 + i, i});
    } else {
      entry.value.resize(random() % (shape.max_value + 1), static_cast<char>(random()));
      for (size_t at = 0; at < entry.value.size(); at += 3) {
        entry.value[at] = static_cast<char>(random());
      }
    }
    entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(), Before);
  const auto same_place = [](const OwnedEntry& a, const OwnedEntry& b) {
    return a.key == b.key && a.timestamp == b.timestamp;
  };
  entries.erase(std::unique(entries.begin(), entries.end(), same_place), entries.end());
  return entries;
}

// What Get should answer.
inline const OwnedEntry* ModelGet(const std::vector<OwnedEntry>& entries, std::string_view key,
                                  Timestamp read) {
  const OwnedEntry target{.key = std::string(key), .timestamp = read};
  const auto found = std::lower_bound(entries.begin(), entries.end(), target, Before);
  return found == entries.end() || found->key != key ? nullptr : &*found;
}

// A key in or near the table.
inline std::string ProbeKey(std::mt19937_64& random, const std::vector<OwnedEntry>& entries) {
  std::string key = entries[random() % entries.size()].key;
  switch (random() % 5) {
    case 0:
      key.push_back('\0');
      break;
    case 1:
      key.resize(key.size() / 2);
      break;
    case 2:
      if (!key.empty()) {
        key.back() = static_cast<char>(key.back() + 1);
      }
      break;
    default:
      break;
  }
  return key;
}

inline std::vector<std::pair<Shape, TableOptions>> Cases() {
  std::vector<std::pair<Shape, TableOptions>> cases;
  for (const Codec codec : {Codec::kNone, Codec::kLz4, Codec::kZstd}) {
    cases.push_back({{}, {.block_bytes = 1024, .filter_bits_per_key = 12, .codec = codec}});
    // Many versions: runs of one key go over many blocks.
    cases.push_back({{.entries = 1500, .keys = 10, .max_value = 100, .timestamps = 100000},
                     {.block_bytes = 1024, .filter_bits_per_key = 12, .codec = codec}});
    // Every entry is larger than a block.
    cases.push_back({{.entries = 100, .keys = 50, .max_value = 65535, .large_keys = true},
                     {.block_bytes = 1024, .filter_bits_per_key = 0, .codec = codec}});
    cases.push_back(
        {{.entries = 3000, .keys = 3000, .max_value = 0, .timestamps = uint64_t{1} << 62},
         {.block_bytes = 65536, .filter_bits_per_key = 20, .codec = codec}});
    cases.push_back({{.entries = 1}, {.codec = codec}});
  }
  return cases;
}

}  // namespace luna::table
