// export: a collection, or a part of it, as text that load reads back to the same bytes.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "apps/client/client.h"
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

std::string LineOf(const std::string& format, const std::string& key, const std::string& value) {
  if (format == "jsonl") {
    output::Json json;
    json.BeginObject().Key("key").Bytes(key).Key("value").Bytes(value);
    return json.EndObject().text() + "\n";
  }
  if (format == "csv") {
    return CsvCell(key) + "," + CsvCell(value) + "\n";
  }
  return output::Escape(key) + "\t" + output::Escape(value) + "\n";
}

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

// The bounds of the request in the words of RANGE.
struct Bounds {
  std::string min;
  std::string max;
};

Bounds BoundsOf(const Request& request) {
  const std::string begin = std::max(request.begin, request.prefix);
  const std::string prefix_end = EndOfPrefix(request.prefix);
  const bool own_end = prefix_end.empty() || (!request.end.empty() && request.end < prefix_end);
  const std::string& end = own_end ? request.end : prefix_end;
  return {begin.empty() ? "-" : "[" + begin, end.empty() ? "+" : "(" + end};
}

// Writes all entries, page by page of one snapshot; how many.
Result<uint64_t> WriteEntries(client::Client& client, const Request& request, std::FILE* to) {
  const Bounds bounds = BoundsOf(request);
  uint64_t count = 0;
  std::string cursor;
  do {
    const resp::Reply page =
        TRY(client.Call({"RANGE", bounds.min, bounds.max, "LIMIT", "4096", "CURSOR", cursor}));
    if (page.failed() || page.elements.size() != 2) {
      return Error(Reason::kIoError, "the service ended the export: " + page.text);
    }
    const std::vector<resp::Reply>& entries = page.elements[1].elements;
    for (size_t i = 0; i + 1 < entries.size(); i += 2) {
      const std::string line = LineOf(request.format, entries[i].text, entries[i + 1].text);
      std::fwrite(line.data(), 1, line.size(), to);
      ++count;
    }
    cursor = page.elements[0].text;
  } while (!cursor.empty() && std::ferror(to) == 0);
  return count;
}

}  // namespace

Result<int> Export(const Request& request) {
  const auto client = TRY(client::Client::Connect(request.target));
  const bool to_stdout = request.file == "-";
  // "x": never over a file that is there.
  FilePointer file(to_stdout ? nullptr : std::fopen(request.file.c_str(), "wx"), &std::fclose);
  std::FILE* to = to_stdout ? stdout : file.get();
  if (to == nullptr) {
    return FileError(request.file);
  }
  const uint64_t count = TRY(WriteEntries(*client, request, to));
  TRY(client->Close());
  if (!to_stdout) {
    const bool lost = std::ferror(to) != 0;
    if (std::fclose(file.release()) != 0 || lost) {
      return FileError(request.file);
    }
    output::Print(request.json()
                      ? output::Json().BeginObject().Key("records").Number(count).EndObject().text()
                      : output::Grouped(count) + " records");
    output::Print("\n");
  }
  return output::kExitOk;
}

}  // namespace luna::cli
