import Glibc

/// The name under which this process holds something, and whether the holder behind such a name still lives.
///
/// `boot/namespace/pid/start/random`: a process number alone is given away again. Source: proc(5), `/proc/PID/stat`
/// field 22.
public enum LeaseOwner {
  /// A new name for this process.
  public static func make() -> String {
    let pid = getpid()
    return [boot, namespace, "\(pid)", startTime(of: pid) ?? "?", "\(UInt32.random(in: 0...UInt32.max))"]
      .joined(separator: "/")
  }

  /// Whether the process of `owner` is gone for certain. One in another container cannot be looked at: its lease
  /// has to end by itself.
  /// - Parameter isOneMachine: Whether holders are of this machine only, so that one of another boot is gone.
  public static func isDead(_ owner: String, isOneMachine: Bool) -> Bool {
    let parts = owner.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 5, let pid = Int32(parts[2]), !boot.isEmpty else { return false }
    if parts[0] != boot { return isOneMachine }
    guard parts[1] == namespace else { return false }
    return startTime(of: pid) != parts[3]
  }

  private static let boot = text(of: "/proc/sys/kernel/random/boot_id").filter { !$0.isNewline }

  private static let namespace: String = {
    var status = stat()
    return stat("/proc/self/ns/pid", &status) == 0 ? "\(status.st_ino)" : "?"
  }()

  private static func startTime(of pid: Int32) -> String? {
    // The second field, the program's name in parentheses, may hold anything.
    let line = text(of: "/proc/\(pid)/stat")
    guard let end = line.lastIndex(of: ")") else { return nil }
    let fields = line[line.index(after: end)...].split(separator: " ")
    return fields.count > 19 ? String(fields[19]) : nil
  }

  private static func text(of path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = fread(&buffer, 1, buffer.count, file)
    return String(decoding: buffer.prefix(count), as: UTF8.self)
  }
}
