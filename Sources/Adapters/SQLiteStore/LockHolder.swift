import FoundationEssentials
import Glibc

/// Finds out who holds the writer's lock of a database in write-ahead-log mode.
///
/// SQLite's writer locks byte 120 of the `-shm` file (https://www.sqlite.org/walformat.html, section 2.3.1), and the
/// kernel lists such locks in `/proc/locks` (https://man7.org/linux/man-pages/man5/proc_locks.5.html). Asking by
/// `fcntl` would be shorter, but closing a descriptor of that file drops this process's own locks on it.
package enum LockHolder {
  private static let writerLockByte = 120

  /// The process in words, such as `process 4711 (quarry watch /library)`; nil when it cannot be seen, as in another
  /// container, or the lock was released meanwhile.
  static func describe(databasePath: String) -> String? {
    var status = stat()
    guard stat(databasePath + "-shm", &status) == 0, let locks = contents("/proc/locks") else { return nil }
    let holders = processes(holding: writerLockByte, inode: UInt64(status.st_ino), in: locks)
    guard let process = holders.first(where: { $0 != getpid() }) ?? holders.first else { return nil }
    if process == getpid() { return "this process itself (\(process))" }
    return command(of: process).map { "process \(process) (\($0))" } ?? "process \(process)"
  }

  /// The processes with a write lock on `byte` of the file `inode`, from the text of `/proc/locks`.
  package static func processes(holding byte: Int, inode: UInt64, in locks: String) -> [Int32] {
    locks.split(separator: "\n").compactMap { line in
      // "3: POSIX  ADVISORY  WRITE 4711 00:2f:123456 120 120"; a waiter's line has "->" and holds nothing.
      let fields = line.split(separator: " ")
      guard fields.count >= 8, fields[1] == "POSIX" || fields[1] == "OFDLCK", fields[3] == "WRITE",
        let process = Int32(fields[4]), process > 0, let first = Int(fields[6]),
        fields[5].split(separator: ":").last.flatMap({ UInt64($0) }) == inode
      else { return nil }
      let last = Int(fields[7]) ?? .max
      return (first...max(first, last)).contains(byte) ? process : nil
    }
  }

  private static func command(of process: Int32) -> String? {
    guard let text = contents("/proc/\(process)/cmdline") else { return nil }
    let words = text.split(separator: "\0").joined(separator: " ")
    return words.isEmpty ? nil : String(words.prefix(120))
  }

  /// A file of /proc, whose size is not known before it is read.
  private static func contents(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while bytes.count < 4_000_000 {
      let count = read(descriptor, &buffer, buffer.count)
      guard count > 0 else { break }
      bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
