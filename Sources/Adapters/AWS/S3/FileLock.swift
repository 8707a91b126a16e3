import Glibc

/// A file that is locked as long as this value lives: until the process ends, however it ends.
final class FileLock: Sendable {
  private let descriptor: Int32

  /// Nil when the file cannot be made, or another process has it and this one does not wait.
  init?(_ path: String, waits: Bool) {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return nil }
    while flock(descriptor, waits ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      close(descriptor)
      return nil
    }
  }

  deinit { close(descriptor) }
}
