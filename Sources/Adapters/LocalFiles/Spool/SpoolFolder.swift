import Core
import Glibc

/// The files of a spool, whoever writes them: `<directory>/<stream>/YYYY/MM/DD/HH/<name>.jsonl.gz`, which below the
/// directory are the keys of an archive.
///
/// A file belongs to whoever holds its lock (`flock`): the process that writes it, for as long as it does, or the one
/// that sends it. The kernel lets go when a process ends, however it does, so that nothing has to be tidied up.
struct SpoolFolder: Sendable {
  let directory: String

  /// A file of the spool.
  struct Entry: Hashable, Sendable {
    var key: String
    var path: String
    var byteCount: Int
    /// Seconds since 1970.
    var modified: Int
  }

  /// All files, those of the oldest hours first.
  func entries() throws(LocalFilesError) -> [Entry] {
    var entries: [(hour: EventHour, entry: Entry)] = []
    for stream in try streams() {
      let layout = EventLogLayout(directory: directory, stream: stream)
      for hour in try layout.hours() {
        for path in try layout.files(of: hour) {
          var status = stat()
          guard stat(path, &status) == 0 else { continue }
          let key = String(path.dropFirst(directory.count + 1))
          entries.append(
            (
              hour,
              Entry(key: key, path: path, byteCount: Int(status.st_size), modified: status.st_mtim.tv_sec)
            ))
        }
      }
    }
    return entries.sorted { ($0.hour, $0.entry.key) < ($1.hour, $1.entry.key) }.map(\.entry)
  }

  /// The streams that have a folder.
  private func streams() throws(LocalFilesError) -> [String] {
    var streams = [ArchiveLines.events]
    for kind in ["promptarchive", "embeddingarchive"] {
      for app in try EventLogLayout.names(in: "\(directory)/\(kind)") { streams.append("\(kind)/\(app)") }
    }
    return streams
  }

  /// Makes a file and takes its lock. Its name sorts by time and is nobody else's.
  func make(in folder: String, name: () -> String) throws(LocalFilesError) -> EventFile {
    let folder = "\(directory)/\(folder)"
    var attempts = 0
    while true {
      try Folder.make(folder)
      let path = "\(folder)/\(name())\(EventLogLayout.suffix)"
      let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      if descriptor < 0 {
        let number = errno
        attempts += 1
        // Another process may have removed the folder just made, since it was empty.
        if number == ENOENT || number == EEXIST, attempts < 10 { continue }
        throw .system("create", path, errno: number)
      }
      // A sender may have seen the file before it was locked, and removed it because it is empty.
      if Self.lock(descriptor), Self.isLinked(descriptor) {
        try Folder.sync(folder)
        return EventFile(path: path, descriptor: descriptor, formerLength: 0)
      }
      close(descriptor)
      attempts += 1
      guard attempts < 10 else { throw .system("lock", path, errno: EWOULDBLOCK) }
    }
  }

  /// Takes the lock of a file that nobody writes or sends; nil when somebody does, or it is gone.
  func claim(_ entry: Entry) throws(LocalFilesError) -> SpoolClaim? {
    let descriptor = open(entry.path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw .system("open", entry.path, errno: errno)
    }
    guard Self.lock(descriptor), Self.isLinked(descriptor) else {
      close(descriptor)
      return nil
    }
    return SpoolClaim(entry: entry, descriptor: descriptor)
  }

  private static func lock(_ descriptor: Int32) -> Bool {
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if errno != EINTR { return false }
    }
    return true
  }

  private static func isLinked(_ descriptor: Int32) -> Bool {
    var status = stat()
    return fstat(descriptor, &status) == 0 && status.st_nlink > 0
  }
}
