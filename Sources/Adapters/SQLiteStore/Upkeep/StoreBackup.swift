import Concurrency
public import Core
import Glibc
import SQLite

extension SQLiteDatabase {
  /// Copies the store as it is at one moment into a file, while others go on reading and writing.
  ///
  /// The copy is made beside its place under another name, checked, synced and renamed: there is never half a copy
  /// under the name given.
  /// - Parameters:
  ///   - target: The copy's path.
  ///   - replaces: Whether an existing file is replaced.
  ///   - progress: Told of bytes copied, and of all.
  /// - Returns: The bytes of the copy.
  /// - Throws: `store.backup_exists`; a ``StoreError`` of disk or store. `CancellationError` leaves nothing behind.
  public func backUp(
    to target: String, replaces: Bool, progress: @escaping @Sendable (InspectionProgress) -> Void
  ) async throws -> Int {
    let source = path
    let partial = try await runBlocking(label: "quarry.store.backup") { () throws(StoreError) -> String in
      try BackupFile.begin(target, source: source, replaces: replaces)
    }
    do {
      // A reader of its own: the others serve questions, and the snapshot is held until the last page.
      let thread = DatabaseThread(label: "quarry.store.backup") {
        try StoreConnection.open(source, access: .readWrite, busyTimeout: .seconds(10))
      }
      try await reported(as: source) {
        try await thread.perform { connection in
          let page = Int(try connection.pragma("page_size"))
          // Inside a transaction other processes' commits do not make the copy begin again.
          try connection.transaction(.deferred) {
            _ = try connection.storeVersion()
            try connection.backup(to: partial) { remaining, total in
              try Task.checkCancellation()
              progress(InspectionProgress(stage: "bytes copied", done: (total - remaining) * page, total: total * page))
            }
          }
        }
      }
      await thread.close()
      try await reported(as: partial) {
        try await runBlocking(label: "quarry.store.backup") {
          let problems = try Connection(path: partial, access: .immutable).quickCheck()
          if let first = problems.first { throw StoreError.damaged(first) }
        }
      }
      return try await runBlocking(label: "quarry.store.backup") { () throws(StoreError) -> Int in
        try BackupFile.finish(partial, as: target, replaces: replaces)
      }
    } catch {
      BackupFile.remove(partial)
      throw error
    }
  }

  private func reported(as path: String, _ body: () async throws -> Void) async throws {
    do { try await body() } catch let error as SQLiteError { throw StoreError(error, path: path) }
  }
}

/// A copy on its way to its place.
private enum BackupFile {
  /// Makes the empty file that the copy goes to, readable by its owner only: a store holds hashes of keys.
  static func begin(_ target: String, source: String, replaces: Bool) throws(StoreError) -> String {
    var there = stat()
    var own = stat()
    if stat(target, &there) == 0 {
      if stat(source, &own) == 0, there.st_ino == own.st_ino, there.st_dev == own.st_dev {
        throw StoreError(
          code: "store.backup_of_itself", category: .invalidInput, message: "\(target) is the store itself",
          remedy: "Name another file.")
      }
      guard there.st_mode & S_IFMT == S_IFREG else {
        throw StoreError(
          code: "store.backup_exists", category: .conflict, message: "\(target) is there and is not a regular file",
          remedy: "Name a file.")
      }
      if !replaces { throw exists(target) }
    }
    let folder = StoreFiles.folder(of: target)
    let name = target.split(separator: "/").last.map(String.init) ?? target
    var template = Array("\(folder)/.\(name).partial-XXXXXX".utf8CString)
    let file = mkstemp(&template)
    guard file >= 0 else { throw .system("make a file in", folder, errno: errno) }
    close(file)
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  static func finish(_ partial: String, as target: String, replaces: Bool) throws(StoreError) -> Int {
    try StoreFiles.syncFile(partial)
    if replaces {
      guard rename(partial, target) == 0 else { throw .system("rename a copy to", target, errno: errno) }
    } else {
      // A link fails when the name was taken meanwhile; a rename would replace it.
      guard link(partial, target) == 0 else {
        if errno == EEXIST { throw exists(target) }
        throw .system("link a copy to", target, errno: errno)
      }
      unlink(partial)
    }
    // Those of a store that was here before would be taken for the copy's.
    for suffix in ["-wal", "-shm"] { unlink(target + suffix) }
    try StoreFiles.syncFolder(StoreFiles.folder(of: target))
    return StoreFiles.size(target)
  }

  static func remove(_ partial: String) {
    for suffix in ["", "-wal", "-shm", "-journal"] { unlink(partial + suffix) }
  }

  private static func exists(_ target: String) -> StoreError {
    StoreError(
      code: "store.backup_exists", category: .conflict, message: "\(target) exists already",
      remedy: "Name another file, or pass --force to replace it.")
  }
}
