#include "support/versioned_model.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace luna::test {

namespace {

constexpr size_t kShownBytes = 24;

bool InRange(const std::string& key, const std::string& end) { return end.empty() || key < end; }

}  // namespace

std::string Show(const ModelEntry& entry) {
  std::string text = base::Printable(entry.key) + "=";
  text += base::Printable(std::string_view(entry.value).substr(0, kShownBytes));
  if (entry.value.size() > kShownBytes) {
    text += "…(" + std::to_string(entry.value.size()) + ")";
  }
  text += "@" + std::to_string(entry.timestamp);
  if (entry.expiry_millis != 0) {
    text += " expires " + std::to_string(entry.expiry_millis);
  }
  if (entry.type != 0) {
    text += " type " + std::to_string(entry.type);
  }
  return text;
}

std::string Show(const std::vector<ModelEntry>& entries) {
  std::string text = "[";
  for (const ModelEntry& entry : entries) {
    text += (text.size() > 1 ? ", " : "") + Show(entry);
  }
  return text + "]";
}

bool SameEntry(const ModelEntry& expected, const ModelEntry& seen) {
  if (expected.key != seen.key || expected.value != seen.value || expected.type != seen.type ||
      expected.timestamp != seen.timestamp) {
    return false;
  }
  return expected.timestamp == 0 || expected.expiry_millis == seen.expiry_millis;
}

std::string Difference(const std::vector<ModelEntry>& expected,
                       const std::vector<ModelEntry>& seen) {
  for (size_t i = 0; i < std::max(expected.size(), seen.size()); ++i) {
    if (i < expected.size() && i < seen.size() && SameEntry(expected[i], seen[i])) {
      continue;
    }
    return "entry " + std::to_string(i) + ": expected " +
           (i < expected.size() ? Show(expected[i]) : "no more") + ", saw " +
           (i < seen.size() ? Show(seen[i]) : "no more") + " (" + std::to_string(expected.size()) +
           " expected, " + std::to_string(seen.size()) + " seen)";
  }
  return "";
}

void VersionedModel::Add(uint64_t collection, const std::string& key, Version version) {
  newest_ = std::max(newest_, version.timestamp);
  collections_[collection][key].push_back(std::move(version));
}

std::optional<ModelEntry> VersionedModel::Visible(const std::string& key,
                                                  const std::vector<Version>& versions,
                                                  Moment moment) {
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    if (version->timestamp > moment.newest) {
      continue;
    }
    const bool expired =
        version->expiry_millis != 0 && MillisOf(moment.clock) >= version->expiry_millis;
    if (!version->value.has_value() || expired) {
      return std::nullopt;
    }
    return ModelEntry{key, *version->value, version->timestamp, version->expiry_millis,
                      version->type};
  }
  return std::nullopt;
}

std::optional<ModelEntry> VersionedModel::Get(uint64_t collection, const std::string& key,
                                              Moment moment) const {
  const auto found = collections_.find(collection);
  if (found == collections_.end()) {
    return std::nullopt;
  }
  const auto versions = found->second.find(key);
  return versions == found->second.end() ? std::nullopt : Visible(key, versions->second, moment);
}

std::vector<ModelEntry> VersionedModel::Range(uint64_t collection, const std::string& begin,
                                              const std::string& end, Moment moment) const {
  std::vector<ModelEntry> entries;
  const auto found = collections_.find(collection);
  if (found == collections_.end()) {
    return entries;
  }
  for (auto at = found->second.lower_bound(begin);
       at != found->second.end() && InRange(at->first, end); ++at) {
    if (auto entry = Visible(at->first, at->second, moment); entry) {
      entries.push_back(std::move(*entry));
    }
  }
  return entries;
}

std::vector<std::string> VersionedModel::Keys(uint64_t collection, const std::string& begin,
                                              const std::string& end) const {
  std::vector<std::string> keys;
  const auto found = collections_.find(collection);
  if (found == collections_.end()) {
    return keys;
  }
  for (auto at = found->second.lower_bound(begin);
       at != found->second.end() && InRange(at->first, end); ++at) {
    keys.push_back(at->first);
  }
  return keys;
}

void VersionedModel::Replace(uint64_t collection, const std::vector<ModelEntry>& entries) {
  Drop(collection);
  for (const ModelEntry& entry : entries) {
    Add(collection, entry.key, {entry.timestamp, entry.value, entry.expiry_millis, entry.type});
  }
}

}  // namespace luna::test
