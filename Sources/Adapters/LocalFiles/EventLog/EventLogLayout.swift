import FoundationEssentials
import Glibc

/// Where the files of one stream are: `<directory>/<stream>/YYYY/MM/DD/HH/<name>.jsonl.gz`.
struct EventLogLayout: Sendable {
  static let suffix = ".jsonl.gz"
  /// `<directory>/<stream>`.
  let root: String

  init(directory: String, stream: String = ArchiveLines.events) { root = directory + "/" + stream }

  func folder(of hour: EventHour) -> String { root + "/" + hour.path }

  /// The hours that have a folder, from `first` to `last` inclusive (nil: unbounded), oldest first; none when there
  /// is no log yet.
  func hours(from first: EventHour? = nil, to last: EventHour? = nil) throws(LocalFilesError) -> [EventHour] {
    var paths = [""]
    for (level, digits) in EventHour.digits.enumerated() {
      let length = EventHour.digits[...level].reduce(level, +)
      var next: [String] = []
      for path in paths {
        for name in try Self.names(in: path.isEmpty ? root : root + "/" + path)
        where EventHour.isNumber(name, digits: digits) {
          let below = path.isEmpty ? name : path + "/" + name
          if let first, below < first.path.prefix(length) { continue }
          if let last, below > last.path.prefix(length) { continue }
          next.append(below)
        }
      }
      paths = next
    }
    return paths.compactMap(EventHour.init(path:))
  }

  /// The paths of the files of an hour, by name.
  func files(of hour: EventHour) throws(LocalFilesError) -> [String] {
    let folder = folder(of: hour)
    return try Self.names(in: folder).filter { $0.hasSuffix(Self.suffix) && !$0.hasPrefix(".") }
      .map { folder + "/" + $0 }
  }

  /// The names in a folder, sorted; none when it is not there (another process may tidy up at any time).
  static func names(in folder: String) throws(LocalFilesError) -> [String] {
    do {
      return try DirectoryWalk.names(in: folder).compactMap { String(validating: $0, as: UTF8.self) }
    } catch {
      if error.code == "file.missing" { return [] }
      throw error
    }
  }

  /// Deletes the files of the oldest hours of all streams until all files together have at most `bound` bytes. Hours
  /// from `current` on and the folders in `kept` stay, whatever their size.
  static func trim(
    _ streams: [EventLogLayout], to bound: Int, current: EventHour, keeping kept: Set<String>
  ) throws(LocalFilesError) {
    var files: [(stream: EventLogLayout, hour: EventHour, path: String, byteCount: Int)] = []
    for stream in streams {
      for hour in try stream.hours() {
        for path in try stream.files(of: hour) {
          var status = stat()
          if stat(path, &status) == 0 { files.append((stream, hour, path, Int(status.st_size))) }
        }
      }
    }
    files.sort { $0.hour < $1.hour }
    var total = files.reduce(0) { $0 + $1.byteCount }
    for file in files
    where total > bound && file.hour < current && !kept.contains(file.stream.folder(of: file.hour)) {
      guard unlink(file.path) == 0 || errno == ENOENT else { throw .system("delete", file.path, errno: errno) }
      total -= file.byteCount
      file.stream.removeEmptyFolders(of: file.hour)
    }
  }

  /// Removes the hour's folder and those above it, as far as they are empty.
  private func removeEmptyFolders(of hour: EventHour) {
    var path = hour.path[...]
    while !path.isEmpty, rmdir(root + "/" + path) == 0 {
      path = path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)
    }
  }
}
