// load: records from text into a collection, in transactions of about a mebibyte.
#include <memory>
#include <optional>
#include <string>

#include "apps/client/client.h"
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
  Loader(const Request& request, client::Client& client, records::RecordReader& reader)
      : request_(request),
        client_(client),
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
      if (count_ == 0) {
        client_.Send({"MULTI"});
      }
      client_.Send({"SET", (*next)->key, (*next)->value});
      ++count_;
      bytes_ += (*next)->key.size() + (*next)->value.size();
      if (count_ >= kBatchRecords || bytes_ >= kBatchBytes) {
        TRY(Commit());
      }
      progress_.Update(reader_.source().bytes(), stored_ + count_);
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
    output::Print(request_.json()
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
    if (count_ == 0) {
      return {};
    }
    const auto committed = Transfer();
    if (!committed.ok()) {
      progress_.Clear();
      return WithCount(committed.error());
    }
    stored_ += count_;
    count_ = bytes_ = 0;
    return {};
  }

  // What was sent since MULTI becomes a transaction: all of it or nothing.
  Status Transfer() {
    client_.Send({"EXEC"});
    for (size_t i = 0; i < count_ + 1; ++i) {  // MULTI and the SETs
      static_cast<void>(TRY(client_.Receive()));
    }
    const resp::Reply done = TRY(client_.Receive());
    if (done.failed()) {
      return Error(Reason::kBackPressure, "the service did not take a batch: " + done.text);
    }
    for (const resp::Reply& one : done.elements) {
      if (one.failed()) {
        return Error(Reason::kBackPressure, "the service did not take a record: " + one.text);
      }
    }
    return {};
  }

  Error WithCount(const Error& error) const {
    return Error(
        error.reason(),
        error.message() + " (the " + Grouped(stored_) + " records before are stored" +
            (error.reason() == Reason::kBadInput ? "; --skip-bad leaves out bad ones)" : ")"));
  }

  const Request& request_;
  client::Client& client_;
  records::RecordReader& reader_;
  output::Progress progress_;
  uint64_t count_ = 0;  // of the batch that is being sent
  uint64_t bytes_ = 0;
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
  client::Target target = request.target;
  target.make_universe = true;
  target.make_place = true;
  const auto client = TRY(client::Client::Connect(target));
  Loader loader(request, *client, *reader);
  TRY(loader.Run());
  loader.PrintSummary();
  TRY(client->Close());
  return output::kExitOk;
}

}  // namespace luna::cli
