public import Core
import Glibc
import SQLite

/// What went wrong in the store: SQLite's failures in Quarry's words, and the store's own rules.
public struct StoreError: CategorizedError {
  /// A stable dotted code: `store.…` for the file, `index.…` and `keys.…` for rules.
  public let code: String
  /// The kind of failure.
  public let category: ErrorCategory
  /// What happened.
  public let message: String
  /// What to do about it.
  public let remedy: String?
  /// The error beneath.
  public let underlying: (any Error)?

  init(
    code: String, category: ErrorCategory, message: String, remedy: String? = nil, underlying: (any Error)? = nil
  ) {
    self.code = code
    self.category = category
    self.message = message
    self.remedy = remedy
    self.underlying = underlying
  }

  /// `error` in the store's words; `path` is the database's, `holder` says who has the writer's lock.
  init(_ error: SQLiteError, path: String, holder: @autoclosure () -> String? = nil) {
    func described(_ code: String, _ category: ErrorCategory, _ message: String, _ remedy: String) -> StoreError {
      StoreError(code: code, category: category, message: message, remedy: remedy, underlying: error)
    }
    switch error.kind {
    case .busy, .locked:
      let by = holder() ?? "a process that cannot be seen from here"
      self = described(
        "store.busy", .unavailable, "the store \(path) is being written by \(by)", "Try again when it is done.")
    case .full:
      self = described(
        "store.full", .storageFull, "no space is left for the store \(path); nothing was changed",
        "Free space on that disk and run the command again.")
    case .corrupt:
      self = described(
        "store.corrupt", .corrupt, "the store \(path) is damaged: \(error.message)",
        "Restore a backup, or move the file away and run `quarry ingest` again; `quarry verify` says more.")
    case .notADatabase, .foreign:
      self = described(
        "store.foreign", .corrupt, "\(path) is not a store of Quarry: \(error.message)",
        "Name another file with `store.path`; this one was left as it is.")
    case .newerSchema:
      self = described(
        "store.newer_schema", .conflict, "the store was written by a newer Quarry: \(error.message)",
        "Use that version of Quarry, or another `store.path`.")
    case .outdatedSchema:
      self = described(
        "store.outdated_schema", .conflict, error.message, "Run `quarry ingest` once, which brings it up to date.")
    case .readOnly:
      self = described(
        "store.read_only", .invalidConfiguration, "the store \(path) cannot be written: \(error.message)",
        "Check the permissions of the file and of its folder, where SQLite keeps two more files.")
    case .cannotOpen:
      self = described(
        "store.cannot_open", .invalidConfiguration, "the store cannot be opened: \(error.message)",
        "Check that `store.path` names a file in a folder that you can write.")
    case .inputOutput:
      self = described(
        "store.input_output", .unavailable, "the disk failed under the store \(path): \(error.message)",
        "Check the disk and the system's log.")
    case .interrupted:
      self = described("store.interrupted", .cancelled, "the query was interrupted", "Ask again.")
    case .constraint, .tooBig, .outOfMemory, .statement, .misuse, .other:
      self = described(
        "store.internal", .internal, "the store failed: \(error)", "Report this as a defect of Quarry.")
    }
  }

  static func system(_ action: String, _ path: String, errno code: Int32) -> StoreError {
    StoreError(
      code: code == ENOSPC || code == EDQUOT ? "store.full" : "store.system",
      category: code == ENOSPC || code == EDQUOT ? .storageFull : .unavailable,
      message: "cannot \(action) \(path): \(String(cString: strerror(code)))",
      remedy: "Check the path, its permissions and the space on its disk.")
  }

  static func missingFile(_ path: String) -> StoreError {
    StoreError(
      code: "store.missing", category: .notFound, message: "there is no store at \(path) yet",
      remedy: "Run `quarry ingest PATH…` first, or set `store.path`.")
  }

  static func foreign(_ path: String, _ reason: String) -> StoreError {
    StoreError(
      code: "store.foreign", category: .corrupt, message: "\(path) is not a store of Quarry: \(reason)",
      remedy: "Name another file with `store.path`; this one was left as it is.")
  }

  static func uriTaken(_ uri: SourceURI, by id: String) -> StoreError {
    StoreError(
      code: "index.uri_taken", category: .conflict, message: "\(uri) belongs to document \(id) already",
      remedy: "Delete or move that document first.")
  }

  static func missing(_ id: DocumentID) -> StoreError {
    StoreError(code: "index.document_missing", category: .notFound, message: "there is no document \(id)")
  }

  static func damaged(_ what: String) -> StoreError {
    StoreError(
      code: "store.corrupt", category: .corrupt, message: "the store is damaged: \(what)",
      remedy: "Run `quarry verify` and `quarry gc`; what those cannot mend, a backup or `quarry ingest` can.")
  }

  static func identityMismatch(active: EmbeddingIdentity, asked: EmbeddingIdentity) -> StoreError {
    StoreError(
      code: "index.identity_mismatch", category: .conflict,
      message: "the index holds vectors of \(active.summary), but the question was embedded by \(asked.summary)",
      remedy: "Run `quarry ingest --rebuild`, which keeps the old answers until the new vectors are in, "
        + "or configure the former model.")
  }
}
