#include "service/server/config.h"

// The only file that knows toml++; no exception of it goes further.
#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/text.h"
#include "base/try.h"

namespace luna::server {

namespace {

using Kind = Setting::Kind;

Error Wrong(const std::string& place, const std::string& message) {
  return Error(Reason::kBadOption, place + ": " + message);
}

std::string PlaceOf(const std::string& path, const toml::source_region& source) {
  return path + ":" + std::to_string(source.begin.line);
}

Result<toml::table> Parse(std::string_view text, const std::string& path) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return Wrong(PlaceOf(path, error.source()),
                 "this is no TOML: " + std::string(error.description()));
  }
}

Error UnknownKey(const std::string& place, std::string_view key, bool is_table) {
  const std::string name = "'" + base::Printable(key) + "'";
  if (is_table) {
    return Wrong(place, "there are no sections, but here is " + name +
                            "; settings stand at the top, see lunad --print-config");
  }
  const std::string_view nearest = NearestSetting(key);
  return Wrong(place, "no setting is called " + name +
                          (nearest.empty() ? "; lunad --print-config names all"
                                           : "; is '" + std::string(nearest) + "' meant?"));
}

Error WrongType(const std::string& place, const Setting& setting) {
  return Wrong(place, std::string(setting.name) + ": wanted is " + Wanted(setting));
}

Status Placed(const std::string& place, const Status& status) {
  return status.ok() ? status : Wrong(place, status.error().message());
}

Status TakeList(const std::string& place, const Setting& setting, const toml::node& node,
                Settings& settings) {
  const toml::array* array = node.as_array();
  if (array == nullptr) {
    return WrongType(place, setting);
  }
  std::vector<std::string> list;
  for (const toml::node& element : *array) {
    const auto* text = element.as_string();
    if (text == nullptr) {
      return WrongType(place, setting);
    }
    list.push_back(text->get());
  }
  settings.*std::get<std::vector<std::string> Settings::*>(setting.field) = std::move(list);
  return {};
}

Status TakeNode(const std::string& place, const Setting& setting, const toml::node& node,
                Settings& settings) {
  switch (setting.kind) {
    case Kind::kList:
      return TakeList(place, setting, node, settings);
    case Kind::kNumber:
      if (const auto* number = node.as_integer(); number != nullptr) {
        return Placed(place, TakeNumber(setting, number->get(), settings));
      }
      return WrongType(place, setting);
    case Kind::kSwitch:
      if (const auto* on = node.as_boolean(); on != nullptr) {
        settings.*std::get<bool Settings::*>(setting.field) = on->get();
        return {};
      }
      return WrongType(place, setting);
    case Kind::kBytes:
    case Kind::kChoice:
    case Kind::kText:
      break;
  }
  if (const auto* text = node.as_string(); text != nullptr) {
    return Placed(place, TakeText(setting, text->get(), settings));
  }
  return WrongType(place, setting);
}

// A basic string of TOML: quotes, backslashes and control characters escaped.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += "\\u00" + base::Hex(std::string_view(&c, 1));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string TomlOf(const Setting& setting, const Settings& settings) {
  switch (setting.kind) {
    case Kind::kNumber:
    case Kind::kSwitch:
      return TextOf(setting, settings);
    case Kind::kList: {
      std::string list;
      for (const std::string& one :
           settings.*std::get<std::vector<std::string> Settings::*>(setting.field)) {
        list += (list.empty() ? "" : ", ") + Quoted(one);
      }
      return "[" + list + "]";
    }
    case Kind::kBytes:
    case Kind::kChoice:
    case Kind::kText:
      break;
  }
  return Quoted(TextOf(setting, settings));
}

}  // namespace

std::string VariableOf(const Setting& setting) {
  std::string name = "LUNA_";
  for (const char c : setting.name) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

Status Config::TakeFile(std::string_view text, const std::string& path) {
  const toml::table table = TRY(Parse(text, path));
  // In the order of the file, so that the first mistake is named first.
  std::vector<std::pair<std::string_view, const toml::node*>> nodes;
  for (const auto& [key, node] : table) {
    nodes.emplace_back(key.str(), &node);
  }
  std::ranges::sort(nodes, {}, [](const auto& pair) { return pair.second->source().begin.line; });
  for (const auto& [key, node] : nodes) {
    const std::string place = PlaceOf(path, node->source());
    const Setting* setting = FindSetting(key);
    if (setting == nullptr || setting->name != key) {
      return UnknownKey(place, key, node->is_table());
    }
    TRY(TakeNode(place, *setting, *node, settings_));
    origins_[setting->name] = place;
  }
  return {};
}

Status Config::TakeEnvironment(const Variable& variable) {
  for (const Setting& setting : AllSettings()) {
    const std::string name = VariableOf(setting);
    const char* text = variable(name);
    if (text == nullptr || *text == '\0') {
      continue;
    }
    TRY(Placed(name, TakeText(setting, text, settings_)));
    origins_[setting.name] = name;
  }
  return {};
}

Status Config::TakeFlag(const Setting& setting, std::span<const std::string> texts) {
  const std::string place = "--" + std::string(setting.name);
  std::vector<std::string> list;
  for (const std::string& text : texts) {
    TRY(Placed(place, TakeText(setting, text, settings_)));
    if (setting.kind == Kind::kList) {
      auto& taken = settings_.*std::get<std::vector<std::string> Settings::*>(setting.field);
      list.insert(list.end(), taken.begin(), taken.end());
      taken = list;
    }
  }
  origins_[setting.name] = "command line";
  return {};
}

std::string Config::OriginOf(const Setting& setting) const {
  const auto found = origins_.find(setting.name);
  return found == origins_.end() ? "default" : found->second;
}

std::string Config::ToToml() const {
  constexpr size_t kCommentColumn = 44;
  std::string text;
  for (const Setting& setting : AllSettings()) {
    const std::string value = TomlOf(setting, settings_);
    const bool hidden = setting.secret && !TextOf(setting, settings_).empty();
    std::string line = (hidden ? "# " : "") + std::string(setting.name) + " = " + value;
    line.resize(std::max(line.size() + 2, kCommentColumn), ' ');
    text += line + "# " + base::Printable(OriginOf(setting), 4096) + "\n";
  }
  return text;
}

}  // namespace luna::server
