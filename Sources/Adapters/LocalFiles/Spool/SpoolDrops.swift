public import FoundationEssentials
import Glibc

/// Events that a spool could not take, as its directory remembers them for every process.
public struct SpoolDrops: Sendable, Hashable, Codable {
  /// How many.
  public var count: Int
  /// When the first was dropped.
  public var first: Date
  /// When the last was dropped.
  public var last: Date

  private static func path(_ directory: String) -> String { directory + "/dropped.json" }

  static func read(_ directory: String) -> SpoolDrops? {
    guard let data = try? Data(contentsOf: URL(filePath: path(directory))) else { return nil }
    return try? JSONDecoder().decode(SpoolDrops.self, from: data)
  }

  /// Adds to what is remembered; on a full disk the log alone tells.
  static func add(_ count: Int, at time: Date, directory: String) {
    let lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard lock >= 0 else { return }
    defer { close(lock) }
    while flock(lock, LOCK_EX) != 0 && errno == EINTR {}
    var drops = read(directory) ?? SpoolDrops(count: 0, first: time, last: time)
    drops.count += count
    drops.last = max(drops.last, time)
    guard let data = try? JSONEncoder().encode(drops) else { return }
    try? data.write(to: URL(filePath: path(directory)), options: .atomic)
  }
}
