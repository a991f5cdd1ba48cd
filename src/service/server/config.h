// Config: settings gathered from their sources, each over the one before: defaults, the file,
// the environment, flags. Remembers where each came from. What is wrong is named with its place,
// as "luna.toml:12", "LUNA_MEMORY" or "--memory", and what is wanted.
// Thread rule: owned by one thread.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "luna/status.h"
#include "service/server/settings.h"

namespace luna::server {

class Config {
 public:
  // The value of an environment variable; null: it is not set.
  using Variable = std::function<const char*(const std::string& name)>;

  // Reads `text`, TOML, which came from the file `path`. kBadOption: no TOML, an unknown key, a
  // value of another type or out of range.
  Status TakeFile(std::string_view text, const std::string& path);
  // LUNA_<NAME> for every setting, dashes as underscores; lists with commas. What is empty counts
  // as not set.
  Status TakeEnvironment(const Variable& variable);
  // What the flag of that name was given, in order. Lists grow by each; else the last one wins.
  Status TakeFlag(const Setting& setting, std::span<const std::string> texts);

  const Settings& settings() const { return settings_; }
  // "default", "luna.toml:12", "LUNA_MEMORY", "command line".
  std::string OriginOf(const Setting& setting) const;
  // Every setting with its origin: a file that says the same, but for secrets.
  std::string ToToml() const;

 private:
  Settings settings_;
  std::map<std::string_view, std::string> origins_;  // of those that are no defaults
};

// The variable of a setting: "slowlog-kept" is LUNA_SLOWLOG_KEPT.
std::string VariableOf(const Setting& setting);

}  // namespace luna::server
