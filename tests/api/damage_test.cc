// Files cut short, with flipped bits, missing, or of a newer format: each is named, none is passed
// over in silence; only a torn tail of a journal is cut without a word.
#include <gtest/gtest.h>

#include <functional>

#include "api/faulty_place.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "base/hash.h"

namespace luna {
namespace {

class Damage : public FaultyPlace {
 protected:
  void SetUp() override {
    FaultyPlace::SetUp();
    Put("table", std::string(3000, 't'));
    Put("blob", std::string(100'000, 'b'));
    ASSERT_TRUE(collection_->Flush().ok());
    Put("journal", "j");
    Close();
    group_ = PathOf("/u/journal/group-1", "", ".segment");
    manifest_ = PathOf("/u/journal/manifest-1", "", ".segment");
    universe_manifest_ = PathOf("/u/journal/manifest-0", "", ".segment");
    table_ = PathOf("/u/objects/db-1", "t-");
    blob_ = PathOf("/u/objects/db-1", "b-");
  }

  // The first thing that goes wrong when the universe is opened, read and verified.
  std::optional<Error> FirstError() {
    auto opened = TryOpen();
    if (!opened.ok()) {
      return opened.error();
    }
    const auto database = (*opened)->OpenDatabase("d");
    const auto collection = database.ok() ? (*database)->OpenCollection("c")
                                          : Result<std::shared_ptr<Collection>>(database.error());
    if (!collection.ok()) {
      return collection.error();
    }
    for (const std::string key : {"table", "blob", "journal"}) {
      const auto value = (*collection)->Get(key);
      if (!value.ok()) {
        return value.error();
      }
      EXPECT_TRUE(value->has_value()) << key << " is lost in silence";
    }
    const auto report = (*opened)->Verify();
    return report.ok() && report->damage.empty() ? std::nullopt
                                                 : std::optional<Error>(report->damage.front());
  }
  // `file` and what the error must say of it.
  static void ExpectNamed(const std::optional<Error>& error, ErrorCode code,
                          const std::string& file) {
    ASSERT_TRUE(error.has_value()) << file;
    EXPECT_EQ(error->code(), code) << error->ToString();
    const std::string object = file.substr(file.rfind('/') + 1);
    EXPECT_NE(error->message().find(object), std::string::npos) << error->message();
  }
  std::string Bytes(const std::string& path) { return runtime::ReadFile(files(), path).value(); }
  void Replace(const std::string& path, const std::string& bytes) {
    ASSERT_TRUE(runtime::WriteFileAtomically(files(), path, bytes).ok());
  }
  // Changes the file, looks, and puts it back.
  std::optional<Error> With(const std::string& path,
                            const std::function<void(std::string&)>& change) {
    const std::string good = Bytes(path);
    std::string bad = good;
    change(bad);
    Replace(path, bad);
    const auto error = FirstError();
    Replace(path, good);
    return error;
  }

  std::string group_, manifest_, universe_manifest_, table_, blob_;
};

TEST_F(Damage, FlippedBitsAreFoundInEveryKindOfFile) {
  struct Part {
    std::string file;
    size_t begin;
    size_t end;
  };
  const std::string epoch = "/u/journal/group-1/epoch";
  const std::string manifest_epoch = "/u/journal/manifest-1/epoch";
  const Part parts[] = {{"/u/LUNA", 0, 64},
                        {epoch, 0, 28},
                        {manifest_epoch, 0, 28},
                        {table_, 0, Bytes(table_).size()},
                        {blob_, 0, Bytes(blob_).size()},
                        {group_, 0, 52},
                        {group_, 4096, 4096 + 60},
                        {manifest_, 0, 52},
                        {manifest_, 4096, 4096 + 60},
                        {universe_manifest_, 4096, 4096 + 60}};
  for (const Part& part : parts) {
    const size_t step = std::max<size_t>(1, (part.end - part.begin) / 40);
    for (size_t offset = part.begin; offset < part.end; offset += step) {
      SCOPED_TRACE(part.file + " at " + std::to_string(offset));
      const auto error = With(part.file, [&](std::string& bytes) {
        bytes[offset] = static_cast<char>(bytes[offset] ^ (1 << (offset % 8)));
      });
      ASSERT_TRUE(error.has_value());
      const bool newer = error->reason() == Reason::kNewerFormat;  // the version itself
      ExpectNamed(error, newer ? ErrorCode::kUnsupported : ErrorCode::kCorruption, part.file);
      EXPECT_NE(error->message().find("offset"), std::string::npos) << error->message();
    }
  }
  EXPECT_FALSE(FirstError().has_value());
}

TEST_F(Damage, TheLastRecordsAreVouchedForByAnOrderlyClose) {
  for (const std::string& file : {group_, manifest_, universe_manifest_}) {
    std::string bytes = Bytes(file);
    size_t end = bytes.find_last_not_of('\0');
    end -= 60;  // before the seal
    const auto error =
        With(file, [&](std::string& all) { all[end] = static_cast<char>(all[end] ^ 4); });
    ExpectNamed(error, ErrorCode::kCorruption, file);
  }
}

TEST_F(Damage, ATornTailIsCutInSilence) {
  const std::string bytes = Bytes(group_);
  const size_t end = bytes.find_last_not_of('\0') + 1;
  // The seal and more: what a power cut leaves of a frame that was being written.
  const auto error =
      With(group_, [&](std::string& all) { all.replace(end - 20, all.size(), all.size(), '\0'); });
  EXPECT_FALSE(error.has_value()) << error->ToString();
}

TEST_F(Damage, FilesCutShort) {
  for (const std::string& file : {std::string("/u/LUNA"), std::string("/u/journal/group-1/epoch"),
                                  group_, manifest_, table_, blob_}) {
    for (const size_t size : {size_t{0}, size_t{20}, Bytes(file).size() - 1}) {
      if (size > 4096 && file.ends_with(".segment")) {
        continue;  // zeros beyond the tail: nobody's bytes
      }
      SCOPED_TRACE(file + " cut to " + std::to_string(size));
      const auto error = With(file, [&](std::string& bytes) { bytes.resize(size); });
      ExpectNamed(error, ErrorCode::kCorruption, file);
    }
  }
}

TEST_F(Damage, FilesThatAreMissing) {
  for (const std::string& file :
       {std::string("/u/journal/group-1/epoch"), std::string("/u/journal/manifest-1/epoch"), group_,
        manifest_, table_, blob_}) {
    SCOPED_TRACE(file);
    ASSERT_TRUE(files().Rename(file, "/aside").ok());
    const auto error = FirstError();
    ASSERT_TRUE(error.has_value());
    EXPECT_TRUE(error->code() == ErrorCode::kCorruption || error->code() == ErrorCode::kNotFound)
        << error->ToString();
    if (files().Exists(file).value()) {
      ASSERT_TRUE(files().Remove(file).ok());
    }
    ASSERT_TRUE(files().Rename("/aside", file).ok());
  }
  EXPECT_FALSE(FirstError().has_value());
}

TEST_F(Damage, NewerFormatsAreRefusedByName) {
  const auto newer_segment = [](std::string& bytes) {
    bytes[8] = 9;
    base::StoreFixed32(bytes.data() + 48, base::Crc32c(std::string_view(bytes).substr(0, 48)));
  };
  ExpectNamed(With(group_, newer_segment), ErrorCode::kUnsupported, group_);
  ExpectNamed(With(manifest_, newer_segment), ErrorCode::kUnsupported, manifest_);
  const std::string epoch = "/u/journal/group-1/epoch";
  ExpectNamed(With(epoch,
                   [](std::string& bytes) {
                     bytes[8] = 9;
                     base::StoreFixed32(bytes.data() + 24,
                                        base::Crc32c(std::string_view(bytes).substr(0, 24)));
                   }),
              ErrorCode::kUnsupported, epoch);
  ExpectNamed(With(blob_,
                   [](std::string& bytes) {
                     const size_t fields = bytes.size() - 64;
                     bytes[fields + 8] = 9;
                     const std::string_view all(bytes);
                     base::StoreFixed64(
                         bytes.data() + fields + 56,
                         base::Hash(all.substr(0, fields), base::Hash(all.substr(fields, 56))));
                   }),
              ErrorCode::kUnsupported, blob_);
  ExpectNamed(With("/u/LUNA",
                   [](std::string& bytes) {
                     bytes[8] = 9;
                     base::StoreFixed32(bytes.data() + 60,
                                        base::Crc32c(std::string_view(bytes).substr(0, 60)));
                   }),
              ErrorCode::kUnsupported, "/u/LUNA");
}

TEST_F(Damage, BackupsThatAreNewerOrDamaged) {
  Open();
  ASSERT_TRUE(database_->Backup("/b").ok());
  const std::string file = PathOf("/b/backups", "backup-");
  const std::string good = Bytes(file);
  std::string newer = good;
  newer[8] = 9;
  base::StoreFixed64(newer.data() + newer.size() - 8,
                     base::Hash(std::string_view(newer).substr(0, newer.size() - 8)));
  Replace(file, newer);
  const Status refused = universe_->Restore("/b", "copy");
  ASSERT_FALSE(refused.ok());
  ExpectNamed(refused.error(), ErrorCode::kUnsupported, file);
  for (const size_t offset : {size_t{3}, size_t{12}, good.size() / 2, good.size() - 1}) {
    std::string bad = good;
    bad[offset] = static_cast<char>(bad[offset] ^ 1);
    Replace(file, bad);
    const Status damaged = universe_->Restore("/b", "copy");
    ASSERT_FALSE(damaged.ok()) << offset;
    ExpectNamed(damaged.error(), ErrorCode::kCorruption, file);
  }
  Replace(file, good);
  ASSERT_TRUE(files().Remove("/b/objects" + table_.substr(table_.rfind('/'))).ok());
  const Status missing = universe_->Restore("/b", "copy");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().reason(), Reason::kLostData);
  EXPECT_EQ(universe_->ListDatabases().value(), std::vector<std::string>{"d"});
  ASSERT_TRUE(database_->Backup("/b").ok());
  EXPECT_TRUE(universe_->Restore("/b", "copy").ok());
}

}  // namespace
}  // namespace luna
