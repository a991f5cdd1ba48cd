// get, scan, count.
#include <memory>
#include <optional>
#include <string>

#include "apps/luna/argument.h"
#include "apps/luna/session.h"
#include "apps/luna/verbs.h"
#include "apps/output/escape.h"
#include "apps/output/json.h"
#include "apps/output/screen.h"
#include "base/try.h"

namespace luna::cli {
namespace {

using output::Json;
using output::Keep;

void PrintValue(const Request& request, const std::string& key, const std::optional<Value>& value) {
  if (request.json) {
    Json json;
    json.BeginObject().Key("key").Bytes(key).Key("value");
    if (value.has_value()) {
      json.Bytes(value->bytes).Key("timestamp").Text(std::to_string(value->timestamp));
      if (value->expiry_millis != 0) {
        json.Key("expiry_millis").Number(value->expiry_millis);
      }
    } else {
      json.Null();
    }
    output::Print(json.EndObject().text() + "\n");
  } else if (value.has_value()) {
    output::Print(request.raw ? value->bytes : output::Escape(value->bytes, Keep::kLines) + "\n");
  }
}

void PrintEntry(const Request& request, Iterator& entry) {
  if (request.json) {
    Json json;
    json.BeginObject().Key("key").Bytes(entry.key());
    if (!request.keys_only) {
      json.Key("value").Bytes(entry.value());
    }
    output::Print(json.EndObject().text());
  } else {
    const auto text = [&](std::string_view bytes) {
      output::Print(request.raw ? std::string(bytes) : output::Escape(bytes));
    };
    text(entry.key());
    if (!request.keys_only) {
      output::Print("\t");
      text(entry.value());
    }
  }
  output::Print("\n");
}

}  // namespace

Result<int> Get(const Request& request) {
  const auto session = TRY(Session::Open(request, Missing::kIsAnError));
  const auto collection = TRY(session->OpenCollection());
  const std::string key = TRY(KeyOf(request));
  const std::optional<Value> value = TRY(collection->GetValue(key, {.at = request.at}));
  PrintValue(request, key, value);
  TRY(session->Close());
  return value.has_value() ? output::kExitOk : output::kExitNegative;
}

Result<int> Scan(const Request& request) {
  const auto session = TRY(Session::Open(request, Missing::kIsAnError));
  const auto collection = TRY(session->OpenCollection());
  const ScanOptions range = TRY(RangeOf(request));
  auto entry = TRY(collection->Scan(range));
  for (; entry->Valid(); entry->Next()) {
    if (!request.keys_only) {
      entry->value();  // a large value may turn out to be damaged: nothing of it is printed then
      if (!entry->Valid()) {
        break;
      }
    }
    PrintEntry(request, *entry);
  }
  TRY(entry->status());
  entry.reset();
  TRY(session->Close());
  return output::kExitOk;
}

Result<int> Count(const Request& request) {
  const auto session = TRY(Session::Open(request, Missing::kIsAnError));
  const auto collection = TRY(session->OpenCollection());
  const ScanOptions range = TRY(RangeOf(request));
  auto entry = TRY(collection->Scan(range));
  uint64_t count = 0;
  for (; entry->Valid(); entry->Next()) {
    ++count;
  }
  TRY(entry->status());
  entry.reset();
  output::Print(request.json ? Json().BeginObject().Key("count").Number(count).EndObject().text()
                             : std::to_string(count));
  output::Print("\n");
  TRY(session->Close());
  return output::kExitOk;
}

}  // namespace luna::cli
