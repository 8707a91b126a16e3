import Compression
import Glibc

/// The lines of one file of the log, decompressed piece by piece. What is damaged is reported and passed over: the
/// search for the next gzip member begins anew behind the start of the damaged one.
package final class EventFileLines {
  package enum Item: Equatable {
    case line([UInt8], number: Int)
    case unreadable(String)
  }

  /// Longer lines are reported, not read: no event comes near it, and memory stays bounded.
  package static let longestLine = 64 << 20
  /// The start of the members that Quarry writes: gzip, deflate, no flags, no time (RFC 1952, section 2.3).
  private static let memberMark: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0]
  /// Deflate expands up to 1032 times (zlib's manual), so one piece gives 17 MB at most.
  private static let pieceLength = 16 << 10

  let path: String
  /// The length when the file was opened; what is appended later is not read.
  let length: Int
  private let longestLine: Int
  /// Whether somebody else may be in the midst of an append: then the end is no damage.
  private let isUnfinished: Bool
  private var offset = 0
  /// Where the current decompressor's input begins.
  private var base = 0
  private var decompressor = Decompressor(.gzip, limit: .max)
  private var ready: [Item] = []
  private var nextReady = 0
  private var line: [UInt8] = []
  private var isSkippingLine = false
  private var lineNumber = 1
  private var isAtEnd = false

  /// - Throws: The error of a file that cannot be opened.
  package init(
    path: String, longestLine: Int = EventFileLines.longestLine, isUnfinished: Bool = false
  ) throws(LocalFilesError) {
    self.path = path
    self.isUnfinished = isUnfinished
    self.longestLine = longestLine
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("open", path, errno: errno) }
    defer { close(descriptor) }
    // Waits for an append that is under way, whose bytes would look torn. A file of the spool is locked for as long as
    // its process writes it.
    while !isUnfinished && flock(descriptor, LOCK_SH) != 0 && errno == EINTR {}
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system("read", path, errno: errno) }
    length = Int(status.st_size)
  }

  /// The next line or report; nil at the end.
  package func next() -> Item? {
    while nextReady == ready.count {
      ready.removeAll(keepingCapacity: true)
      nextReady = 0
      if isAtEnd { return nil }
      advance()
    }
    defer { nextReady += 1 }
    return ready[nextReady]
  }

  private func advance() {
    do {
      let piece = try read(at: offset, Self.pieceLength)
      guard !piece.isEmpty else { return end() }
      offset += piece.count
      do {
        try piece.withUnsafeBytes { try decompressor.decompress($0) { take($0) } }
      } catch {
        recover(from: error)
      }
    } catch {
      report("\(error)")
      isAtEnd = true
    }
  }

  private func end() {
    if length > 0, !decompressor.isComplete {
      guard isUnfinished else { return recover(from: nil) }
      line = []
    }
    if !line.isEmpty || isSkippingLine { closeLine() }
    isAtEnd = true
  }

  /// Reports the damage and goes on with the next member, if there is one.
  private func recover(from error: (any Error)?) {
    let damaged = base + decompressor.memberStart
    line = []
    isSkippingLine = false
    do {
      let next = try nextMember(from: damaged + 1)
      let reason =
        if let error = error as? CompressionError { error.message } else { "it was cut off while it was written" }
      report("the \((next ?? length) - damaged) bytes from byte \(damaged) on cannot be read: \(reason)")
      guard let next else {
        isAtEnd = true
        return
      }
      offset = next
      base = next
      decompressor = Decompressor(.gzip, limit: .max)
    } catch {
      report("\(error)")
      isAtEnd = true
    }
  }

  private func nextMember(from start: Int) throws(LocalFilesError) -> Int? {
    var start = start
    while true {
      let piece = try read(at: start, 1 << 16)
      guard piece.count >= Self.memberMark.count else { return nil }
      for place in 0...(piece.count - Self.memberMark.count)
      where piece[place] == Self.memberMark[0] && piece[place...].starts(with: Self.memberMark) {
        return start + place
      }
      start += piece.count - Self.memberMark.count + 1
    }
  }

  /// Opens the file for each piece: an hour may have more files than a process may keep open.
  private func read(at offset: Int, _ count: Int) throws(LocalFilesError) -> [UInt8] {
    let wanted = min(count, length - offset)
    guard wanted > 0 else { return [] }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("open", path, errno: errno) }
    defer { close(descriptor) }
    var number: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, got in
      got = 0
      while got < wanted {
        let count = pread(descriptor, buffer.baseAddress! + got, wanted - got, off_t(offset + got))
        if count < 0 && errno == EINTR { continue }
        if count < 0 { number = errno }
        if count <= 0 { break }
        got += count
      }
    }
    if number != 0 { throw .system("read", path, errno: number) }
    return bytes
  }

  private func take(_ content: UnsafeRawBufferPointer) {
    var rest = content[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      add(rest[..<end])
      closeLine()
      rest = rest[(end + 1)...]
    }
    add(rest)
  }

  private func add(_ bytes: Slice<UnsafeRawBufferPointer>) {
    guard !isSkippingLine else { return }
    guard line.count + bytes.count <= longestLine else {
      line = []
      isSkippingLine = true
      return
    }
    line.append(contentsOf: bytes)
  }

  private func closeLine() {
    if isSkippingLine {
      report("line \(lineNumber) is longer than \(longestLine) bytes")
    } else if !line.isEmpty {
      ready.append(.line(line, number: lineNumber))
    }
    line = []
    isSkippingLine = false
    lineNumber += 1
  }

  private func report(_ reason: String) {
    ready.append(.unreadable("\(LocalFilesError.quoted(path)): \(reason)"))
  }
}
