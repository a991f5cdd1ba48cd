// The package index into two collections that always agree.
#include <memory>
#include <string>

#include "apps/luna/demo.h"
#include "apps/output/screen.h"
#include "apps/records/record_reader.h"
#include "base/text.h"
#include "base/try.h"

namespace luna::cli {
namespace {

constexpr size_t kBatchBytes = size_t{1} << 20;

Result<uint64_t> CountOf(Collection& collection) {
  auto entry = TRY(collection.Scan());
  uint64_t count = 0;
  for (; entry->Valid(); entry->Next()) {
    ++count;
  }
  TRY(entry->status());
  return count;
}

std::string SectionKey(const std::string& section, std::string_view package) {
  return section + "/" + std::string(package);
}

// Adds a stanza to the batch: in both collections, so that they change in the same transaction.
void Add(const Shelves& shelves, const records::Record& record, IndexFacts& facts,
         WriteBatch& batch) {
  const auto field = records::StanzaField(record.value, "Section");
  const IndexFacts::Package now{.section = std::string(field.value_or("none")),
                                .checksum = ChecksumOf(record.value)};
  const auto [place, is_new] = facts.packages.try_emplace(std::string(record.key), now);
  if (!is_new) {
    // The index has several versions of some packages: the last stanza wins.
    batch.Delete(shelves.sections, SectionKey(place->second.section, record.key));
    place->second = now;
  }
  batch.Put(shelves.packages, record.key, record.value);
  batch.Put(shelves.sections, SectionKey(now.section, record.key), "");
  ++facts.stanzas;
}

}  // namespace

Result<IndexFacts> LoadIndex(const std::string& path, const Shelves& shelves,
                             Presenter& presenter) {
  auto source = TRY(records::LineSource::Open(path));
  const auto reader = records::NewReader(records::Format::kDeb822, std::move(source), {});
  IndexFacts facts;
  WriteBatch batch;
  if (const uint64_t found = TRY(CountOf(shelves.packages)); found > 0) {
    presenter.Line(output::Grouped(found) +
                   " packages are there from an earlier run: they are replaced");
    batch.DeleteRange(shelves.packages, "", "");
    batch.DeleteRange(shelves.sections, "", "");
  }
  output::Progress progress("load", output::Progress::Of::kBytes, reader->source().size());
  uint64_t commits = 0;
  for (bool more = true; more;) {
    const auto record = TRY(reader->Next());
    more = record.has_value();
    if (more) {
      Add(shelves, *record, facts, batch);
    }
    if (batch.bytes() >= kBatchBytes || (!more && batch.count() > 0)) {
      TRY(shelves.database.Write(batch));
      batch.Clear();
      ++commits;
    }
    progress.Update(reader->source().bytes(), facts.stanzas);
  }
  progress.Clear();
  if (facts.stanzas == 0) {
    return Error(Reason::kBadInput,
                 path + " has no stanzas; give a file with the output of apt-cache dumpavail");
  }
  const double seconds = progress.seconds();
  const uint64_t bytes = reader->source().bytes();
  presenter.Line(Rate(facts.stanzas, seconds) + " stanzas; " + base::FormatBytes(bytes) + ", " +
                 base::FormatBytes(static_cast<uint64_t>(static_cast<double>(bytes) / seconds)) +
                 "/s; " + output::Grouped(commits) + " transactions");
  const uint64_t packages = TRY(CountOf(shelves.packages));
  const uint64_t sections = TRY(CountOf(shelves.sections));
  presenter.Check(packages == facts.packages.size() && sections == packages,
                  output::Grouped(packages) + " packages and " + output::Grouped(sections) +
                      " entries by section, as the index has");
  return facts;
}

}  // namespace luna::cli
