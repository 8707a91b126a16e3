import Glibc

/// Appends whole gzip members to the files of one writer: all of them or none.
struct EventFileWriter {
  /// `write(2)`; tests let it fail.
  typealias WriteCall = @Sendable (Int32, UnsafeRawBufferPointer) -> Int

  let layout: EventLogLayout
  let write: WriteCall

  /// What a failed append leaves.
  struct Failure: Error {
    var error: LocalFilesError
    /// Whether every file has its former length again. A file that has not must not be written to any more.
    var isUndone: Bool
  }

  private struct File {
    let path: String
    let descriptor: Int32
    let formerLength: off_t
  }

  /// Appends each part to the file `name` of its hour and makes it durable.
  ///
  /// The files are locked (`flock`) until all is done or undone, so that readers see whole members only.
  /// - Returns: The hours in which a file was started.
  func append(_ parts: [(hour: EventHour, member: [UInt8])], name: String) throws(Failure) -> Set<EventHour> {
    var files: [File] = []
    var started: Set<EventHour> = []
    defer { for file in files { close(file.descriptor) } }
    do throws(LocalFilesError) {
      for part in parts {
        let file = try open(name, of: part.hour)
        files.append(file)
        try writeAll(part.member, to: file)
        guard fsync(file.descriptor) == 0 else { throw LocalFilesError.system("write", file.path, errno: errno) }
        if file.formerLength == 0 {
          try Folder.sync(layout.folder(of: part.hour))
          started.insert(part.hour)
        }
      }
      return started
    } catch {
      throw Failure(error: error, isUndone: undo(files))
    }
  }

  private func open(_ name: String, of hour: EventHour) throws(LocalFilesError) -> File {
    let folder = layout.folder(of: hour)
    let path = folder + "/" + name + EventLogLayout.suffix
    var attempts = 0
    while true {
      try Folder.make(folder)
      let descriptor = Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
      if descriptor < 0 {
        let number = errno
        // Another process that tidies up may have removed the folder just made.
        attempts += 1
        if number == ENOENT && attempts < 10 { continue }
        throw .system("create", path, errno: number)
      }
      // Where locks are not supported, readers may report the member being written as torn; no more than that.
      while flock(descriptor, LOCK_EX) != 0 && errno == EINTR {}
      var status = stat()
      guard fstat(descriptor, &status) == 0 else {
        let number = errno
        close(descriptor)
        throw .system("read", path, errno: number)
      }
      return File(path: path, descriptor: descriptor, formerLength: status.st_size)
    }
  }

  private func writeAll(_ bytes: [UInt8], to file: File) throws(LocalFilesError) {
    let number = bytes.withUnsafeBytes { bytes -> Int32 in
      var rest = bytes
      while !rest.isEmpty {
        let count = write(file.descriptor, rest)
        if count < 0 && errno == EINTR { continue }
        // A write of nothing would be repeated for ever.
        guard count > 0 else { return count == 0 ? ENOSPC : errno }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
      }
      return 0
    }
    if number != 0 { throw .system("write", file.path, errno: number) }
  }

  private func undo(_ files: [File]) -> Bool {
    var isUndone = true
    for file in files {
      if file.formerLength == 0 {
        // Another length than zero would stay only if both calls fail.
        let isEmpty = ftruncate(file.descriptor, 0) == 0
        isUndone = (unlink(file.path) == 0 || isEmpty) && isUndone
      } else {
        isUndone = ftruncate(file.descriptor, file.formerLength) == 0 && isUndone
      }
    }
    return isUndone
  }
}

/// Folders made durably.
enum Folder {
  /// Makes a folder for its owner only, and those above it that are missing.
  static func make(_ path: String) throws(LocalFilesError) {
    if mkdir(path, 0o700) == 0 { return try sync(parent(of: path)) }
    switch errno {
    case EEXIST: return
    case ENOENT where parent(of: path) != path:
      try make(parent(of: path))
      guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .system("create", path, errno: errno) }
      try sync(parent(of: path))
    default: throw .system("create", path, errno: errno)
    }
  }

  /// Makes the names in a folder durable.
  static func sync(_ path: String) throws(LocalFilesError) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("open", path, errno: errno) }
    defer { close(descriptor) }
    // Some network file systems cannot; they keep names by themselves.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw .system("write", path, errno: errno) }
  }

  private static func parent(of path: String) -> String {
    var trimmed = path[...]
    while trimmed.count > 1, trimmed.last == "/" { trimmed = trimmed.dropLast() }
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
  }
}
