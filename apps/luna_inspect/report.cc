#include "apps/luna_inspect/report.h"

#include "apps/output/escape.h"
#include "apps/output/screen.h"
#include "base/text.h"

namespace luna::inspect {
namespace {

std::string TextOf(const FileReport::Fact& fact) {
  std::string name = fact.name;
  for (char& c : name) {
    c = c == '_' ? ' ' : c;
  }
  if (const auto* number = std::get_if<uint64_t>(&fact.value)) {
    return name + " " + std::to_string(*number);
  }
  return name + " " + output::Escape(std::get<std::string>(fact.value));
}

std::string TextOf(const FileReport& report) {
  std::string text = report.path + ": " + report.kind + ", " + base::FormatBytes(report.bytes);
  for (const FileReport::Fact& fact : report.facts) {
    text += ", " + TextOf(fact);
  }
  if (report.damage.has_value()) {
    const Damage& damage = *report.damage;
    text += "\n  DAMAGED at offset " + std::to_string(damage.offset);
    text += damage.length.has_value() ? ", " + std::to_string(*damage.length) + " bytes" : "";
    text += ": " + output::Escape(damage.error.message(), output::Keep::kBackslashes) + " [" +
            std::string(Name(damage.error.reason())) + "]";
  }
  return text + "\n";
}

std::string JsonOf(const FileReport& report) {
  output::Json json;
  json.BeginObject().Key("path").Bytes(report.path).Key("kind").Text(report.kind);
  json.Key("bytes").Number(report.bytes);
  for (const FileReport::Fact& fact : report.facts) {
    json.Key(fact.name);
    if (const auto* number = std::get_if<uint64_t>(&fact.value)) {
      json.Number(*number);
    } else {
      json.Bytes(std::get<std::string>(fact.value));
    }
  }
  json.Key("damage");
  if (report.damage.has_value()) {
    json.BeginObject().Key("offset").Number(report.damage->offset);
    if (report.damage->length.has_value()) {
      json.Key("length").Number(*report.damage->length);
    }
    json.Key("reason").Text(Name(report.damage->error.reason()));
    json.Key("message").Text(report.damage->error.message()).EndObject();
  } else {
    json.Null();
  }
  return json.EndObject().text() + "\n";
}

}  // namespace

void Printer::Print(const FileReport& report) {
  ++files_;
  bytes_ += report.bytes;
  damaged_ += report.damage.has_value() ? 1 : 0;
  output::Print(json_ ? JsonOf(report) : TextOf(report));
}

void Printer::Entry(const std::string& path, const std::string& text, output::Json& fields) {
  output::Json line;
  line.BeginObject().Key("path").Bytes(path).Key("entry").Splice(fields).EndObject();
  output::Print(json_ ? line.text() + "\n" : "  " + text + "\n");
}

void Printer::Summary() {
  output::Json json;
  json.BeginObject().Key("files").Number(files_).Key("bytes").Number(bytes_);
  json.Key("damaged").Number(damaged_).EndObject();
  output::Print(json_ ? json.text() + "\n"
                      : output::Grouped(files_) + " files, " + base::FormatBytes(bytes_) + ", " +
                            output::Grouped(damaged_) + " damaged\n");
}

}  // namespace luna::inspect
