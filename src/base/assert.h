// Assertions: programmer errors stop the process, in release builds too. Operating errors (disks,
// bytes, callers' arguments) are never asserted; they are Results.
#pragma once

namespace luna::base {
[[noreturn]] void AssertionFailed(const char* condition, const char* file, int line);
}  // namespace luna::base

#define LUNA_ASSERT(condition)                                              \
  ((condition) ? static_cast<void>(0)                                       \
               : ::luna::base::AssertionFailed(#condition, __FILE__, __LINE__))

// For checks too costly for release: on unless NDEBUG.
#ifdef NDEBUG
#define LUNA_DCHECK(condition) static_cast<void>(sizeof(static_cast<bool>(condition)))
#else
#define LUNA_DCHECK(condition) LUNA_ASSERT(condition)
#endif
