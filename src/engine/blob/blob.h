// blob: large values as storage objects of their own, written once and never copied by compaction.
// A value of n bytes is ceil(n / kBlobPartBytes) objects "<name>.<part>": the bytes, then a 64-byte
// trailer (magic, format version, salt, part, whole size, XXH3-64 of the part's bytes salted with
// them), so that each part can be verified alone (docs/formats/blob.md). A reader that got a
// reference without pinning the table it stands in may find the parts gone (kObjectMissing): the
// entry was compacted away meanwhile. It asks for the entry anew.
// Thread rule: functions are safe; they block on storage.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "engine/entry/entry.h"
#include "kernel/storage/storage.h"
#include "luna/status.h"

namespace luna::blob {

// Writes `value` (≥ 1 byte) under the fresh name `name`; durable when it returns. After an error
// the parts already written are removed as far as storage lets us.
Result<entry::BlobReference> Write(storage::Storage& storage, const std::string& bucket,
                                   std::string name, const base::Id128& salt,
                                   std::string_view value);
// The whole value, every checksum verified. kLostData, kBadChecksum name object and offset;
// kObjectMissing: see above.
Result<std::string> Read(storage::Storage& storage, const std::string& bucket,
                         const entry::BlobReference& reference);
// Removes every part; missing ones are fine. The last part goes first, so that what an interrupted
// removal leaves is a blob with a part 0 and can be removed again.
Status Remove(storage::Storage& storage, const std::string& bucket, const std::string& name);
// Checks one part object by itself; its payload bytes.
Result<uint64_t> VerifyPart(storage::Storage& storage, const std::string& bucket,
                            const std::string& object);
// Checks that every part is there and whole; the bytes of the value.
Result<uint64_t> Verify(storage::Storage& storage, const std::string& bucket,
                        const std::string& name);
// "b-1.2.3" of "b-1.2.3.0"; empty if `object` is no part of a blob.
std::string NameOfPart(std::string_view object);

}  // namespace luna::blob
