// attach: the universe of a directory, copied to a pool and served there from then on.
#include "engine/universe/attach.h"

#include <memory>
#include <string>

#include "apps/luna/verbs.h"
#include "apps/output/json.h"
#include "apps/output/screen.h"
#include "base/text.h"
#include "base/try.h"
#include "kernel/kernel.h"
#include "kernel/universe_copy.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::cli {
namespace {

std::string Summary(const universe::AttachReport& report, bool json) {
  const kernel::CopyProgress& copied = report.copied;
  if (json) {
    output::Json text;
    text.BeginObject().Key("databases").Number(report.databases);
    text.Key("streams").Number(copied.streams).Key("records").Number(copied.records);
    text.Key("objects").Number(copied.objects).Key("verified").Number(report.verified);
    text.Key("bytes").Number(copied.bytes);
    return text.EndObject().text();
  }
  return output::Grouped(report.databases) + " databases: " + output::Grouped(copied.records) +
         " records of " + output::Grouped(copied.streams) + " streams, " +
         output::Grouped(copied.objects) + " objects, " + base::FormatBytes(copied.bytes) + "; " +
         output::Grouped(report.verified) + " tables and blobs read again";
}

}  // namespace

Result<int> Attach(const Request& request) {
  const std::unique_ptr<runtime::Runtime> runtime = posix::NewPosixRuntime();
  const auto from = TRY(
      kernel::OpenKernel(request.file, *runtime, {.create_if_missing = false, .background = {}}));
  const auto to = TRY(kernel::BeginUniverse(request.to, *runtime, request.replace));
  std::unique_ptr<output::Progress> progress;
  const auto tell = [&](const kernel::CopyProgress& copied) {
    if (progress == nullptr) {
      progress = std::make_unique<output::Progress>("attach", output::Progress::Of::kRecords,
                                                    copied.objects_in_all);
    }
    progress->Update(copied.bytes, copied.objects);
  };
  const auto report = universe::Attach(*from, *to, tell);
  progress.reset();  // before anything else is shown
  if (!report.ok()) {
    const Error& error = report.error();
    return Error(error.reason(), error.message() + "; " + request.to +
                                     " was not finished and does not open: begin anew with "
                                     "--replace");
  }
  output::Print(Summary(*report, request.json()) + "\n");
  return output::kExitOk;
}

}  // namespace luna::cli
