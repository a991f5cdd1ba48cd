// The storage of a Space (docs/formats/rados.md).
//   object/BUCKET/NAME            the object; attributes `id`, 32 hex digits, and `size`, 20
//   digits.
//                                 Up to 8 MiB its bytes lie here
//   part/BUCKET/NAME/<id>/<nr>    8 MiB each of a larger one, the last one shorter; written before
//                                 the object, and removed before it
// An object that is removed while this process reads it goes when the last reader does.
// Thread rule: safe.
#pragma once

#include <memory>

#include "kernel/rados/space.h"
#include "kernel/storage/storage.h"

namespace luna::rados {

inline constexpr uint64_t kPartBytes = uint64_t{8} << 20;

std::unique_ptr<storage::Storage> NewRadosStorage(std::shared_ptr<Space> space);

// Removes parts without their object, which a writer left that is no more. Only while nobody
// writes.
Status SweepParts(Space& space);

}  // namespace luna::rados
