import CPoppler
import Glibc
import PDFPipe

/// A PDF that Poppler has opened. Lives until the process ends; nothing is freed on purpose.
struct OpenDocument {
  let handle: OpaquePointer
  let descriptor: Int32
  let identity: FileIdentity
  let limits: ReaderLimits
  let pageCount: UInt32
  let openedWithPassword: Bool
  let lacksEndMarker: Bool

  /// Checks that the path names a PDF file, opens it, and counts its pages.
  static func open(_ request: OpenRequest) -> Result<OpenDocument, Refusal> {
    guard !request.path.contains(0) else { return .failure(Refusal(.badRequest, "the path holds a zero byte")) }
    // Without O_NONBLOCK, opening a named pipe waits for a writer.
    let descriptor = (request.path + [0]).withUnsafeBufferPointer { path in
      path.withMemoryRebound(to: CChar.self) { Glibc.open($0.baseAddress!, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    }
    guard descriptor >= 0 else { return .failure(refusal(errno: errno)) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return .failure(refusal(errno: errno)) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: return .failure(Refusal(.isDirectory, "a directory"))
    default: return .failure(Refusal(.notRegularFile, "a pipe, socket or device"))
    }
    guard status.st_size > 0 else { return .failure(Refusal(.emptyFile, "no byte in it")) }
    let head = bytes(of: descriptor, at: 0, count: 1024)
    guard contains(head, "%PDF-") else { return .failure(Refusal(.notAPDF, describeForeign(head))) }
    // Poppler looks for startxref in the same place and rebuilds the cross-reference table when it is not there.
    let tailStart = max(0, Int(status.st_size) - 1024)
    let lacksEndMarker = !contains(bytes(of: descriptor, at: tailStart, count: 1024), "startxref")

    guard let uri = uri(of: descriptor, path: request.path) else {
      return .failure(Refusal(.badRequest, "the path must be absolute"))
    }
    for (attempt, password) in ([nil] + request.passwords.map(Optional.some)).enumerated() {
      var error: UnsafeMutablePointer<GError>?
      if let handle = poppler_document_new_from_file(uri, password, &error) {
        let count = poppler_document_get_n_pages(handle)
        guard count > 0 else { return .failure(Refusal(.noPages, "its page tree has no page")) }
        guard count <= Int(request.limits.maxPages) else {
          return .failure(Refusal(.tooManyPages, "\(count) pages", number: UInt64(count)))
        }
        return .success(
          OpenDocument(
            handle: handle, descriptor: descriptor, identity: FileIdentity(status), limits: request.limits,
            pageCount: UInt32(count), openedWithPassword: attempt > 0, lacksEndMarker: lacksEndMarker))
      }
      let code = error?.pointee.code ?? 0
      let text = error?.pointee.message.map { String(cString: $0) } ?? "Poppler cannot open it"
      g_clear_error(&error)
      if code != Int32(POPPLER_ERROR_ENCRYPTED.rawValue) {
        return .failure(Refusal(.damaged, lacksEndMarker ? "its end is missing: \(text)" : text))
      }
    }
    return .failure(
      request.passwords.isEmpty
        ? Refusal(.encrypted, "a password is needed")
        : Refusal(.wrongPassword, "none of the \(request.passwords.count) passwords given opens it"))
  }

  /// The open file as it is now.
  func currentIdentity() -> FileIdentity? {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? FileIdentity(status) : nil
  }
}

extension FileIdentity {
  fileprivate init(_ status: stat) {
    self.init(
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: UInt64(status.st_size),
      modified: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec))
  }
}

/// The name by which Poppler opens the file that is open already, even if its path leads elsewhere by now.
///
/// Not `poppler_document_new_from_fd`: when a password fails, Poppler tries it in UTF-8 as well, by then on a
/// descriptor that it has closed itself, and reports a damaged file.
private func uri(of descriptor: Int32, path: [UInt8]) -> String? {
  let open = "/proc/self/fd/\(descriptor)"
  if access(open, R_OK) == 0 { return "file://\(open)" }
  let uri = (path + [0]).withUnsafeBufferPointer { bytes in
    bytes.withMemoryRebound(to: CChar.self) { g_filename_to_uri($0.baseAddress!, nil, nil) }
  }
  return takeText(uri)
}

private func refusal(errno code: Int32) -> Refusal {
  let reason: FailureReason = code == ENOENT || code == ENOTDIR ? .notFound : .notReadable
  return Refusal(reason, String(cString: strerror(code)), number: UInt64(code))
}

private func bytes(of descriptor: Int32, at offset: Int, count: Int) -> [UInt8] {
  [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
    initialized = max(0, pread(descriptor, buffer.baseAddress, count, off_t(offset)))
  }
}

private func contains(_ bytes: [UInt8], _ needle: String) -> Bool {
  let needle = Array(needle.utf8)
  return bytes.indices.dropLast(needle.count - 1).contains { bytes[$0...].starts(with: needle) }
}

/// What a file that is no PDF looks like, for the message.
private func describeForeign(_ head: [UInt8]) -> String {
  let known: [(prefix: [UInt8], name: String)] = [
    ([0x50, 0x4B, 0x03, 0x04], "a zip archive or an office document"), ([0x1F, 0x8B], "a gzip file"),
    ([0x89, 0x50, 0x4E, 0x47], "a PNG image"), ([0xFF, 0xD8, 0xFF], "a JPEG image"),
    ([0xD0, 0xCF, 0x11, 0xE0], "an old office document"), (Array("{\\rtf".utf8), "an RTF document"),
    (Array("%!PS".utf8), "a PostScript file"), (Array("<!DOCTYPE".utf8), "an HTML page"),
    (Array("<html".utf8), "an HTML page"),
  ]
  if let match = known.first(where: { head.starts(with: $0.prefix) }) { return match.name }
  let isText = !head.contains { $0 < 0x20 && !(9...13).contains($0) }
  return isText ? "a text file" : "a file of another kind"
}
