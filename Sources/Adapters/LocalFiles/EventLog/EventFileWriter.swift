import Glibc

/// Appends whole gzip members to the files of one writer: all of them or none.
struct EventFileWriter {
  let write: EventFile.WriteCall

  /// What a failed append leaves.
  struct Failure: Error {
    var error: LocalFilesError
    /// Whether every file has its former length again. A file that has not must not be written to any more.
    var isUndone: Bool
  }

  /// Appends each part to the file `name` of its folder and makes it durable.
  ///
  /// The files are locked (`flock`) until all is done or undone, so that readers see whole members only.
  /// - Returns: The folders in which a file was started.
  func append(_ parts: [(folder: String, member: [UInt8])], name: String) throws(Failure) -> Set<String> {
    var files: [EventFile] = []
    var started: Set<String> = []
    defer { for file in files { close(file.descriptor) } }
    do throws(LocalFilesError) {
      for part in parts {
        let file = try open(name, in: part.folder)
        files.append(file)
        try file.append(part.member, write: write)
        if file.formerLength == 0 {
          try Folder.sync(part.folder)
          started.insert(part.folder)
        }
      }
      return started
    } catch {
      throw Failure(error: error, isUndone: files.reduce(true) { $1.undo() && $0 })
    }
  }

  private func open(_ name: String, in folder: String) throws(LocalFilesError) -> EventFile {
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
      return EventFile(path: path, descriptor: descriptor, formerLength: status.st_size)
    }
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
