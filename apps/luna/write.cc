// put, delete, increment.
#include <algorithm>
#include <chrono>
#include <string>

#include "apps/luna/argument.h"
#include "apps/luna/session.h"
#include "apps/luna/verbs.h"
#include "apps/output/json.h"
#include "apps/output/screen.h"
#include "base/try.h"

namespace luna::cli {
namespace {

// The smallest key greater than all with this prefix; empty if there is none.
std::string EndOfPrefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) {
    prefix.pop_back();
  }
  if (!prefix.empty()) {
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  }
  return prefix;
}

}  // namespace

Result<int> Put(const Request& request) {
  const std::string key = TRY(KeyOf(request));
  const bool piped = request.value == "-";
  const std::string value = TRY(piped ? ReadStandardInput() : BytesOf(request, request.value));
  const auto session = TRY(Session::Open(request, Missing::kIsMade));
  const auto collection = TRY(session->OpenCollection());
  const auto ttl = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::duration<double>(request.ttl_seconds));
  TRY(collection->Put(key, value, {.durability = {}, .time_to_live = ttl}));
  TRY(session->Close());
  return output::kExitOk;
}

Result<int> Delete(const Request& request) {
  const bool range = !request.begin.empty() || !request.end.empty() || !request.prefix.empty();
  if (range == request.key.has_value()) {
    return Error(Reason::kBadOption,
                 "delete needs either a key or a range by --prefix, --begin and --end; see "
                 "luna delete --help");
  }
  const auto session = TRY(Session::Open(request, Missing::kIsAnError));
  const auto collection = TRY(session->OpenCollection());
  if (!range) {
    const std::string key = TRY(KeyOf(request));
    TRY(collection->Delete(key));
  } else {
    const ScanOptions bounds = TRY(RangeOf(request));
    const std::string prefix_end = EndOfPrefix(bounds.prefix);
    const std::string begin = std::max(bounds.begin, bounds.prefix);
    const bool own_end = prefix_end.empty() || (!bounds.end.empty() && bounds.end < prefix_end);
    TRY(collection->DeleteRange(begin, own_end ? bounds.end : prefix_end));
  }
  TRY(session->Close());
  return output::kExitOk;
}

Result<int> Increment(const Request& request) {
  const std::string key = TRY(KeyOf(request));
  const auto session = TRY(Session::Open(request, Missing::kIsMade));
  const auto collection = TRY(session->OpenCollection());
  const int64_t value = TRY(collection->Increment(key, request.delta));
  output::Json json;
  json.BeginObject().Key("key").Bytes(key).Key("value").Number(value).EndObject();
  output::Print((request.json ? json.text() : std::to_string(value)) + "\n");
  TRY(session->Close());
  return output::kExitOk;
}

}  // namespace luna::cli
