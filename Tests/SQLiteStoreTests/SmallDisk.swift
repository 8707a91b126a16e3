import FoundationEssentials
import Glibc

/// A file system of a few MiB in memory, of its own, so that a disk can be full or read-only.
final class SmallDisk: Sendable {
  /// Whether this process may mount one; a container without the right may not.
  static let isPermitted: Bool = {
    let folder = TemporaryFolder()
    defer { folder.remove() }
    guard mount(["-t", "tmpfs", "-o", "size=64k", "none", folder.path]) else { return false }
    unmount(folder.path)
    return true
  }()

  static let reason = "needs the right to mount a file system in memory"

  private let folder = TemporaryFolder()
  var path: String { folder.path }

  init(mebibytes: Int) throws {
    guard Self.mount(["-t", "tmpfs", "-o", "size=\(mebibytes)m", "none", folder.path]) else {
      throw CocoaError(.fileWriteUnknown)
    }
  }

  deinit {
    Self.unmount(folder.path)
    folder.remove()
  }

  func makeReadOnly() -> Bool { Self.mount(["-o", "remount,ro", folder.path]) }

  /// Fills what is left but `spare` bytes with one file, which `empty()` removes.
  func fill(sparing spare: Int) throws {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { throw CocoaError(.fileReadUnknown) }
    let free = Int(status.f_bavail) * Int(status.f_bsize) - spare
    try Data(count: max(0, free)).write(to: URL(filePath: path + "/filler"))
  }

  func empty() { unlink(path + "/filler") }

  private static func mount(_ arguments: [String]) -> Bool { run(["/usr/bin/mount"] + arguments) }

  @discardableResult
  private static func unmount(_ path: String) -> Bool { run(["/usr/bin/umount", "-l", path]) }

  private static func run(_ arguments: [String]) -> Bool {
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { argv.forEach { free($0) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var id: pid_t = 0
    guard posix_spawn(&id, arguments[0], &actions, nil, &argv, environ) == 0 else { return false }
    var status: Int32 = 0
    while waitpid(id, &status, 0) < 0, errno == EINTR {}
    return status == 0
  }
}
