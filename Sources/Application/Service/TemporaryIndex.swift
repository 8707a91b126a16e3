public import Core
import Glibc
import SQLiteStore

extension Library {
  /// Runs `body` with an empty index of its own in a temporary folder, which is removed afterwards.
  /// - Throws: `file.system` when no folder can be made, errors of the store, or what `body` throws.
  public func withTemporaryIndex<Result>(_ body: (any DocumentIndex) async throws -> Result) async throws -> Result {
    let folder = try TemporaryIndexFolder(environment: environment)
    defer { folder.remove() }
    let database = try await SQLiteDatabase.open(folder.database)
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body(SQLiteDocumentIndex(database))) } catch { outcome = .failure(error) }
    await database.close()
    return try outcome.get()
  }
}

/// A folder of one temporary index. It holds a lock for as long as its process lives, so that one that a killed process
/// left can be told from one in use, whatever process numbers say.
struct TemporaryIndexFolder {
  let path: String
  private let lock: Int32

  var database: String { path + "/index.sqlite" }

  private static func base(_ environment: [String: String]) -> String {
    environment["TMPDIR"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp"
  }

  init(environment: [String: String]) throws {
    let base = Self.base(environment)
    var template = Array("\(base)/quarry-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw CoreError(
        code: "file.system", category: .unavailable,
        message: "cannot make a temporary folder in \(base): \(String(cString: strerror(errno)))",
        remedy: "Set TMPDIR to a folder that can be written.")
    }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    lock = open(path + "/lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    // Without a lock the folder is only kept longer by others.
    if lock >= 0 { _ = flock(lock, LOCK_EX | LOCK_NB) }
  }

  func remove() {
    Self.remove(path)
    if lock >= 0 { close(lock) }
  }

  private static func remove(_ folder: String) {
    for name in names { unlink("\(folder)/\(name)") }
    rmdir(folder)
  }

  private static let names = ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm", "lock"]

  /// Folders that killed processes of this user left, with the bytes in them.
  static func leftovers(environment: [String: String]) -> [(path: String, bytes: Int)] {
    let base = base(environment)
    guard let directory = opendir(base) else { return [] }
    defer { closedir(directory) }
    var found: [(path: String, bytes: Int)] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      guard name.hasPrefix("quarry-"), name.utf8.count == "quarry-XXXXXX".utf8.count,
        name.utf8.dropFirst(7).allSatisfy({ !"-.".utf8.contains($0) })
      else { continue }
      if let bytes = bytesIfLeft("\(base)/\(name)") { found.append(("\(base)/\(name)", bytes)) }
    }
    return found.sorted { $0.path < $1.path }
  }

  /// Removes one of them. Nobody has it: its maker is gone, and its name was random.
  static func removeLeftover(_ path: String) { remove(path) }

  private static func bytesIfLeft(_ folder: String) -> Int? {
    var status = stat()
    guard lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid() else {
      return nil
    }
    // The lock is there before the index is.
    guard lstat(folder + "/index.sqlite", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    var bytes = 0
    for name in names {
      var file = stat()
      if lstat("\(folder)/\(name)", &file) == 0 { bytes += Int(file.st_size) }
    }
    let descriptor = open(folder + "/lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else {
      // Of a version that made no lock: one that has not been written for a day is nobody's.
      return time(nil) - status.st_mtim.tv_sec > 86_400 ? bytes : nil
    }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? bytes : nil
  }
}
