// load: records from text into a collection, in transactions of about a mebibyte.
#include <memory>
#include <optional>
#include <string>

#include "apps/luna/session.h"
#include "apps/luna/verbs.h"
#include "apps/output/json.h"
#include "apps/output/screen.h"
#include "apps/records/record_reader.h"
#include "base/text.h"
#include "base/try.h"

namespace luna::cli {
namespace {

using output::Grouped;

constexpr size_t kBatchRecords = 4096;
constexpr size_t kBatchBytes = size_t{1} << 20;
constexpr size_t kMaxKeyBytes = size_t{64} << 10;  // as include/luna/collection.h says
constexpr uint64_t kSkipsShown = 5;

// Owned by one thread.
class Loader {
 public:
  Loader(const Request& request, Database& database, Collection& collection,
         records::RecordReader& reader)
      : request_(request),
        database_(database),
        collection_(collection),
        reader_(reader),
        progress_("load", output::Progress::Of::kBytes, reader.source().size()) {}

  Status Run() {
    for (;;) {
      const auto next = Next();
      if (!next.ok()) {
        TRY(Commit());  // what came before the bad record is good
        progress_.Clear();
        return WithCount(next.error());
      }
      if (!next->has_value()) {
        TRY(Commit());
        progress_.Clear();
        return {};
      }
      batch_.Put(collection_, (*next)->key, (*next)->value);
      if (batch_.count() >= kBatchRecords || batch_.bytes() >= kBatchBytes) {
        TRY(Commit());
      }
      progress_.Update(reader_.source().bytes(), stored_ + batch_.count());
    }
  }

  void PrintSummary() const {
    const double seconds = progress_.seconds();
    const uint64_t bytes = reader_.source().bytes();
    const auto per_second = [seconds](uint64_t amount) {
      return static_cast<uint64_t>(static_cast<double>(amount) / seconds);
    };
    output::Json json;
    json.BeginObject().Key("records").Number(stored_).Key("skipped").Number(skipped_);
    json.Key("bytes").Number(bytes).Key("seconds").Ratio(seconds).EndObject();
    output::Print(request_.json
                      ? json.text() + "\n"
                      : Grouped(stored_) + " records (" + base::FormatBytes(bytes) + ") in " +
                            output::Fixed(seconds, 1) + " s: " + Grouped(per_second(stored_)) +
                            " records/s, " + base::FormatBytes(per_second(bytes)) + "/s" +
                            (skipped_ > 0 ? "; " + Grouped(skipped_) + " bad ones skipped" : "") +
                            "\n");
  }

 private:
  // The next record that is good; bad ones are counted or returned as errors, as asked for.
  Result<std::optional<records::Record>> Next() {
    for (;;) {
      auto next = reader_.Next();
      if (next.ok() && next->has_value() && (*next)->key.size() > kMaxKeyBytes) {
        next = Error(Reason::kBadInput, reader_.source().name() + " line " +
                                            std::to_string((*next)->line) + ": the key has " +
                                            std::to_string((*next)->key.size()) +
                                            " bytes, at most 65536 are possible; shorten it");
      }
      if (next.ok() || next.error().reason() != Reason::kBadInput || !request_.skip_bad) {
        return next;
      }
      if (++skipped_ <= kSkipsShown) {
        progress_.Clear();
        output::PrintError("luna: skipped", next.error());
      }
    }
  }

  Status Commit() {
    if (batch_.count() == 0) {
      return {};
    }
    const size_t count = batch_.count();
    const auto committed = database_.Write(batch_);
    if (!committed.ok()) {
      progress_.Clear();
      return WithCount(committed.error());
    }
    stored_ += count;
    batch_.Clear();
    return {};
  }

  Error WithCount(const Error& error) const {
    return Error(
        error.reason(),
        error.message() + " (the " + Grouped(stored_) + " records before are stored" +
            (error.reason() == Reason::kBadInput ? "; --skip-bad leaves out bad ones)" : ")"));
  }

  const Request& request_;
  Database& database_;
  Collection& collection_;
  records::RecordReader& reader_;
  output::Progress progress_;
  WriteBatch batch_;
  uint64_t stored_ = 0;
  uint64_t skipped_ = 0;
};

}  // namespace

Result<int> Load(const Request& request) {
  // The input first: a wrong file name must not leave a new universe behind.
  auto source = TRY(records::LineSource::Open(request.file));
  const auto reader = records::NewReader(
      records::ParseFormat(request.format).value_or(records::Format::kTsv), std::move(source),
      {.key = request.key_field, .value = request.value_field, .raw = request.raw});
  const auto session = TRY(Session::Open(request, Missing::kIsMade));
  const auto database = TRY(session->OpenDatabase());
  const auto collection = TRY(session->OpenCollection());
  Loader loader(request, *database, *collection, *reader);
  TRY(loader.Run());
  loader.PrintSummary();
  TRY(session->Close());
  return output::kExitOk;
}

}  // namespace luna::cli
