package import ArgumentParsing
package import Core

/// The exit codes of `quarry`, after BSD's sysexits.h where it has one.
package enum ExitCode {
  package static let failure: Int32 = 1
  package static let someDocumentsFailed: Int32 = 2
  package static let refused: Int32 = 3
  package static let belowTarget: Int32 = 4
  package static let usage: Int32 = 64
  package static let badInput: Int32 = 65
  package static let notFound: Int32 = 66
  package static let unavailable: Int32 = 69
  package static let `internal`: Int32 = 70
  package static let storage: Int32 = 74
  package static let temporary: Int32 = 75
  package static let permission: Int32 = 77
  package static let configuration: Int32 = 78
  package static let cancelled: Int32 = 130

  package static let meanings: [ExitCodeMeaning] = [
    .init(0, "success"),
    .init(failure, "something failed that has no code of its own"),
    .init(someDocumentsFailed, "ingest, watch: some documents could not be read; the others are indexed"),
    .init(refused, "ask: the library does not answer the question"),
    .init(belowTarget, "evaluate, verify, doctor, archive replay: a check failed"),
    .init(usage, "the command line is wrong"),
    .init(badInput, "the input is malformed or too large"),
    .init(notFound, "what was named does not exist"),
    .init(unavailable, "something needed is missing or overloaded"),
    .init(`internal`, "a defect in Quarry"),
    .init(storage, "the disk is full, or stored data is damaged"),
    .init(temporary, "a time limit passed; try again"),
    .init(permission, "not allowed"),
    .init(configuration, "the configuration is wrong"),
    .init(cancelled, "interrupted"),
  ]

  /// The exit code of a category of error.
  package static func code(for category: ErrorCategory) -> Int32 {
    switch category {
    case .invalidInput, .tooLarge: badInput
    case .invalidConfiguration: configuration
    case .unauthenticated, .forbidden: permission
    case .notFound, .gone: notFound
    case .conflict, .unavailable, .rateLimited: unavailable
    case .timedOut: temporary
    case .storageFull, .corrupt: storage
    case .cancelled: cancelled
    case .internal: `internal`
    }
  }
}

/// How a command ends without an error of its own: nothing is printed, the code is returned.
struct QuietExit: Error {
  let code: Int32
}
