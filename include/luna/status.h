// status.h: how Luna reports what went wrong. Eleven codes say what the caller can do; a closed
// list of reasons says what happened; the message says what, where, and the next step.
// Thread rule: immutable values; copy them freely.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace luna {

// What the caller does next. Stable; never extended without a decision record.
enum class ErrorCode : uint8_t {
  kInvalidArgument,  // fix the call
  kUnsupported,      // fix the call: this build or this format cannot do it
  kAlreadyExists,    // fix the call: choose another name
  kNotFound,         // fix the call: the thing named is not there (a missing key is not an error)
  kConflict,         // run the transaction again
  kBusy,             // try again later: somebody or something holds a resource
  kUnavailable,      // try again later, after mending the environment (full disk)
  kTimedOut,         // try again later
  kNotLeader,        // go to the other node: this one was fenced
  kCorruption,       // stop and restore: stored bytes are not what was written
  kClosed,           // reopen the universe: it was closed, or closed itself after an I/O failure
};

// What happened. docs/errors.md maps each to its code and to what to do.
enum class Reason : uint16_t {
  kBadName,  // kInvalidArgument
  kBadOption,
  kBadRange,
  kBadNumber,  // increment of a value that is no integer, or overflow
  kKeyTooLarge,
  kValueTooLarge,
  kTransactionTooLarge,
  kTransactionDone,    // used after commit or rollback
  kForeignCollection,  // a collection of another database
  kNotSorted,          // bulk ingest out of order
  kSnapshotTooOld,     // a read at a past time that is no longer kept
  kForeignDirectory,   // a directory that Luna did not make
  kBadInput,           // text that does not parse (files given to the tools)
  kNewerFormat,        // kUnsupported
  kNotSupported,
  kDatabaseExists,  // kAlreadyExists
  kCollectionExists,
  kObjectExists,
  kFileExists,
  kStreamExists,
  kDatabaseMissing,  // kNotFound
  kCollectionMissing,
  kObjectMissing,
  kFileMissing,
  kStreamMissing,
  kUniverseMissing,
  kSavepointMissing,
  kOutcomeNotKept,
  kWriteConflict,  // kConflict
  kReadConflict,
  kLockTimeout,
  kPreconditionFailed,
  kUniverseLocked,  // kBusy
  kAddressInUse,    // another process listens there
  kMemoryBudget,
  kBackPressure,
  kNotInMemory,  // a read that was to wait for no device would have to
  kDiskFull,     // kUnavailable
  kUnreachable,  // nobody listens at an address, or it was not reached
  kDeadline,     // kTimedOut
  kFenced,       // kNotLeader
  kBadChecksum,  // kCorruption
  kBadFormat,
  kLostData,  // a gap or a missing file where the format promises one
  kIoError,   // kClosed
  kSyncFailed,
  kReadOnly,  // read-only disk or missing permission
  kShutDown,
};

// The one code that belongs to a reason.
ErrorCode CodeOf(Reason reason);
// Stable lower-case words: "invalid_argument", "bad_name".
std::string_view Name(ErrorCode code);
std::string_view Name(Reason reason);

// An error: reason (and so code) and message behind one shared pointer.
class [[nodiscard]] Error {
 public:
  Error(Reason reason, std::string message)
      : state_(std::make_shared<const State>(State{reason, std::move(message)})) {}

  ErrorCode code() const { return CodeOf(state_->reason); }
  Reason reason() const { return state_->reason; }
  const std::string& message() const { return state_->message; }
  // "conflict (write_conflict): ..." for logs and people.
  std::string ToString() const;

 private:
  struct State {
    Reason reason;
    std::string message;
  };
  std::shared_ptr<const State> state_;
};

[[noreturn]] void DieOnBadAccess(
    const Error& error);  // value() of a failed Result: a programmer error

// A value or an Error. Never droppable; value() on an error stops the process with its message.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  template <typename U>
    requires(std::is_convertible_v<U &&, T> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error> &&
             !std::is_same_v<std::remove_cvref_t<U>, Result>)
  Result(U&& value) : value_(std::forward<U>(value)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  const Error& error() const { return *error_; }
  T& value() & { return Check(), *value_; }
  const T& value() const& { return Check(), *value_; }
  T value() && { return Check(), std::move(*value_); }
  T* operator->() { return Check(), &*value_; }
  const T* operator->() const { return Check(), &*value_; }
  T& operator*() & { return Check(), *value_; }
  const T& operator*() const& { return Check(), *value_; }

 private:
  void Check() const {
    if (!value_.has_value()) [[unlikely]] {
      DieOnBadAccess(*error_);
    }
  }
  std::optional<T> value_;
  std::optional<Error> error_;
};

// Success, or an Error. `return {};` is success.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_.has_value(); }
  const Error& error() const { return *error_; }
  void value() const {
    if (error_.has_value()) [[unlikely]] {
      DieOnBadAccess(*error_);
    }
  }

 private:
  std::optional<Error> error_;
};
using Status = Result<void>;

}  // namespace luna
