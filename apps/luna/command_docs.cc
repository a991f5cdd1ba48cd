#include "apps/luna/command_docs.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "apps/luna/word.h"
#include "base/try.h"

namespace luna::cli {
namespace {

using resp::Reply;

// The value of a name in a map; null: not there.
const Reply* At(const Reply& map, std::string_view name) {
  for (size_t i = 0; i + 1 < map.elements.size(); i += 2) {
    if (map.elements[i].text == name) {
      return &map.elements[i + 1];
    }
  }
  return nullptr;
}

std::string TextAt(const Reply& map, std::string_view name) {
  const Reply* value = At(map, name);
  return value == nullptr ? "" : value->text;
}

std::string SyntaxOf(const Reply& arguments) {
  std::string syntax;
  for (const Reply& argument : arguments.elements) {
    const bool optional = At(argument, "flags") != nullptr;
    const std::string name = TextAt(argument, "display_text");
    syntax += (syntax.empty() ? "" : " ") + (optional ? "[" + name + "]" : name);
  }
  return syntax;
}

// The option words in a syntax: those in capitals.
std::vector<std::string> OptionsIn(std::string_view syntax) {
  std::vector<std::string> options;
  std::string word;
  bool small = false;
  for (const char c : std::string(syntax) + " ") {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
    if (letter) {
      small = small || std::islower(static_cast<unsigned char>(c)) != 0;
      word += c;
      continue;
    }
    if (word.size() > 1 && !small) {
      options.push_back(word);
    }
    word.clear();
    small = false;
  }
  return options;
}

std::string Described(const CommandDoc& doc) {
  return doc.name + (doc.syntax.empty() ? "" : " " + doc.syntax) + "\n  " + doc.summary + "\n";
}

}  // namespace

std::string UpperCase(std::string_view text) {
  std::string upper(text);
  for (char& letter : upper) {
    letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  }
  return upper;
}

Result<CommandDocs> CommandDocs::Read(client::Client& client) {
  const Reply reply = TRY(client.Call({"COMMAND", "DOCS"}));
  CommandDocs docs;
  for (size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
    docs.Add(UpperCase(reply.elements[i].text), reply.elements[i + 1]);
  }
  return docs;
}

void CommandDocs::Add(const std::string& name, const Reply& entry) {
  CommandDoc doc{.name = name,
                 .syntax = {},
                 .summary = TextAt(entry, "summary"),
                 .group = TextAt(entry, "group"),
                 .subcommands = {}};
  if (const Reply* arguments = At(entry, "arguments"); arguments != nullptr) {
    doc.syntax = SyntaxOf(*arguments);
  }
  if (const Reply* below = At(entry, "subcommands"); below != nullptr) {
    for (size_t i = 0; i + 1 < below->elements.size(); i += 2) {
      std::string whole = UpperCase(below->elements[i].text);  // "CLIENT|LIST"
      std::ranges::replace(whole, '|', ' ');
      doc.subcommands.push_back(whole.substr(whole.find(' ') + 1));
      Add(whole, below->elements[i + 1]);
    }
  }
  by_name_[name] = std::move(doc);
}

const CommandDoc* CommandDocs::Find(const std::vector<std::string>& words) const {
  if (words.empty()) {
    return nullptr;
  }
  const std::string name = UpperCase(words[0]);
  if (words.size() > 1) {
    if (const auto found = by_name_.find(name + " " + UpperCase(words[1]));
        found != by_name_.end()) {
      return &found->second;
    }
  }
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &found->second;
}

std::vector<std::string> CommandDocs::Completions(const std::vector<std::string>& words) const {
  const std::string begun = UpperCase(words.back());
  std::vector<std::string> candidates;
  if (words.size() == 1) {
    for (const auto& [name, doc] : by_name_) {
      if (name.find(' ') == std::string::npos) {
        candidates.push_back(name);
      }
    }
    candidates.insert(candidates.end(), {"HELP", "QUIT"});
  } else if (UpperCase(words[0]) == "HELP") {
    return Completions({words.begin() + 1, words.end()});
  } else if (const CommandDoc* doc = Find({words.begin(), words.end() - 1}); doc != nullptr) {
    candidates =
        words.size() == 2 && !doc->subcommands.empty() ? doc->subcommands : OptionsIn(doc->syntax);
  }
  std::erase_if(candidates, [&](const std::string& word) { return !word.starts_with(begun); });
  std::ranges::sort(candidates);
  const auto twice = std::ranges::unique(candidates);
  candidates.erase(twice.begin(), twice.end());
  return candidates;
}

std::string CommandDocs::Help(const std::vector<std::string>& words) const {
  std::string text;
  if (words.empty()) {
    std::map<std::string, std::string> groups;
    for (const auto& [name, doc] : by_name_) {
      if (name.find(' ') == std::string::npos) {
        groups[doc.group] += " " + name;
      }
    }
    for (const auto& [group, names] : groups) {
      text += group + ":" + names + "\n";
    }
    return text +
           "HELP COMMAND tells more of one; QUIT or Ctrl-D ends, Ctrl-C takes back a line.\n";
  }
  const CommandDoc* doc = Find(words);
  if (doc == nullptr) {
    std::vector<std::string_view> names;
    for (const auto& [name, known] : by_name_) {
      names.push_back(name);
    }
    const std::string wanted = UpperCase(words[0]);
    const std::string_view closest = Closest(wanted, names);
    return "no command is called " + wanted +
           (closest.empty() ? "" : "; did you mean " + std::string(closest) + "?") + "\n";
  }
  text = Described(*doc);
  for (const std::string& name : doc->subcommands) {
    text += Described(by_name_.at(doc->name + " " + name));
  }
  return text;
}

}  // namespace luna::cli
