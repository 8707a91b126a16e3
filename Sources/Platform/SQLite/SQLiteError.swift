import CSQLite

/// A failure reported by SQLite or found by this module.
public struct SQLiteError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of failure that callers treat differently; `sqlite.` + raw value is the stable code.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// Another connection holds the lock and the busy timeout has passed.
    case busy
    /// Another statement of the same connection (or shared cache) holds the table.
    case locked
    /// The file's pages contradict each other.
    case corrupt
    /// The disk or the database's page limit is full.
    case full
    /// The file is not an SQLite database.
    case notADatabase = "not_a_database"
    /// The file or its folder cannot be written.
    case readOnly = "read_only"
    /// A row would violate a constraint.
    case constraint
    /// `InterruptHandle.interrupt()` stopped it.
    case interrupted
    /// The file cannot be opened.
    case cannotOpen = "cannot_open"
    /// The operating system failed to read or write.
    case inputOutput = "input_output"
    /// A value or a statement is longer than its limit.
    case tooBig = "too_big"
    /// Memory ran out.
    case outOfMemory = "out_of_memory"
    /// SQL that does not compile, a malformed full-text query, and SQLite's other generic errors (its code 1).
    case statement
    /// The module or SQLite was used against its rules.
    case misuse
    /// The database belongs to another application.
    case foreign
    /// A newer program wrote the database's schema.
    case newerSchema = "newer_schema"
    /// The database's schema is older and this connection may not migrate it.
    case outdatedSchema = "outdated_schema"
    /// Anything else.
    case other
  }

  /// What kind of failure.
  public let kind: Kind
  /// SQLite's extended result code, or 0 for failures found by this module.
  public let extendedCode: Int32
  /// What happened.
  public let message: String
  /// The SQL text, without bound values, if there is one.
  public let sql: String?

  /// The stable dotted code, such as `sqlite.busy`.
  public var code: String { "sqlite.\(kind.rawValue)" }
  /// SQLite's primary result code: the low byte of the extended one.
  public var primaryCode: Int32 { extendedCode & 0xff }

  /// Another connection holds the lock: worth a later try.
  public var isBusy: Bool { kind == .busy }
  /// A read transaction wanted to write after another connection had (517): begin it immediate instead.
  public var isBusySnapshot: Bool { extendedCode == 517 }
  /// Pages are damaged: restore a backup or rebuild.
  public var isCorrupt: Bool { kind == .corrupt }
  /// No space is left; reading still works.
  public var isFull: Bool { kind == .full }
  /// The file is something else.
  public var isNotADatabase: Bool { kind == .notADatabase }
  /// Nothing can be written.
  public var isReadOnly: Bool { kind == .readOnly }
  /// A constraint was violated.
  public var isConstraint: Bool { kind == .constraint }
  /// A UNIQUE or PRIMARY KEY constraint was violated (2067, 1555, 2579).
  public var isUniqueViolation: Bool { [2067, 1555, 2579].contains(extendedCode) }
  /// The statement was interrupted.
  public var isInterrupted: Bool { kind == .interrupted }

  /// What to do about it.
  public var remedy: String {
    switch kind {
    case .busy, .locked: "Try again, or end the process that holds the database."
    case .corrupt: "Restore a backup or rebuild the database."
    case .full: "Free space on the disk."
    case .notADatabase, .foreign: "Name another file; this one belongs to something else."
    case .readOnly: "Check the permissions of the file and of its folder, in which SQLite creates files too."
    case .cannotOpen: "Check that the folder exists and that its permissions allow it."
    case .inputOutput: "Check the disk and the system's log."
    case .outOfMemory: "Free memory."
    case .newerSchema: "Use the newer program that wrote it."
    case .outdatedSchema: "Open it once for writing, so that it can be migrated."
    case .interrupted: "Ask again."
    case .constraint, .tooBig, .statement, .misuse, .other: "Report this as a fault of the program."
    }
  }

  /// Code, message and SQL in one line.
  public var description: String {
    let place = sql.map { " in: \($0)" } ?? ""
    return extendedCode == 0 ? "\(code): \(message)\(place)" : "\(code) (\(extendedCode)): \(message)\(place)"
  }

  init(_ kind: Kind, _ message: String, sql: String? = nil) {
    self.kind = kind
    self.message = message
    self.sql = sql
    extendedCode = 0
  }

  /// The same error with a better message.
  init(copying error: SQLiteError, message: String) {
    kind = error.kind
    extendedCode = error.extendedCode
    sql = error.sql
    self.message = message
  }

  /// The error of a call that returned `code`; `database`, if open, has the message.
  init(code: Int32, database: OpaquePointer?, sql: String? = nil) {
    let extended = database.map { sqlite3_extended_errcode($0) } ?? code
    // The connection's last error may be another call's; its primary code tells.
    let belongs = extended & 0xff == code & 0xff
    extendedCode = belongs ? extended : code
    message = String(cString: belongs && database != nil ? sqlite3_errmsg(database) : sqlite3_errstr(code))
    kind = Kind(primaryCode: code & 0xff)
    self.sql = sql
  }
}

extension SQLiteError.Kind {
  init(primaryCode: Int32) {
    self =
      switch primaryCode {
      case SQLITE_BUSY: .busy
      case SQLITE_LOCKED: .locked
      case SQLITE_CORRUPT: .corrupt
      case SQLITE_FULL: .full
      case SQLITE_NOTADB: .notADatabase
      case SQLITE_READONLY, SQLITE_PERM: .readOnly
      case SQLITE_CONSTRAINT: .constraint
      case SQLITE_INTERRUPT: .interrupted
      case SQLITE_CANTOPEN: .cannotOpen
      case SQLITE_IOERR: .inputOutput
      case SQLITE_TOOBIG: .tooBig
      case SQLITE_NOMEM: .outOfMemory
      case SQLITE_ERROR: .statement
      case SQLITE_MISUSE, SQLITE_RANGE, SQLITE_MISMATCH: .misuse
      default: .other
      }
  }
}
