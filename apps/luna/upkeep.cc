// flush, compact, verify, checkpoint, backup, restore.
#include <memory>
#include <string>

#include "apps/luna/argument.h"
#include "apps/luna/session.h"
#include "apps/luna/verbs.h"
#include "apps/output/json.h"
#include "apps/output/screen.h"
#include "base/text.h"
#include "base/try.h"

namespace luna::cli {

using output::Grouped;
using output::Json;

Result<int> Flush(const Request& request) {
  const auto session = TRY(Session::Open(request, Missing::kIsAnError));
  const auto collection = TRY(session->OpenCollection());
  TRY(collection->Flush());
  TRY(session->Close());
  return output::kExitOk;
}

Result<int> Compact(const Request& request) {
  const auto session = TRY(Session::Open(request, Missing::kIsAnError));
  const auto collection = TRY(session->OpenCollection());
  const std::string begin = TRY(BytesOf(request, request.begin));
  const std::string end = TRY(BytesOf(request, request.end));
  TRY(collection->Compact(begin, end));
  TRY(session->Close());
  return output::kExitOk;
}

Result<int> Verify(const Request& request) {
  const auto session = TRY(Session::Open(request, Missing::kIsAnError));
  const VerifyReport report = TRY(session->universe().Verify());
  Json json;
  json.BeginObject().Key("objects").Number(report.objects).Key("bytes").Number(report.bytes);
  json.Key("journal_records").Number(report.journal_records).Key("damage").BeginArray();
  for (const Error& error : report.damage) {
    json.BeginObject().Key("reason").Text(Name(error.reason()));
    json.Key("message").Text(error.message()).EndObject();
    output::PrintError("luna", error);
  }
  json.EndArray().EndObject();
  output::Print(request.json
                    ? json.text() + "\n"
                    : Grouped(report.objects) + " objects (" + base::FormatBytes(report.bytes) +
                          ") and " + Grouped(report.journal_records) + " journal records read, " +
                          Grouped(report.damage.size()) + " damaged\n");
  TRY(session->Close());
  return report.damage.empty() ? output::kExitOk : output::kExitNegative;
}

Result<int> Checkpoint(const Request& request) {
  const auto session = TRY(Session::Open(request, Missing::kIsAnError));
  TRY(session->universe().Checkpoint(request.directory));
  TRY(session->Close());
  return output::kExitOk;
}

Result<int> Backup(const Request& request) {
  const auto session = TRY(Session::Open(request, Missing::kIsAnError));
  const auto database = TRY(session->OpenDatabase());
  const BackupReport report = TRY(database->Backup(request.directory));
  Json json;
  json.BeginObject().Key("objects_copied").Number(report.objects_copied);
  json.Key("bytes_copied").Number(report.bytes_copied);
  json.Key("objects_kept").Number(report.objects_kept).EndObject();
  output::Print(request.json ? json.text() + "\n"
                             : Grouped(report.objects_copied) + " objects copied (" +
                                   base::FormatBytes(report.bytes_copied) + "), " +
                                   Grouped(report.objects_kept) + " were there\n");
  TRY(session->Close());
  return output::kExitOk;
}

Result<int> Restore(const Request& request) {
  const auto session = TRY(Session::Open(request, Missing::kIsMade));
  TRY(session->universe().Restore(request.directory, request.name));
  TRY(session->Close());
  return output::kExitOk;
}

}  // namespace luna::cli
