public import Core
import Glibc
import SQLiteStore

extension Library {
  /// Runs `body` with an empty index of its own in a temporary folder, which is removed afterwards.
  /// - Throws: `file.system` when no folder can be made, errors of the store, or what `body` throws.
  public func withTemporaryIndex<Result>(_ body: (any DocumentIndex) async throws -> Result) async throws -> Result {
    let base = environment["TMPDIR"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp"
    var template = Array("\(base)/quarry-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw CoreError(
        code: "file.system", category: .unavailable,
        message: "cannot make a temporary folder in \(base): \(String(cString: strerror(errno)))",
        remedy: "Set TMPDIR to a folder that can be written.")
    }
    let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    let database = try await SQLiteDatabase.open("\(folder)/index.sqlite")
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body(SQLiteDocumentIndex(database))) } catch { outcome = .failure(error) }
    await database.close()
    for suffix in ["", "-wal", "-shm"] { unlink("\(folder)/index.sqlite\(suffix)") }
    rmdir(folder)
    return try outcome.get()
  }
}
