// export: a collection, or a part of it, as text that load reads back to the same bytes.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
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

using FilePointer = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

Error FileError(const std::string& path) {
  const Reason reason = errno == EEXIST ? Reason::kFileExists : Reason::kIoError;
  return Error(reason, path + " cannot be written: " + std::strerror(errno) +
                           "; name another file, or - for standard output");
}

std::string CsvCell(std::string_view bytes) {
  if (bytes.find_first_of(",\"\r\n") == std::string_view::npos) {
    return std::string(bytes);
  }
  std::string cell = "\"";
  for (const char c : bytes) {
    cell += c == '"' ? "\"\"" : std::string(1, c);
  }
  return cell + "\"";
}

std::string LineOf(const std::string& format, Iterator& entry) {
  if (format == "jsonl") {
    output::Json json;
    json.BeginObject().Key("key").Bytes(entry.key()).Key("value").Bytes(entry.value());
    return json.EndObject().text() + "\n";
  }
  if (format == "csv") {
    return CsvCell(entry.key()) + "," + CsvCell(entry.value()) + "\n";
  }
  return output::Escape(entry.key()) + "\t" + output::Escape(entry.value()) + "\n";
}

}  // namespace

Result<int> Export(const Request& request) {
  const auto session = TRY(Session::Open(request, Missing::kIsAnError));
  const auto collection = TRY(session->OpenCollection());
  const ScanOptions range = TRY(RangeOf(request));
  auto entry = TRY(collection->Scan(range));
  const bool to_stdout = request.file == "-";
  // "x": never over a file that is there.
  FilePointer file(to_stdout ? nullptr : std::fopen(request.file.c_str(), "wx"), &std::fclose);
  std::FILE* to = to_stdout ? stdout : file.get();
  if (to == nullptr) {
    return FileError(request.file);
  }
  uint64_t count = 0;
  for (; entry->Valid(); entry->Next()) {
    entry->value();  // a large value may turn out to be damaged
    if (!entry->Valid()) {
      break;
    }
    const std::string line = LineOf(request.format, *entry);
    std::fwrite(line.data(), 1, line.size(), to);
    ++count;
  }
  TRY(entry->status());
  entry.reset();
  TRY(session->Close());
  if (!to_stdout) {
    const bool lost = std::ferror(to) != 0;
    if (std::fclose(file.release()) != 0 || lost) {
      return FileError(request.file);
    }
    output::Print(request.json
                      ? output::Json().BeginObject().Key("records").Number(count).EndObject().text()
                      : output::Grouped(count) + " records");
    output::Print("\n");
  }
  return output::kExitOk;
}

}  // namespace luna::cli
